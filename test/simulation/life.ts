/** Rollouts in one slot over virtual days: people who ask for everything at any time, instances of every kind, kills at any step. */
import { abortRollout } from '../../src/commands/abort-rollout.ts';
import { approveStage } from '../../src/commands/approve-stage.ts';
import { freezeRollouts } from '../../src/commands/freeze-rollouts.ts';
import { pauseRollout } from '../../src/commands/pause-rollout.ts';
import { promoteRollout } from '../../src/commands/promote-rollout.ts';
import { resumeRollout } from '../../src/commands/resume-rollout.ts';
import { undeploy } from '../../src/commands/undeploy.ts';
import { CommandRefused } from '../../src/core/executor.ts';
import type { DeployInput } from '../../src/commands/check-deployment.ts';
import type { DeploymentId, SlotKey } from '../../src/domain/ids.ts';
import { quota, reservationsOf } from '../../src/domain/quota.ts';
import type { RecordedEvent } from '../../src/ports/event-store.ts';
import { chaoticAgent } from '../support/chaotic-agent.ts';
import { rolloutFaults } from '../support/rollout-faults.ts';
import type { Down } from '../support/stage-faults.ts';
import { seededRandom, type SeededRandom } from '../support/seeded-random.ts';
import { acme, openWorld, type World } from '../support/simulated-platform.ts';

export const slot = 'acme.production.mailer' as SlotKey;
const reason = 'Because';
const ended = [
  ...['Completed', 'RolledBack', 'RollbackFailed', 'Failed', 'Cancelled', 'Superseded', 'Undeployed'],
];

export interface Life {
  readonly events: readonly RecordedEvent[];
  readonly downs: readonly Down[];
  /** A sentence each. */
  readonly faults: readonly string[];
}

interface Scene {
  readonly world: World;
  readonly random: SeededRandom;
  /** Seconds between two probes: what a scene lasts follows from it, so that days cost no more than minutes. */
  readonly unit: number;
  readonly agent: ReturnType<typeof chaoticAgent> | null;
  readonly ids: DeploymentId[];
}

/** @param seed of everything that happens @param runtime whose instances they are */
export async function live(seed: number, runtime: 'simulated' | 'agent'): Promise<Life> {
  const random = seededRandom(seed);
  const unit = random.pick([2, 10, 60, 600, 3600]);
  const kills = killer(seededRandom(seed ^ 0x5f3759df));
  const world = await openWorld({ seed: String(seed), runtime, pollMs: unit * 1000, dies: kills.dies });
  try {
    await world.register('mailer', '1.0.0');
    await world.register('mailer', '2.0.0');
    const agent = runtime === 'agent' ? chaoticAgent(world, random, slot) : null;
    const scene: Scene = { world, random, unit, agent, ids: [] };
    scene.ids.push(await world.deploy('mailer', '1.0.0', rollout(scene)));
    for (let turn = random.between(3, 12); turn > 0; turn -= 1) {
      await pass(scene, random.chance(0.08) ? 40 : random.between(0, 12));
      if (random.chance(0.12)) await world.crash(random.pick([0, 1, 3 * unit, 90 * unit]));
      else if (random.chance(0.75)) await act(scene);
    }
    kills.cease();
    const restless = await comeToRest(scene);
    const { faults, current } = rolloutFaults(world.everything, world.downs);
    const wanted = current ? { [current.deploymentId]: current.totalInstances } : {};
    const running = agent ? agent.counts() : await world.instancesOf(slot);
    const reserved = await world.run(async (has) => (await has.executor.load(quota, acme)).state);
    const holders = reservationsOf(reserved, slot).map(({ deploymentId }) => deploymentId);
    return {
      events: world.everything,
      downs: world.downs,
      faults: [
        ...restless,
        ...faults,
        ...same('what runs', running, wanted),
        ...same('who holds quota', holders, Object.keys(wanted)),
        ...same('what is parked', world.parked, []),
      ],
    };
  } finally {
    await world.close();
  }
}

function same(what: string, is: unknown, wanted: unknown): readonly string[] {
  const [found, asked] = [JSON.stringify(is), JSON.stringify(wanted)];
  return found === asked ? [] : [`${what} is ${found}, not ${asked}`];
}

