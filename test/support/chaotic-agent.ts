/** An agent that runs instances and tells of them, and lies, repeats, reorders, forgets and falls silent on the way. */
import { reportHealth, type AgentReports } from '../../src/commands/report-health.ts';
import { CommandRefused } from '../../src/core/executor.ts';
import { standingOf } from '../../src/core/slot-standing.ts';
import type { Report } from '../../src/domain/deployment/evidence.ts';
import type { DeploymentId, SlotKey } from '../../src/domain/ids.ts';
import { Environment } from '../../src/domain/ids.ts';
import type { SeededRandom } from './seeded-random.ts';
import { acme, type World } from './simulated-platform.ts';

interface Instance {
  readonly id: string;
  readonly replaces: string | null;
  readonly bornAt: number;
  sequence: number;
}

/** What becomes of the instances of a deployment, in ticks of their age. */
interface Fate {
  readonly kind: 'well' | 'sick' | 'dies' | 'vanishes' | 'never';
  readonly after: number;
}

type Batch = Omit<AgentReports, 'place'>;

const place = { tenant: acme, environment: Environment.parse('Production') };

export function chaoticAgent(world: World, random: SeededRandom, slot: SlotKey) {
  const fates = new Map<DeploymentId, Fate>();
  let running = new Map<DeploymentId, Instance[]>();
  let sent: Batch[] = [];
  let held: Batch[] = [];
  let silentFor = 0;
  let births = 0;
  let now = 0;
  let honest = false;

  function bear(replaces: string | null): Instance {
    return { id: `node.${(births += 1)}`, replaces, bornAt: now, sequence: 0 };
  }

  function fateOf(id: DeploymentId): Fate {
    const kind = random.pick(['well', 'well', 'well', 'well', 'sick', 'dies', 'vanishes', 'never'] as const);
    const fate = fates.get(id) ?? { kind, after: random.between(2, 25) };
    fates.set(id, fate);
    return fate;
  }

  function report(id: DeploymentId, instance: Instance): Report {
    const { kind, after } = fateOf(id);
    const sick = kind === 'never' || (kind === 'sick' && now - instance.bornAt > after);
    const sequence = instance.sequence++;
    const outcome = !honest && random.chance(0.03) ? 'error' : sick ? 'fail' : 'pass';
    return { instance: instance.id, sequence, outcome, latencyMs: 5, replaces: instance.replaces };
  }

  /** The dead are replaced, with a word on whom the new one stands in for, or without. */
  function alive(id: DeploymentId, instance: Instance): Instance {
    const { kind, after } = fateOf(id);
    const dead = (kind === 'dies' || kind === 'vanishes') && now - instance.bornAt > after;
    return dead ? bear(kind === 'dies' ? instance.id : null) : instance;
  }

  /** What an agent never should say. */
  function lies({ deploymentId, epoch, reports }: Batch): readonly Batch[] {
    const [first] = reports;
    if (!first || honest || !random.chance(0.15)) return [];
    const invented = { ...first, instance: `ghost.${random.between(1, 3)}`, outcome: 'pass' as const };
    const other = random.pick([...running.keys(), deploymentId] as [DeploymentId]);
    return [
      random.pick<Batch>([
        { deploymentId, epoch: epoch + random.pick([-1, 1, 1_000]), reports },
        { deploymentId, epoch, reports: [{ ...first, sequence: first.sequence + 1_000, outcome: 'pass' }] },
        { deploymentId, epoch: 0, reports: [invented] },
        { deploymentId: other, epoch, reports },
        { deploymentId: `${deploymentId}x` as DeploymentId, epoch, reports },
      ]),
    ];
  }

  async function send(batch: Batch): Promise<void> {
    await world
      .run((has, by) => reportHealth(has.executor, by, { ...batch, place }))
      .catch((error: unknown) => {
        if (!(error instanceof CommandRefused)) throw error;
      });
  }

  function disorder(batches: readonly Batch[]): readonly Batch[] {
    if (honest) return batches;
    const all = [
      ...held,
      ...batches,
      ...(sent.length > 0 && random.chance(0.2) ? [random.pick(sent as [Batch])] : []),
    ];
    held = all.filter(() => random.chance(0.1));
    const now = all.filter((batch) => !held.includes(batch));
    return random.chance(0.2) ? now.reverse() : now;
  }

  return {
    /** One interval has passed: does as it should, but for what it does otherwise. */
    async tick(): Promise<void> {
      now += 1;
      if (!honest && silentFor === 0 && random.chance(0.02)) silentFor = random.between(1, 15);
      if (silentFor > 0) {
        silentFor -= 1;
        return;
      }
      const restarted = !honest && random.chance(0.01);
      const { epoch, desired } = await world.run((has) => standingOf(has.executor, slot));
      running = new Map(
        desired.map(({ deploymentId, instances }) => {
          const before = restarted ? [] : (running.get(deploymentId) ?? []);
          const kept = before.slice(0, instances).map((one) => alive(deploymentId, one));
          while (kept.length < instances) kept.push(bear(null));
          return [deploymentId, kept];
        }),
      );
      const batches = [...running].map(([deploymentId, instances]): Batch => {
        return { deploymentId, epoch, reports: instances.map((one) => report(deploymentId, one)) };
      });
      for (const batch of disorder(batches.flatMap((batch) => [batch, ...lies(batch)]))) await send(batch);
      sent = batches;
    },
    /** From now on it only does as it should. */
    repent(): void {
      honest = true;
      silentFor = 0;
      held = [];
    },
    counts(): Record<string, number> {
      return Object.fromEntries([...running].map(([id, { length }]) => [id, length]));
    },
  };
}
