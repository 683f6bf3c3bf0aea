import { expect } from 'chai';
import fc from 'fast-check';
import type { Report } from '../../../src/domain/deployment/evidence.ts';
import { interrupt, pause, resume } from '../../../src/domain/deployment/requests.ts';
import { runs } from '../../support/runs.ts';
import { seededRandom, type SeededRandom } from '../../support/seeded-random.ts';
import { newId, oldId, request, start, user } from './samples.ts';
import { world, type World } from './world.ts';
import { shows } from '../../support/rollout-rows.ts';

const hour = 3600_000;
const by = { by: user, reason: 'because' };
const outcomes = ['pass', 'fail', 'error', null] as const;

function canary(): World {
  const it = world();
  it.request(
    request(
      { strategy: 'Direct' },
      { deploymentId: oldId, previousDeploymentId: null, pluginVersion: '1.0.0' },
    ),
  );
  it.run(hour, () => it.state(oldId).phase === 'Completed');
  it.log.length = 0;
  it.request(request());
  return it;
}

type Step =
  | {
      readonly kind: 'run';
      readonly steps: number;
      readonly fresh: Report['outcome'] | null;
      readonly old: Report['outcome'] | null;
    }
  | { readonly kind: 'crash' | 'pause' | 'resume' }
  | { readonly kind: 'jump'; readonly ms: number }
  | { readonly kind: 'prober'; readonly alive: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('run' as const),
      steps: fc.integer({ min: 1, max: 40 }),
      fresh: fc.constantFrom('pass' as const, 'pass' as const, 'pass' as const, ...outcomes),
      old: fc.constantFrom('pass' as const, 'pass' as const, ...outcomes),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('crash' as const, 'pause' as const, 'resume' as const) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('jump' as const),
      ms: fc.constantFrom(hour, -hour, 30 * 24 * hour),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('prober' as const), alive: fc.boolean() }) },
);

function perform(it: World, one: Step): void {
  const { phase } = it.state(newId);
  switch (one.kind) {
    case 'run':
      it.behaviour = ({ deploymentId }) => (deploymentId === newId ? one.fresh : one.old);
      it.run(one.steps * 10_000);
      return;
    case 'crash':
      it.crash();
      it.ask(newId, (state) => interrupt(state, 'The platform was restarted', start + it.ms));
      return;
    case 'pause':
      if (phase === 'Baking' || phase === 'Provisioning') it.ask(newId, (state) => pause(state, by));
      return;
    case 'resume':
      if (waits(it)) it.ask(newId, (paused) => resume(paused, by, start + it.ms));
      return;
    case 'jump':
      it.wallOffsetMs += one.ms;
      return;
    case 'prober':
      it.proberAlive = one.alive;
  }
}

/** Whoever is paused is resumed, whoever is blind sees: nothing but the rules stands in the way any more. */
function calm(it: World, behave: 'pass' | 'fail'): void {
  it.proberAlive = true;
  it.behaviour = ({ deploymentId }) => (deploymentId === newId ? behave : 'pass');
  for (let i = 0; i < 20 && it.slot.flight !== null; i += 1) {
    it.run(hour, () => it.slot.flight === null || waits(it));
    perform(it, { kind: 'resume' });
  }
}

function waits(it: World): boolean {
  const state = it.state(newId);
  return state.phase === 'Paused' && state.cause !== 'MonitorBlind';
}

const disorders = runs(300, 5_000);

type Batches = readonly (readonly Report[])[];

/** Every other batch comes with the one behind it, as far as they are of one epoch, in the order that `arrive` says. */
function latecomers(it: World, arrive: (batches: Batches) => Batches): World {
  const { deliver } = it;
  const held = new Map<string, { readonly epoch: number; readonly reports: readonly Report[] }>();
  it.deliver = (id, epoch, reports) => {
    const late = held.get(id);
    held.delete(id);
    if (late?.epoch === epoch) {
      for (const batch of arrive([late.reports, reports])) deliver(id, epoch, batch);
      return;
    }
    if (late) deliver(id, late.epoch, late.reports);
    held.set(id, { epoch, reports });
  };
  return it;
}

/** One report at a time, some of them again. */
const disorder =
  (random: SeededRandom) =>
  (batches: Batches): Batches => {
    const twice = batches.flat().flatMap((report) => (random.chance(0.5) ? [report, report] : [report]));
    const drawn = twice.map((report) => ({ report, lot: random.next() }));
    return drawn.sort((a, b) => a.lot - b.lot).map(({ report }) => [report]);
  };

const history = fc.array(step, { maxLength: 25 });

