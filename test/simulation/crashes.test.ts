/** Many short rollouts on one virtual clock, each with its own seed: strategies, scenarios, rollbacks, crashes with downtime. */
import { expect } from 'chai';
import { z } from 'zod';
import { deploymentEvents } from '../../src/domain/deployment/events.ts';
import type { DeploymentId } from '../../src/domain/ids.ts';
import { CommandRefused } from '../../src/core/executor.ts';
import type { RecordedEvent } from '../../src/ports/event-store.ts';
import { seededRandom, type SeededRandom } from '../support/seeded-random.ts';
import { openWorld, type World } from '../support/simulated-platform.ts';
import { stageFaults } from '../support/stage-faults.ts';

const runs = process.env['SLIPWAY_LONG'] === '1' ? 10_000 : 40;
const seed = Number(process.env['SEED'] ?? Date.now());

const slot = 'acme.production.mailer';
const ended = [
  'Completed',
  'RolledBack',
  'RollbackFailed',
  'Failed',
  'Cancelled',
  'Superseded',
  'Undeployed',
];
const scenarios = [
  ...['healthy', 'healthy', 'healthy', 'slow-start:20', 'slow-start:100', 'crash-loop:8'],
  ...['sick-after:10', 'sick-after:40', 'flapping:20', 'silent:15', 'partial:0.5'],
] as const;

describe(`rollouts under crashes (SEED=${seed})`, function () {
  this.timeout(runs * 5_000);

  it(`end as they should, ${runs} times`, async () => {
    const seeds = Array.from({ length: runs }, (_, run) => seed + run).values();
    const worker = async (): Promise<void> => {
      for (const own of seeds)
        await one(own).catch((error: unknown) => {
          throw new Error(`SEED=${own}: ${String(error)}`, { cause: error });
        });
    };
    // Each on a clock of its own: while the files of one are written, others go on.
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
    await live(world, random, ids, crashes);
    if (random.chance(0.8)) {
      ids.push(await world.deploy('mailer', '2.0.0', rollout(random)));
      await live(world, random, ids, crashes);
    }
    const requests = new Map<string, number>();
    for (const id of ids) {
      expect((await world.statusOf(id)).status, id).to.be.oneOf(ended);
      const [requested, ...events] = await world.eventsOf(`deployment-${id}`);
      const { plan, totalInstances } = deploymentEvents.DeploymentRequested.data.parse(requested?.data);
      requests.set(id, totalInstances);
      expect(stageFaults(events, plan.stages, crashes), id).to.deep.equal([]);
    }
    const { faults, current } = flights(await world.eventsOf(`slot-${slot}`));
    expect(faults).to.deep.equal([]);
    const desired = current === null ? {} : { [current]: requests.get(current) };
    expect(await world.instancesOf(slot)).to.deep.equal(desired);
    expect(world.parked).to.deep.equal([]);
  } finally {
    await world.close();
  }
}

function rollout(random: SeededRandom) {
  const healthCheck = { intervalSeconds: random.pick([1, 2, 5]), failureThreshold: random.between(1, 3) };
  const common = {
    totalInstances: random.between(1, 6),
    healthCheck,
    configuration: { simulate: random.pick(scenarios) },
  };
  if (random.chance(0.4))
    return { ...common, strategyConfig: { bakeSeconds: String(random.between(0, 30)) } };
  const stages = random.pick(['100', '50,100', '10,30,50,100', '20,100']);
  const stageInterval = String(random.between(3 * healthCheck.intervalSeconds, 40));
  return {
    ...common,
    strategy: 'Canary',
    strategyConfig: { stages, stageInterval, progressDeadline: '60' },
  };
}

/** Until the last one has ended, with what befalls it on the way. */
async function live(
  world: World,
  random: SeededRandom,
  ids: readonly DeploymentId[],
  crashes: number[],
): Promise<void> {
  const last = ids.at(-1)!;
  const troubles = random.between(0, 4);
  for (let trouble = 0; trouble < troubles; trouble += 1) {
    await world.pass(random.between(0, 400) / 10);
    if (random.chance(0.75)) {
      crashes.push(world.clock.now());
      await world.crash(random.pick([0, 1, 30, 900]));
    } else await world.rollBack(last).catch(expectRefusal);
  }
  for (let waited = 0; waited < 2_000; waited += 20) {
    const { status } = await world.statusOf(last);
    if (ended.includes(status)) break;
    // Where old and new fall silent, or the old is sick as well, a person must choose.
    if (status === 'Paused' && waited >= 400) await world.rollBack(last);
    await world.pass(20);
  }
}

function expectRefusal(error: unknown): void {
  expect(error).to.be.instanceOf(CommandRefused);
}

/** A slot has one flight at a time, and each ends before the next begins. */
function flights(events: readonly Pick<RecordedEvent, 'type' | 'data'>[]): {
  readonly faults: readonly string[];
  readonly current: string | null;
} {
  let current: string | null = null;
  let flying: string | null = null;
  const faults: string[] = [];
  for (const { type, data } of events) {
    const named = (member: string): string => z.string().parse(data[member]);
    if (type === 'SlotClaimed' || type === 'RollbackClaimed') {
      const id = named('deploymentId');
      if (flying !== null) faults.push(`${id} took off while ${flying} was in flight`);
      flying = id;
    } else if (type === 'SlotTurned') {
      if (data['ended'] !== flying) faults.push(`${flying} was in flight, ${named('ended')} ended`);
      [current, flying] = [data['current'] as string | null, null];
    } else faults.push(`nobody asked for ${type}`);
  }
  if (flying !== null) faults.push(`${flying} is still in flight`);
  return { faults, current };
}

describe('what looks at flights', () => {
  const turned = (ended: string) => ({ type: 'SlotTurned', data: { ended, current: ended } });
  const claimed = (deploymentId: string) => ({ type: 'SlotClaimed', data: { deploymentId } });

  it('finds two at once, and one that never ends', () => {
    const good = [claimed('a'), turned('a'), claimed('b'), turned('b')];
    expect(flights(good)).to.deep.equal({ faults: [], current: 'b' });
    expect(flights(good.toSpliced(1, 1)).faults).to.deep.equal(['b took off while a was in flight']);
    expect(flights(good.slice(0, 3)).faults).to.deep.equal(['b is still in flight']);
    expect(flights([claimed('a'), turned('b')]).faults).to.deep.equal(['a was in flight, b ended']);
  });
});
