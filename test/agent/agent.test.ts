/** What `slipway agent` does when the platform says this or that, or nothing. */
import { expect } from 'chai';
import { type Agent, startAgent } from '../../src/agent/agent.ts';
import { scenarioOf } from '../../src/agent/command.ts';
import { type Assignments, type HealthReport, NotAnswered, type Platform } from '../../src/agent/protocol.ts';
import { rejection } from '../support/rejection.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

type Slot = Assignments['assignments'][number];

const slotOf = (epoch: number, instances: number, more: Partial<Slot> = {}): Slot => ({
  slot: 'acme.production.mailer',
  epoch,
  deployments: [
    {
      ...{ deploymentId: 'dep-a', pluginId: 'mailer', version: '1.0.0', instances },
      healthCheck: { intervalSeconds: 30 },
    },
  ],
  ...more,
});

describe('the agent', () => {
  let agent: Agent;
  afterEach(() => agent.stop());

  /** An agent of a platform that a test speaks for. */
  function given(simulate = 'healthy') {
    const clock = createVirtualClock();
    const said: string[] = [];
    const asked: { readonly at: number; readonly after: string | null }[] = [];
    const told: { readonly at: number; readonly epoch: number; readonly reports: readonly HealthReport[] }[] =
      [];
    const platform = {
      assignments: [] as Slot[],
      cursor: 'first',
      wake: (): void => undefined,
      /** Thrown instead of an answer. */
      trouble: null as NotAnswered | null,
      /** Answers at once though there is no news. */
      hasty: false,
      /** As `trouble`, of reports. */
      deaf: null as NotAnswered | null,
      nextSequences: {} as Record<string, number>,
      say(cursor: string, ...assignments: Slot[]): void {
        Object.assign(platform, { cursor, assignments });
        platform.wake();
      },
    };
    const protocol: Platform = {
      assignments: async (after, waitSeconds, signal) => {
        asked.push({ at: clock.monotonic() / 1000, after });
        if (platform.trouble) throw platform.trouble;
        if (after === platform.cursor && !platform.hasty)
          await new Promise<void>((resolve, reject) => {
            const cancel = clock.after(waitSeconds * 1000, resolve);
            const end = (by: () => void) => () => {
              cancel();
              by();
            };
            platform.wake = end(resolve);
            signal.addEventListener(
              'abort',
              end(() => reject(new NotAnswered(0, 'gone'))),
            );
          });
        return { cursor: platform.cursor, assignments: platform.assignments };
      },
      report: async (_id, { epoch, reports }) => {
        told.push({ at: clock.monotonic() / 1000, epoch, reports });
        if (platform.deaf) throw platform.deaf;
        const { nextSequences } = platform;
        platform.nextSequences = {};
        const counts = { epoch, assigned: true, accepted: reports.length, duplicates: 0, stale: 0 };
        return { ...counts, refused: [], nextSequences };
      },
    };
    let ids = 0;
    const start = async (): Promise<void> => {
      agent = startAgent({
        ...{ platform: protocol, clock, random: () => 0.5, newId: () => `i-${(ids += 1)}` },
        scenarioOf: scenarioOf({
          simulate: [{ plugin: null, version: null, scenario: scenarios(simulate) }],
        }),
        say: (line) => said.push(line),
      });
      agent.begun.catch(() => undefined);
      await pass(0);
    };
    const settle = async (): Promise<void> => {
      for (let turn = 0; turn < 20; turn += 1) await new Promise((done) => setImmediate(done));
    };
    const pass = (seconds: number): Promise<void> => clock.advance(seconds * 1000, settle);
    return { clock, said, asked, told, platform, start, pass };
  }
  const scenarios = (kind: string) =>
    ({ kind: kind.split(':')[0], amount: Number(kind.split(':')[1] ?? 0) }) as ReturnType<
      ReturnType<typeof scenarioOf>
    > &
      object;

  it('asks once without a cursor, then waits with the one it has, and does what it is told', async () => {
    const { asked, platform, start, pass, told } = given();
    platform.assignments = [slotOf(1, 2)];
    await start();
    expect([agent.count('dep-a'), agent.cursor]).to.deep.equal([2, 'first']);
    await pass(31);
    expect(asked.map(({ after }) => after)).to.deep.equal([null, 'first', 'first']);
    platform.say('second', slotOf(2, 3));
    await pass(0);
    expect(agent.count('dep-a')).to.equal(3);
    platform.say('third');
    await pass(0);
    expect(agent.count('dep-a')).to.equal(0);
    const before = told.length;
    await pass(60);
    expect(told.length, 'reports of what runs no more').to.equal(before);
  });

  it('reports at once, until the first pass every ten seconds, then at the interval, and at once under a new epoch', async () => {
    const { platform, start, pass, told } = given('slow-start:15');
    platform.assignments = [slotOf(1, 1)];
    await start();
    await pass(60);
    expect(told.map(({ at }) => at)).to.deep.equal([0, 10, 20, 50]);
    expect(told.map(({ reports }) => reports[0]?.outcome)).to.deep.equal(['fail', 'fail', 'pass', 'pass']);
    platform.say('second', slotOf(2, 1));
    await pass(0);
    expect(told.at(-1)).to.deep.include({ at: 60, epoch: 2 });
    expect(told.map(({ reports }) => reports[0]?.sequence)).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('names whom a crashed instance’s successor stands in for, in every report', async () => {
    const { platform, start, pass, told } = given('crash-loop:15');
    platform.assignments = [slotOf(1, 1)];
    await start();
    await pass(40);
    const seen = told.map(({ reports }) => [reports[0]?.instance, reports[0]?.replaces]);
    expect(seen.slice(0, 3)).to.deep.equal([
      ['i-1', null],
      ['i-1', null],
      ['i-2', 'i-1'],
    ]);
    expect(seen.at(-1)?.[1]).not.to.equal(null);
  });

  it('keeps its instances while the platform is away, and asks ever less often, up to half a minute', async () => {
    const { platform, start, pass, asked, said } = given();
    platform.assignments = [slotOf(1, 2)];
    await start();
    platform.trouble = new NotAnswered(0, 'it cannot be reached');
    platform.wake();
    await pass(200);
    const times = asked.slice(2).map(({ at }) => at);
    expect(times.slice(1).map((at, index) => at - (times[index] ?? 0))).to.deep.equal([
      ...[0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30, 30].slice(0, times.length - 1),
    ]);
    expect(agent.count('dep-a')).to.equal(2);
    platform.trouble = null;
    await pass(31);
    expect(said.at(-1)).to.equal('The platform answers again');
  });

  it('waits as long as it is told to', async () => {
    const { platform, start, pass, asked } = given();
    platform.trouble = new NotAnswered(429, '429: too often', 17_000);
    await start();
    await pass(16.9);
    expect(asked).to.have.length(1);
    await pass(0.1);
    expect(asked).to.have.length(2);
  });

  it('does not ask in a hurry though answers come at once without news', async () => {
    const { platform, start, pass, asked } = given();
    platform.hasty = true;
    await start();
    await pass(10);
    expect(asked.length).to.be.within(9, 13);
  });

  it('lets an older epoch change nothing, and says so', async () => {
    const { platform, start, pass, said, told } = given();
    platform.assignments = [slotOf(5, 2)];
    await start();
    platform.say('second', slotOf(4, 7));
    await pass(0);
    expect(agent.count('dep-a')).to.equal(2);
    expect(said.join('\n')).to.match(/epoch 4 is older than 5/);
    await pass(60);
    expect(told.at(-1)?.epoch).to.equal(5);
  });

  it('sends a batch again as it was when no answer came, a few times', async () => {
    const { platform, start, pass, told, said } = given();
    platform.assignments = [slotOf(1, 1)];
    platform.deaf = new NotAnswered(503, '503: later');
    await start();
    await pass(7);
    expect(told.map(({ reports }) => reports[0]?.sequence)).to.deep.equal([0, 0, 0, 0]);
    expect(said.join('\n')).to.match(/a report was not taken \(503: later\)/);
    platform.deaf = null;
    await pass(10);
    expect(told.at(-1)?.reports[0]?.sequence).to.equal(1);
  });

  it('does not repeat what would be refused again', async () => {
    const { platform, start, pass, told } = given();
    platform.assignments = [slotOf(1, 1)];
    platform.deaf = new NotAnswered(404, '404: there is no such deployment');
    await start();
    await pass(9);
    expect(told).to.have.length(1);
  });

  it('goes on with the number that it is told, at once', async () => {
    const { platform, start, pass, told } = given();
    platform.assignments = [slotOf(1, 1)];
    platform.nextSequences = { 'i-1': 90 };
    await start();
    await pass(1);
    expect(told.map(({ reports }) => reports[0]?.sequence)).to.deep.equal([0, 90]);
  });

  it('says nothing of an instance that says nothing, and reports many in several calls', async () => {
    const { platform, start, pass, told } = given('silent:5');
    platform.assignments = [slotOf(1, 1_200)];
    await start();
    expect(told.map(({ reports }) => reports.length)).to.deep.equal([500, 500, 200]);
    await pass(60);
    expect(told).to.have.length(3);
  });

  it('tells whoever started it that its key is refused', async () => {
    const { platform, start } = given();
    platform.trouble = new NotAnswered(401, '401: The API key is not valid');
    await start();
    expect(await rejection(agent.begun)).to.be.instanceOf(NotAnswered);
  });
});