describe('any rollout, whatever happens', () => {
  it(
    shows('Time: no stage shortened or twice', 'no stage is early, none is done twice, and fences only grow'),
    () => {
      fc.assert(
        fc.property(history, (steps) => {
          const it = canary();
          for (const one of steps) perform(it, one);
          calm(it, 'pass');
          const started: number[] = [];
          const reachedAt = new Map<number, number>();
          let fence = 0;
          for (const { ms, event } of it.log) {
            if ('fence' in event.data) {
              expect(event.data.fence).to.be.greaterThan(fence);
              fence = event.data.fence;
            }
            if (event.type === 'CanaryStageReached' && !reachedAt.has(event.data.stage))
              reachedAt.set(event.data.stage, ms);
            if (event.type === 'StageStarted') {
              started.push(event.data.stage);
              if (event.data.stage > 0)
                expect(ms - reachedAt.get(event.data.stage - 1)!).to.be.at.least(300_000);
            }
            if (event.type === 'PromotionStarted') expect(ms - reachedAt.get(3)!).to.be.at.least(300_000);
          }
          expect(started).to.deep.equal([0, 1, 2, 3].slice(0, started.length));
        }),
        { numRuns: 150 },
      );
    },
  );

  it('ends, in a slot that names one current deployment: the new one, or the old', () => {
    fc.assert(
      fc.property(history, fc.constantFrom('pass' as const, 'fail' as const), (steps, behave) => {
        const it = canary();
        for (const one of steps) perform(it, one);
        calm(it, behave);
        const { phase } = it.state(newId);
        expect(['Completed', 'RolledBack']).to.include(phase);
        expect(it.slot).to.deep.include({ flight: null, current: phase === 'Completed' ? newId : oldId });
        if (behave === 'pass' && steps.length === 0) expect(phase).to.equal('Completed');
      }),
      { numRuns: 150 },
    );
  });

  it(`is the same when reports come twice and in any order, ${disorders} times`, function () {
    this.timeout(disorders * 200);
    fc.assert(
      fc.property(history, fc.nat(), (steps, seed) => {
        const orderly = latecomers(canary(), (batches) => batches);
        const disorderly = latecomers(canary(), disorder(seededRandom(seed)));
        for (const it of [orderly, disorderly]) for (const one of steps) perform(it, one);
        expect(disorderly.log).to.deep.equal(orderly.log);
      }),
      { numRuns: disorders },
    );
  });

  it('would be found out, were reports lost', () => {
    const steps = [{ kind: 'run', steps: 40, fresh: 'pass', old: 'pass' } as const];
    const orderly = latecomers(canary(), (batches) => batches);
    const lossy = latecomers(canary(), (batches) => batches.slice(0, 1));
    for (const it of [orderly, lossy]) for (const one of steps) perform(it, one);
    expect(lossy.log).not.to.deep.equal(orderly.log);
  });

  it('is the same, but for the times it names, when the wall clock jumps', () => {
    const jumps = fc.array(fc.constantFrom(hour, -hour, 30 * 24 * hour), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(jumps, (all) => {
        const [steady, jumpy] = [canary(), canary()];
        for (const ms of all) {
          jumpy.wallOffsetMs += ms;
          for (const it of [steady, jumpy]) it.run(250_000);
        }
        for (const it of [steady, jumpy]) calm(it, 'pass');
        const told = (it: World): unknown => it.log.map(({ ms, event }) => [ms, event.type]);
        expect(told(jumpy)).to.deep.equal(told(steady));
      }),
      { numRuns: 20 },
    );
  });

  it(
    shows(
      'Evidence 7: no evidence is no success',
      'without a single pass it never bakes: no evidence is never success',
    ),
    () => {
      const mute = fc.array(fc.constantFrom('fail' as const, 'error' as const, null), {
        minLength: 1,
        maxLength: 30,
      });
      fc.assert(
        fc.property(mute, mute, (fresh, old) => {
          const it = canary();
          it.behaviour = ({ deploymentId, ms }) => {
            const list = deploymentId === newId ? fresh : old;
            return list[(ms / 10_000) % list.length] ?? null;
          };
          it.run(2 * hour);
          expect(it.types()).not.to.include.oneOf(['CanaryStageReached', 'PromotionStarted']);
        }),
        { numRuns: 60 },
      );
    },
  );

  it(
    shows(
      'Time: downtime earns nothing',
      'killed at any moment of a healthy rollout, it ends as if it had not been',
    ),
    () => {
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 8 }), (pauses) => {
          const it = canary();
          for (const steps of pauses) {
            perform(it, { kind: 'run', steps, fresh: 'pass', old: 'pass' });
            perform(it, { kind: 'crash' });
          }
          calm(it, 'pass');
          expect(it.state(newId).phase).to.equal('Completed');
          expect(it.types().filter((type) => type === 'StageStarted')).to.have.length(4);
          expect(it.types().filter((type) => type === 'SlotTurned')).to.have.length(1);
        }),
        { numRuns: 60 },
      );
    },
  );
});
