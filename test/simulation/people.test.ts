/** Many short rollouts on a virtual clock, each with its own seed: people who ask for everything, at any time, and crashes. */
import { expect } from 'chai';
import { abortRollout } from '../../src/commands/abort-rollout.ts';
import { approveStage } from '../../src/commands/approve-stage.ts';
import { freezeRollouts } from '../../src/commands/freeze-rollouts.ts';
import { pauseRollout } from '../../src/commands/pause-rollout.ts';
import { promoteRollout } from '../../src/commands/promote-rollout.ts';
import { resumeRollout } from '../../src/commands/resume-rollout.ts';
import { undeploy } from '../../src/commands/undeploy.ts';
import { CommandRefused } from '../../src/core/executor.ts';
import { deploymentEvents } from '../../src/domain/deployment/events.ts';
import type { DeploymentId } from '../../src/domain/ids.ts';
import { seededRandom, type SeededRandom } from '../support/seeded-random.ts';
import { openWorld, type World } from '../support/simulated-platform.ts';
import { slotFaults } from '../support/slot-faults.ts';
import { stageFaults } from '../support/stage-faults.ts';

const runs = process.env['SLIPWAY_LONG'] === '1' ? 10_000 : 40;
const seed = Number(process.env['SEED'] ?? Date.now());
const ended = [
  ...['Completed', 'RolledBack', 'RollbackFailed', 'Failed', 'Cancelled', 'Superseded', 'Undeployed'],
];
const reason = 'Because';

describe(`rollouts in the hands of people (SEED=${seed})`, function () {
  this.timeout(runs * 10_000);

  it(`end, one at a time, no stage early, ${runs} times`, async () => {
    const seeds = Array.from({ length: runs }, (_, run) => seed + run).values();
    const worker = async (): Promise<void> => {
      for (const own of seeds)
        await one(own).catch((error: unknown) => {
          throw new Error(`SEED=${own}: ${String(error)}`, { cause: error });
        });
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
  });
});

async function one(ownSeed: number): Promise<void> {
  const random = seededRandom(ownSeed);
  const world = await openWorld({ seed: String(ownSeed) });
  try {
    await world.register('mailer', '1.0.0');
    await world.register('mailer', '2.0.0');
    const crashes: number[] = [];
    const ids = [await world.deploy('mailer', '1.0.0', rollout(random))];
    for (let turn = random.between(5, 20); turn > 0; turn -= 1) {
      await world.pass(random.between(0, 200) / 10);
      if (random.chance(0.1)) {
        crashes.push(world.clock.now());
        await world.crash(random.pick([0, 1, 30]));
      } else await act(world, random, ids);
    }
    await comeToRest(world, ids);
    const totals = new Map<string, number>();
    for (const id of ids) {
      const [requested, ...events] = await world.eventsOf(`deployment-${id}`);
      const { plan, totalInstances } = deploymentEvents.DeploymentRequested.data.parse(requested?.data);
      totals.set(id, totalInstances);
      if (!events.some(({ type }) => type === 'PromotionRequested'))
        expect(stageFaults(events, plan.stages, crashes), id).to.deep.equal([]);
    }
    const { faults, current } = slotFaults(await world.eventsOf('slot-acme.production.mailer'));
    expect(faults).to.deep.equal([]);
    const desired = current === null ? {} : { [current]: totals.get(current) };
    expect(await world.instancesOf('acme.production.mailer')).to.deep.equal(desired);
    expect(world.parked).to.deep.equal([]);
  } finally {
    await world.close();
  }
}

function rollout(random: SeededRandom) {
  const healthCheck = { intervalSeconds: random.pick([1, 2, 5]), failureThreshold: random.between(1, 3) };
  const stages = random.pick(['100', '50,100', '20,60,100']);
  const strategyConfig = {
    ...{ stages, stageInterval: String(random.between(15, 30)), progressDeadline: '60' },
    ...(random.chance(0.3) ? { approval: '100' } : {}),
    onFailure: random.pick(['rollback', 'rollback', 'pause']),
  };
  return {
    ...{ strategy: 'Canary', strategyConfig, healthCheck, totalInstances: random.between(1, 5) },
    configuration: { simulate: random.pick(['healthy', 'healthy', 'healthy', 'sick-after:20', 'silent:15']) },
  };
}

async function act(world: World, random: SeededRandom, ids: DeploymentId[]): Promise<void> {
  const deploymentId = random.chance(0.8) ? ids.at(-1)! : random.pick([ids[0]!, ...ids]);
  const asked = { deploymentId, reason, within: null };
  const command = random.pick([pauseRollout, resumeRollout, promoteRollout, abortRollout, approveStage]);
  const choice = random.between(0, 11);
  const acted = async (): Promise<unknown> => {
    if (choice < 6) return world.run((has, by) => command(has, by, asked));
    if (choice === 6)
      return world.run((has, by) => undeploy(has, by, { ...asked, force: random.chance(0.5) }));
    if (choice === 7) return world.rollBack(deploymentId);
    if (choice === 8)
      return world.run((has, by) => freezeRollouts(has, by, { frozen: random.chance(0.4), reason }));
    const supersede = random.chance(0.6);
    const version = random.pick(['1.0.0', '2.0.0']);
    return ids.push(await world.deploy('mailer', version, { ...rollout(random), supersede, force: true }));
  };
  await acted().catch((error: unknown) => expect(error).to.be.instanceOf(CommandRefused));
}

/** Nothing is asked any more, but what waits for a person gets one. */
async function comeToRest(world: World, ids: readonly DeploymentId[]): Promise<void> {
  await world.run((has, by) => freezeRollouts(has, by, { frozen: false, reason }));
  for (let waited = 0; waited < 3_000; waited += 20) {
    const states = await Promise.all(ids.map(async (id) => ({ id, ...(await world.statusOf(id)) })));
    const open = states.filter(({ status }) => !ended.includes(status));
    if (open.length === 0) return;
    for (const { id: deploymentId, status, phase } of open) {
      const asked = { deploymentId, reason, within: null };
      const refused = (error: unknown) => expect(error).to.be.instanceOf(CommandRefused);
      if (phase === 'Approval') await world.run((has, by) => approveStage(has, by, asked)).catch(refused);
      if (status === 'Paused' && waited >= 100)
        await world.run((has, by) => abortRollout(has, by, asked)).catch(refused);
    }
    await world.pass(20);
  }
  expect.fail('not every rollout ended');
}

describe('what looks at slots', () => {
  const claimed = (deploymentId: string) => ({ type: 'SlotClaimed', data: { deploymentId } });
  const waits = (deploymentId: string) => ({ type: 'SuccessorClaimed', data: { deploymentId } });
  const turned = (ended: string, current: string | null = ended) => ({
    type: 'SlotTurned',
    data: { ended, current },
  });

  it('finds two at once, one that never ends, and one that ends without having begun', () => {
    const good = [claimed('a'), waits('b'), turned('a', null), turned('b')];
    expect(slotFaults(good)).to.deep.equal({ faults: [], current: 'b' });
    expect(slotFaults([claimed('a'), claimed('b'), turned('b')]).faults).to.have.length(1);
    expect(slotFaults(good.slice(0, 3)).faults).to.deep.equal(['b is still in flight']);
    expect(slotFaults([turned('a')]).faults).to.deep.equal(['nobody was in flight, a ended']);
  });
});
