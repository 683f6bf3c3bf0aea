/** Evidence that agents give: what their silence means, row by row of docs/agents.md and of the order in docs/rollouts.md. */
import { expect } from 'chai';
import fc from 'fast-check';
import type { DeploymentRequest } from '../../../src/domain/deployment/events.ts';
import { noEvidence } from '../../../src/domain/deployment/evidence.ts';
import { staleAfterMs } from '../../../src/domain/deployment/health-check.ts';
import type { PlanInput } from '../../../src/domain/deployment/plan.ts';
import { newId, oldId, request } from './samples.ts';
import { world, type World } from './world.ts';
import { shows } from '../../support/rollout-rows.ts';

const hour = 3600_000;

interface Given {
  readonly oldRuntime?: DeploymentRequest['runtime'];
  readonly oldInterval?: number;
  readonly newRuntime?: DeploymentRequest['runtime'];
  readonly newInterval?: number;
  readonly plan?: PlanInput;
}

/** A canary of agents beside an old version; each is asked at its own interval, or (null) silent. */
function canary(given: Given = {}): World & { alive: { old: boolean; new: boolean } } {
  const { oldRuntime = 'agent', oldInterval = 10, newRuntime = 'agent', newInterval = 10 } = given;
  const it = world();
  it.request(
    request(
      { strategy: 'Direct', totalInstances: 2, healthCheck: { intervalSeconds: 10 } },
      { deploymentId: oldId, previousDeploymentId: null, pluginVersion: '1.0.0', runtime: oldRuntime },
    ),
  );
  expect(it.run(hour, () => it.state(oldId).phase === 'Completed')).to.equal(true);
  // As if it had been deployed so: its interval alone is of interest from here.
  const old = it.state(oldId);
  const healthCheck = { ...old.request.healthCheck, intervalSeconds: oldInterval };
  it.deployments.set(oldId, { ...old, request: { ...old.request, healthCheck } });
  const alive = { old: true, new: true };
  const every = { [oldId]: oldInterval * 1000, [newId]: newInterval * 1000 };
  const last = new Map<string, number>();
  it.behaviour = ({ deploymentId, instance, ms }) => {
    if (!(deploymentId === oldId ? alive.old : alive.new)) return null;
    const key = `${deploymentId}/${instance}/${it.deployments.get(newId)?.fence ?? 0}`;
    // An agent reports at once when the epoch changes, then at its interval.
    if (ms < (last.get(key) ?? -Infinity) + (every[deploymentId] ?? 0)) return null;
    last.set(key, ms);
    return 'pass';
  };
  it.log.length = 0;
  const stageInterval = String(Math.max(300, 3 * newInterval));
  it.request(
    request(
      {
        ...{ strategyConfig: { stageInterval }, healthCheck: { intervalSeconds: newInterval } },
        ...given.plan,
      },
      { runtime: newRuntime },
    ),
  );
  return Object.assign(it, { alive });
}

const reached = (it: World, phase: string, ms = 5 * hour): void => {
  const there = it.run(ms, () => it.state(newId).phase === phase);
  expect(there, `${phase} expected, ${it.state(newId).phase} found: ${it.types().join(' ')}`).to.equal(true);
};