/** Up to three deaths, each at some step of the platform, whichever that is. */
function killer(random: SeededRandom) {
  let left = random.between(0, 3);
  let steps = random.between(1, 400);
  return {
    dies: (): boolean => {
      if (left === 0 || (steps -= 1) > 0) return false;
      left -= 1;
      // The next one may be in the middle of the start.
      steps = random.pick([random.between(1, 20), random.between(1, 400)]);
      return true;
    },
    cease: (): void => {
      left = 0;
    },
  };
}

async function pass({ world, unit, agent }: Scene, units: number): Promise<void> {
  if (!agent) return world.pass(units * unit);
  for (let passed = 0; passed < units; passed += 1) {
    await world.pass(unit);
    await agent.tick();
  }
}

function rollout({ random, unit, agent }: Scene): Partial<DeployInput> {
  const healthCheck = { intervalSeconds: unit, failureThreshold: random.between(1, 3) };
  const units = (count: number): string => String(count * unit);
  const fate = random.pick([
    ...(['healthy', 'healthy', 'healthy', 'slow-start:20', 'slow-start:100', 'partial:0.5'] as const),
    ...([`crash-loop:${units(8)}`, `sick-after:${units(random.between(3, 20))}`] as const),
    ...([`flapping:${units(6)}`, `silent:${units(random.between(3, 20))}`] as const),
  ]);
  const common = {
    totalInstances: random.between(1, 6),
    healthCheck,
    ...(agent ? {} : { configuration: { simulate: fate } }),
  };
  if (random.chance(0.25)) return { ...common, strategyConfig: { bakeSeconds: units(random.between(0, 8)) } };
  const strategyConfig = {
    stages: random.pick(['100', '50,100', '20,60,100', '10,30,50,100']),
    stageInterval: units(random.between(3, 8)),
    progressDeadline: agent ? String(Math.max(60, 20 * unit)) : '60',
    ...(random.chance(0.25) ? { approval: '100' } : {}),
    onFailure: random.pick(['rollback', 'rollback', 'rollback', 'pause']),
  };
  return { ...common, strategy: 'Canary', strategyConfig };
}

async function act(scene: Scene): Promise<void> {
  const { world, random, ids } = scene;
  const deploymentId = random.chance(0.8) ? ids.at(-1)! : random.pick([ids[0]!, ...ids]);
  const asked = { deploymentId, reason, within: null };
  const command = random.pick([pauseRollout, resumeRollout, promoteRollout, abortRollout, approveStage]);
  const choice = random.between(0, 11);
  const acted = async (): Promise<unknown> => {
    if (choice < 4) return world.run((has, by) => command(has, by, asked));
    if (choice === 4)
      return world.run((has, by) => undeploy(has, by, { ...asked, force: random.chance(0.5) }));
    if (choice < 7) return world.rollBack(deploymentId);
    if (choice === 7) {
      const frozen = random.chance(0.4);
      return world.run((has, by) => freezeRollouts(has, by, { frozen, reason }));
    }
    const supersede = random.chance(0.6);
    const version = random.pick(['1.0.0', '2.0.0']);
    const force = random.chance(0.8);
    return ids.push(await world.deploy('mailer', version, { ...rollout(scene), supersede, force }));
  };
  await acted().catch(expectRefusal);
}

/** Nothing is asked any more, but what waits for a person gets one. @returns a sentence when that is not enough */
async function comeToRest(scene: Scene): Promise<readonly string[]> {
  const { world, ids, unit, agent } = scene;
  agent?.repent();
  await world.run((has, by) => freezeRollouts(has, by, { frozen: false, reason }));
  const step = 5;
  const most = 300 + Math.ceil(3_000 / unit);
  for (let waited = 0; waited < most; waited += step) {
    const states = await Promise.all(ids.map(async (id) => ({ id, ...(await world.statusOf(id)) })));
    const open = states.filter(({ status }) => !ended.includes(status));
    if (open.length === 0) {
      // Until the last of the instances have been stopped.
      await pass(scene, 1);
      return [];
    }
    for (const { id: deploymentId, status, phase } of open) {
      const asked = { deploymentId, reason, within: null };
      const choose = (command: typeof approveStage) =>
        world.run((has, by) => command(has, by, asked)).catch(expectRefusal);
      if (phase === 'Approval') await choose(approveStage);
      if (status === 'Paused' && waited >= 30) await choose(abortRollout);
    }
    await pass(scene, step);
  }
  return ['not every rollout came to its end'];
}

function expectRefusal(error: unknown): void {
  if (!(error instanceof CommandRefused)) throw error;
}
