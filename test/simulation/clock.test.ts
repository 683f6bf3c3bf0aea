/** The wall clock steps and stands still; rollouts go by the monotonic one. */
import { expect } from 'chai';
import { runs } from '../support/runs.ts';
import { seededRandom, type SeededRandom } from '../support/seeded-random.ts';
import { openWorld, type World } from '../support/simulated-platform.ts';
import { shows } from '../support/rollout-rows.ts';

const hour = 3_600_000;
const seed = Number(process.env['SEED'] ?? Date.now());
const steps = 120;
const unit = 10;

type Change = (world: World) => void;

const changes = {
  'an hour on': ({ clock }) => clock.jump(clock.now() + hour),
  'an hour back': ({ clock }) => clock.jump(clock.now() - hour),
  '30 days on': ({ clock }) => clock.jump(clock.now() + 30 * 24 * hour),
  'stands still': ({ clock }) => clock.freeze(),
  'goes on': ({ clock }) => clock.jump(clock.now()),
} as const satisfies Record<string, Change>;

interface Plan {
  readonly simulate: string;
  /** By step. */
  readonly clock: ReadonlyMap<number, keyof typeof changes>;
  readonly killed: ReadonlySet<number>;
}

function planned(random: SeededRandom): Plan {
  const names = Object.keys(changes) as [keyof typeof changes];
  const some = Array.from({ length: random.between(1, 8) }, (): [number, keyof typeof changes] => [
    random.between(0, steps - 1),
    random.pick(names),
  ]);
  const killed = random.chance(0.4) ? [random.between(0, steps - 1)] : [];
  const simulate = random.pick([
    'healthy',
    'healthy',
    'sick-after:250',
    'silent:250',
    'crash-loop:90',
  ] as const);
  return { simulate, clock: new Map(some), killed: new Set(killed) };
}

/** How a rollout is after every ten seconds that really passed. */
async function trace({ simulate, clock, killed }: Plan): Promise<readonly string[]> {
  const world = await openWorld({ seed: 'clock', pollMs: 5_000 });
  try {
    for (const version of ['1.0.0', '2.0.0']) await world.register('mailer', version);
    const common = { totalInstances: 3, healthCheck: { intervalSeconds: unit } };
    await world.deploy('mailer', '1.0.0', { ...common, strategyConfig: { bakeSeconds: '30' } });
    await world.pass(100);
    const strategyConfig = { stages: '30,60,100', stageInterval: '120' };
    const canary = { ...common, strategy: 'Canary', strategyConfig, configuration: { simulate } };
    const id = await world.deploy('mailer', '2.0.0', canary);
    const seen: string[] = [];
    for (let step = 0; step < steps; step += 1) {
      const change = clock.get(step);
      if (change) changes[change](world);
      if (killed.has(step)) await world.crash(30);
      await world.pass(unit);
      const { phase, stage } = await world.statusOf(id);
      seen.push(`${phase} ${stage}`);
    }
    expect(world.parked).to.deep.equal([]);
    return seen;
  } finally {
    await world.close();
  }
}

describe(`rollouts under clocks that step (SEED=${seed})`, function () {
  const count = runs(20, 400);
  this.timeout(count * 10_000);

  it(shows('Time: the clock steps', `begin no stage early and lose no timer, ${count} times`), async () => {
    for (let run = 0; run < count; run += 1) {
      const plan = planned(seededRandom(seed + run));
      const what = `SEED=${seed + run}: ${plan.simulate}, ${[...plan.clock].join(' ')}, killed ${[...plan.killed].join()}`;
      const steady = await trace({ ...plan, clock: new Map() });
      expect(await trace(plan), what).to.deep.equal(steady);
      expect(steady.at(-1), what).to.match(/^(Completed|RolledBack|Failed) /);
    }
  });

  it('are seen to differ by ten seconds', async () => {
    const plan = { simulate: 'healthy', clock: new Map(), killed: new Set<number>() };
    const steady = await trace(plan);
    const changed = steady.findIndex((seen, step) => step > 0 && seen !== steady[step - 1]);
    expect(await trace({ ...plan, killed: new Set([changed]) })).not.to.deep.equal(steady);
  });
});
