/** The platform is killed at each of its steps; what comes of it is what would have come of it anyway. */
import { expect } from 'chai';
import type { DeploymentId } from '../../src/domain/ids.ts';
import { quota, reservationsOf } from '../../src/domain/quota.ts';
import type { Step } from '../support/mortal-ports.ts';
import { rolloutFaults } from '../support/rollout-faults.ts';
import { runs } from '../support/runs.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { acme, openWorld, type World } from '../support/simulated-platform.ts';
import { slot } from './life.ts';
import { shows } from '../support/rollout-rows.ts';

const points: readonly (readonly [when: string, step: Step])[] = [
  ['a slot is to be claimed', 'before append slot SlotClaimed'],
  ['a slot was claimed, and nobody has heard of it', 'after append slot SlotClaimed'],
  ['quota was reserved, and the request is not recorded', 'after append quota QuotaReserved'],
  ['a request was recorded, and its client has no answer', 'after append deployment DeploymentRequested'],
  ['a stage was decided, and is not recorded', 'before append deployment StageStarted'],
  ['a stage was recorded, and the runtime has not been told', 'after append deployment StageStarted'],
  ['the runtime is to be told', 'before ensure simulated'],
  ['the runtime was told, and nobody knows', 'after ensure simulated'],
  ['an instance has answered, and it is not recorded', 'after probe'],
  [
    'what instances answered was recorded, and nobody judged it',
    'after append health InstanceHealthObserved',
  ],
  ['events were applied, and neither documents nor checkpoint written', 'before commit deployments'],
  ['documents and checkpoint were written, and nobody knows', 'after commit deployments'],
  ['the end was decided, and the slot has not turned', 'before append slot SlotTurned'],
  ['the slot has turned, and the deployment does not tell its end', 'after append slot SlotTurned'],
];
const seed = Number(process.env['SEED'] ?? Date.now());

/** A version completes; the next one completes and is rolled back, or falls sick and goes back by itself. */
async function story(sick: boolean, dies: (step: Step) => boolean, seconds = 400) {
  const world = await openWorld({ seed: 'steps', pollMs: 5_000, dies });
  try {
    for (const version of ['1.0.0', '2.0.0']) await world.register('mailer', version);
    const common = { totalInstances: 4, healthCheck: { intervalSeconds: 5 } };
    const ids = [await world.deploy('mailer', '1.0.0', { ...common, strategyConfig: { bakeSeconds: '20' } })];
    await world.pass(seconds);
    const strategyConfig = { stages: '25,100', stageInterval: '60' };
    const configuration = { simulate: sick ? 'sick-after:50' : 'healthy' };
    const canary = { ...common, strategy: 'Canary', strategyConfig, configuration };
    ids.push(await world.deploy('mailer', '2.0.0', canary));
    await world.pass(seconds);
    if (!sick) await world.rollBack(ids[1]!);
    await world.pass(seconds);
    return { end: await endOf(world, ids), faults: rolloutFaults(world.everything, world.downs).faults };
  } finally {
    await world.close();
  }
}

/** Deployments by the order in which they were asked for: their ids are drawn. */
async function endOf(world: World, ids: readonly DeploymentId[]) {
  const nameOf = (id: string): string => `deployment ${ids.indexOf(id as DeploymentId)}`;
  const deployments = await Promise.all(
    ids.map(async (id) => {
      const { status, phase, stage } = await world.statusOf(id);
      const events = await world.eventsOf(`deployment-${id}`);
      // Whoever starts anew may have to become ready again; everything else happens once.
      const again = ['TimeEarned', 'StageInterrupted', 'CanaryStageReached'];
      const told = events.map(({ type }) => type).filter((type) => !again.includes(type));
      const shown = await world.models().get<{ status: string }>('deployments', id, { kind: 'platform' });
      return { status, phase, stage, told, shown: shown?.data.status };
    }),
  );
  const reserved = await world.run(async (has) => (await has.executor.load(quota, acme)).state);
  const running = Object.entries(await world.instancesOf(slot));
  return {
    deployments,
    slot: (await world.eventsOf(`slot-${slot}`)).map(({ type }) => type),
    running: running.map(([id, count]) => [nameOf(id), count]),
    holders: reservationsOf(reserved, slot).map(({ deploymentId }) => nameOf(deploymentId)),
    parked: world.parked,
  };
}

describe(`a platform that is killed when (SEED=${seed})`, function () {
  const count = runs(10, 200);
  this.timeout(count * 5_000);
  const unharmed = { passed: new Map<Step, number>(), ends: new Map<boolean, unknown>() };

  before(async () => {
    for (const sick of [false, true]) {
      const steps = new Map<Step, number>();
      const watched = (step: Step): boolean => {
        steps.set(step, (steps.get(step) ?? 0) + 1);
        return false;
      };
      const { end, faults } = await story(sick, watched);
      expect(faults).to.deep.equal([]);
      unharmed.ends.set(sick, end);
      // Either story passes them at least so often.
      for (const [step, times] of steps)
        unharmed.passed.set(step, Math.min(times, unharmed.passed.get(step) ?? times));
    }
  });

  it('comes to the ends that its stories have', () => {
    const ends = [...unharmed.ends.values()].map(
      (end) => (end as Awaited<ReturnType<typeof endOf>>).deployments,
    );
    expect(ends.map((all) => all.map(({ status, shown }) => [status, shown]))).to.deep.equal([
      ...Array.from({ length: 2 }, () => [
        ['Completed', 'Completed'],
        ['RolledBack', 'RolledBack'],
      ]),
    ]);
  });

  for (const [index, [when, at]] of points.entries())
    it(shows('Time: killed anywhere', `${when} ends as if it had not been, ${count} times`), async () => {
      const random = seededRandom(seed + index);
      const passed = unharmed.passed.get(at) ?? expect.fail(`${at} is no step of the story`);
      for (let run = 0; run < count; run += 1) {
        const [sick, nth] = [run % 2 === 1, random.between(1, passed)];
        let left = nth;
        const { end, faults } = await story(sick, (step) => step === at && (left -= 1) === 0);
        const what = `${at}, time ${nth} of ${passed}, ${sick ? 'sick' : 'well'}`;
        expect(left, what).to.be.at.most(0);
        expect(end, what).to.deep.equal(unharmed.ends.get(sick));
        expect(faults, what).to.deep.equal([]);
      }
    });

  it('and a story that was cut short has another end', async () => {
    expect((await story(false, () => false, 60)).end).not.to.deep.equal(unharmed.ends.get(false));
  });
});