describe('a rollout that agents report on', () => {
  describe('2. Blind: an agent’s silence is its instances’ silence', () => {
    it('pauses when new and old fall silent alike, for ever, and goes on when they are heard', () => {
      const it = canary();
      reached(it, 'Baking');
      Object.assign(it.alive, { old: false, new: false });
      it.run(30 * 24 * hour);
      expect(it.state(newId)).to.deep.include({ phase: 'Paused', cause: 'MonitorBlind' });
      Object.assign(it.alive, { old: true, new: true });
      reached(it, 'Completed');
    });

    it(
      shows(
        'Evidence 2: blind is never a rollback',
        'never goes back when all fall silent at once, in whatever phase, however often each is asked',
      ),
      () => {
        const interval = fc.constantFrom(1, 5, 10, 30, 60, 120, 300, 600, 3600);
        fc.assert(
          fc.property(interval, interval, fc.nat(6 * hour), (oldInterval, newInterval, dieAt) => {
            const it = canary({ oldInterval, newInterval });
            it.run(dieAt, () => it.state(newId).phase === 'Completed');
            const before = it.types().length;
            Object.assign(it.alive, { old: false, new: false });
            it.run(3 * staleAfterMs(it.state(oldId).request.healthCheck) + 2 * hour);
            expect(it.types().slice(before)).not.to.include('RollbackStarted');
          }),
          { numRuns: 150 },
        );
      },
    );

    it('compares with instances of agents alone: those that the platform probes say nothing of an agent', () => {
      const it = canary({ oldRuntime: 'simulated' });
      reached(it, 'Baking');
      it.alive.new = false;
      reached(it, 'Paused', 60_000);
      expect(it.state(newId)).to.deep.include({ cause: 'MonitorBlind' });
      it.run(24 * hour);
      expect(it.state(newId).phase).to.equal('Paused');
    });

    it('is none of a platform’s own canary whose old version agents run: that is stale', () => {
      const it = canary({ newRuntime: 'simulated' });
      it.alive.old = false;
      reached(it, 'Baking');
      it.alive.new = false;
      reached(it, 'RolledBack', 600_000);
    });
  });

  describe('4. Deadline', () => {
    it('stands still while no agent is heard, and runs while one is', () => {
      const it = canary({ oldInterval: 600 });
      Object.assign(it.alive, { old: false, new: false });
      it.run(5 * hour);
      expect(it.state(newId).phase).to.be.oneOf(['Provisioning', 'Paused']);
      const heard = canary();
      heard.alive.new = false;
      reached(heard, 'RolledBack', 700_000);
    });
  });

  describe('5. Stale', () => {
    it(
      shows('Evidence 5: silent canaries', 'goes back when the canaries alone are silent for five minutes'),
      () => {
        const it = canary();
        reached(it, 'Baking');
        it.alive.new = false;
        const silentAt = it.ms;
        reached(it, 'RolledBack');
        expect(it.ms - silentAt).to.be.within(300_000, 340_000);
      },
    );

    it(
      shows(
        'Evidence 5: silent canaries',
        'goes back after five intervals, where they are longer, and says so',
      ),
      () => {
        const it = canary({ newInterval: 120 });
        reached(it, 'Baking');
        it.alive.new = false;
        const silentAt = it.ms;
        reached(it, 'RolledBack');
        expect(it.ms - silentAt).to.be.within(480_000, 1_000_000);
        expect(it.state(newId)).to.have.property(
          'reason',
          '1 of 1 new instance gave no report for 600 seconds',
        );
      },
    );
  });

  describe('3. Failure', () => {
    it('is a canary that its agent says has died, told at whatever epoch', () => {
      const it = canary();
      reached(it, 'Baking');
      const { epoch } = it.evidence.get(newId)!;
      const fresh = { instance: 'fresh', outcome: 'pass', latencyMs: 1, replaces: `${newId}-0-0` } as const;
      it.deliver(newId, epoch - 1, [{ ...fresh, sequence: 0 }]);
      it.run(10_000);
      expect(it.state(newId).phase, 'of an old epoch').to.equal('Baking');
      it.deliver(newId, epoch, [{ ...fresh, sequence: 1 }]);
      reached(it, 'RolledBack', 20_000);
    });

    it(
      shows(
        'Evidence 3: replaced without a word',
        'is a canary that was started again without a word, whenever that was',
      ),
      () => {
        const reached = fc.integer({ min: 20_000, max: 1_180_000 });
        fc.assert(
          fc.property(reached, fc.boolean(), (diedAt, crashed) => {
            const it = canary();
            // At a moment at which it has reported under the epoch: nobody misses what a new stage never saw.
            const mayDie = (instance: number, ms: number): boolean => {
              const { epoch, instances } = it.evidence.get(newId) ?? noEvidence;
              const known = instances[`${newId}-${crashed ? 1 : 0}-${instance}`];
              return ms >= diedAt && epoch % 2 ** 20 === it.state(newId).fence && known?.epoch === epoch;
            };
            const begun = it.ms;
            let victim: number | null = null;
            it.restarts = ({ deploymentId, instance, ms }) => {
              if (deploymentId !== newId) return 0;
              if (victim === null && mayDie(instance, ms - begun)) victim = instance;
              return instance === victim ? 1 : 0;
            };
            if (crashed) {
              it.run(diedAt / 2);
              it.crash();
            }
            it.run(3 * hour, () => it.state(newId).phase === 'RolledBack');
            const back = it.log.find(({ event }) => event.type === 'RollbackStarted');
            expect(back, `${diedAt} ${it.types().join(' ')}`).to.have.nested.property(
              'event.data.reason',
              '1 new instance vanished, and another reports in its place',
            );
          }),
          { numRuns: 40 },
        );
      },
    );

    it(
      shows(
        'Evidence 3: replaced without a word',
        'is a sole canary that starts again and again without a word, the second time in a stage',
      ),
      () => {
        const it = world();
        it.request(request({}, { previousDeploymentId: null, runtime: 'agent' }));
        reached(it, 'Baking');
        const begun = it.ms;
        it.restarts = ({ ms }) => Math.floor((ms - begun) / 100_000);
        reached(it, 'Failed', 300_000);
        expect(it.ms - begun).to.be.greaterThan(200_000);
      },
    );

    it('is no restart of the agent, whose instances are fresh and stand in for nobody', () => {
      const it = canary();
      reached(it, 'Baking');
      // The world calls instances otherwise after a crash; the platform's memory goes with it, which makes no difference here.
      it.crash();
      reached(it, 'Completed');
      expect(it.types()).not.to.include('RollbackStarted');
    });
  });
});
