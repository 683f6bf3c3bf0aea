/** A leader that is stopped for half a minute and goes on ("Nothing is lost"): what it still does changes nothing. */
import { expect } from 'chai';
import { runs } from '../support/runs.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { openSharedWorld, type Worker } from '../support/shared-world.ts';
import type { Moment } from '../support/stoppable-ports.ts';

const seed = Number(process.env['SEED'] ?? Date.now());
const moments: readonly [Moment, ...Moment[]] = [
  'before commit',
  'after commit',
  'before append',
  'after append',
  'before readStream',
  'after readStream',
  'before load',
  'before batch',
  'before renew',
  'after renew',
  'before find',
  'before head',
];

/** @returns what was wrong, and how much of what the leader still wrote was refused */
async function life(number: number, fences?: 'ignored') {
  const random = seededRandom(number);
  const faults: string[] = [];
  const world = await openSharedWorld({ seed: String(number), ...(fences && { fences }) });
  const moment = random.pick(moments);
  let armed = false;
  let left = random.between(1, 8);
  let first: Worker | null = null;
  try {
    const stopped = await world.startWorker((passed, process) => {
      if (!armed || passed !== moment || process.stopped) return;
      left -= 1;
      if (left === 0) process.stop();
    });
    first = stopped;
    const second = await world.startWorker();
    await world.createTenant();
    for (const version of ['1.0.0', '2.0.0']) await world.register('mailer', version);
    const common = { totalInstances: 4, healthCheck: { intervalSeconds: 5 } };
    const before = await world.deploy('mailer', '1.0.0', {
      ...common,
      strategyConfig: { bakeSeconds: '20' },
    });
    await world.pass(60_000);
    if ((await world.statusOf(before)).status !== 'Completed')
      faults.push('the first deployment stands still');

    armed = true;
    const strategyConfig = { stages: '25,100', stageInterval: '30' };
    const id = await world.deploy('mailer', '2.0.0', { ...common, strategy: 'Canary', strategyConfig });
    await world.pass(random.between(1, 60) * 1_000, () => stopped.process.stopped);
    stopped.process.stop();
    await world.pass(15_000);
    await world.register('meanwhile', '1.0.0');
    await world.pass(15_000);
    stopped.goOn();
    await world.pass(5_000);
    const late = [...stopped.appendedLate];
    if (late.length > 0) faults.push(`the one that was stopped still appended ${late.join(', ')}`);
    await world.register('afterwards', '1.0.0');
    await world.pass(120_000);

    const { status } = await world.statusOf(id);
    if (status !== 'Completed') faults.push(`the deployment ends as ${status}`);
    faults.push(...world.overtaken);
    const ids = world.everything.map((event) => event.id);
    if (new Set(ids).size < ids.length) faults.push('an event was recorded twice');
    const head = world.everything.at(-1)?.position;
    if (!head || !(await world.during(world.api.projector.waitFor('all', head, 1_000))))
      faults.push('a read model is behind');
    for (const { name } of second.platform.projections) {
      const [leading] = await Promise.all(
        [stopped, second].map(async ({ platform }) =>
          platform.projector.compare(name).catch((error: unknown) => error),
        ),
      ).then((all) => all.filter((one) => !(one instanceof Error)));
      const compared = leading as Awaited<ReturnType<typeof second.platform.projector.compare>> | undefined;
      if (!compared) faults.push(`nobody leads ${name}`);
      else if (compared.differences.length > 0) faults.push(`${name} is not what the log makes of it`);
    }
    for (const { platform } of [stopped, second])
      faults.push(...platform.processes.parked().map(({ key, error }) => `${key} is parked: ${error}`));
    return { faults: faults.map((fault) => `${number}, ${moment}: ${fault}`), refused: world.refused };
  } finally {
    first?.goOn();
    await world.close();
  }
}

describe(`a leader stopped for 30 s and continued (SEED=${seed})`, function () {
  this.timeout(runs(120_000, 1_800_000));

  it('changes nothing: its checkpoints and documents are refused, its commands are repetitions', async () => {
    const faults: string[] = [];
    let refused = 0;
    for (let run = 0; run < runs(20, 300); run += 1) {
      const lived = await life(seed + run);
      faults.push(...lived.faults);
      refused += lived.refused;
    }
    expect(faults).to.deep.equal([]);
    expect(refused, 'late writes that were refused').to.be.above(0);
  });

  it('is found out where nobody looks at fences', async () => {
    let found = 0;
    for (let run = 0; run < 10 && found === 0; run += 1)
      found += (await life(seed + run, 'ignored')).faults.length;
    expect(found).to.be.above(0);
  });
});
