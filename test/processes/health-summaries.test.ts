/** Reports become summaries, each once: over crashes, silence and the ends of deployments. */
import { expect } from 'chai';
import { createExecutor } from '../../src/core/command-executor.ts';
import { processContext } from '../../src/core/context.ts';
import type { Cause } from '../../src/core/process-runner.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import { healthEvents } from '../../src/domain/health.ts';
import { type HealthRecord, noRecord, recorded, slotMs } from '../../src/domain/health/record.ts';
import { healthSummaryEvents, type HealthSummarised } from '../../src/domain/health/summary.ts';
import { DeploymentId, TenantId } from '../../src/domain/ids.ts';
import { allEvents } from '../../src/events.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { healthSummaries } from '../../src/processes/health-summaries.ts';
import { getHealthHistory } from '../../src/projections/deployment-health-views.ts';
import { failure } from '../support/failure.ts';
import { openMemoryEventStore } from '../support/memory-event-store.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { openWorld, type World } from '../support/simulated-platform.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { logFaults, readWholeLog } from '../support/whole-log.ts';

const day = 86_400;

describe('summaries of health', function () {
  this.timeout(60_000);
  let world: World;
  afterEach(() => world.close());

  async function open(simulate = 'healthy', pollMs = 60_000) {
    world = await openWorld({ seed: 'summaries', simulate, pollMs });
    await world.register('mailer', '1.0.0');
  }
  const deploy = (more: object = {}) =>
    world.deploy('mailer', '1.0.0', {
      ...{ totalInstances: 2, strategyConfig: { bakeSeconds: '30' } },
      ...{ healthCheck: { intervalSeconds: 30 }, ...more },
    });
  const summariesOf = async (id: DeploymentId): Promise<readonly HealthSummarised[]> =>
    (await world.eventsOf(`healthsummary-${id}`)).map(({ data }) =>
      healthSummaryEvents.HealthSummarised.data.parse(data),
    );
  /** Revisions and probes that passed or failed, of the reports up to a revision. Instances of these tests pass before they fail. */
  async function reported(id: DeploymentId, through: number) {
    const events = await world.eventsOf(`health-${id}`);
    const batches = events
      .filter(({ revision }) => revision <= through)
      .map(({ data }) => healthEvents.InstanceHealthObserved.data.parse(data).reports);
    const passed = new Set<string>();
    let probes = 0;
    for (const { instance, outcome } of batches.flat()) {
      if (outcome === 'pass') passed.add(instance);
      if (outcome !== 'error' && passed.has(instance)) probes += 1;
    }
    return probes;
  }
  /** @returns faults: gaps and overlaps of what they count, slots that are there twice, probes that they lack or have twice */
  async function faultsOf(id: DeploymentId): Promise<readonly string[]> {
    const summaries = await summariesOf(id);
    const last = summaries.at(-1)?.through ?? -1;
    const probes = summaries.reduce((sum, { measured }) => sum + (measured.failed?.count ?? 0), 0);
    const expected = await reported(id, last);
    const slots = summaries.map(({ from }) => from);
    return [
      ...summaries.flatMap(({ after }, index) =>
        after === (summaries[index - 1]?.through ?? -1) ? [] : [`summary ${index} begins behind ${after}`],
      ),
      ...(new Set(slots).size === slots.length ? [] : [`the slots are ${slots.join()}`]),
      ...(probes === expected ? [] : [`${probes} probes of ${expected}`]),
    ];
  }

  it('are made of every five minutes, and of nothing else', async () => {
    await open();
    const id = await deploy();
    await world.pass(3600 + 120);
    const summaries = await summariesOf(id);
    expect(summaries).to.have.length(12);
    expect(await faultsOf(id)).to.deep.equal([]);
    for (const { from, until, healthyInstances, measured } of summaries.slice(1)) {
      expect(Date.parse(until) - Date.parse(from)).to.equal(slotMs);
      expect([healthyInstances, measured.failed]).to.deep.equal([2, { count: 20, sum: 0 }]);
    }
    expect((await world.eventsOf(`healthsummary-${id}`)).at(-1)?.metadata).to.include({
      ...{ tenant: 'acme', schema: 1 },
    });
    expect(world.parked).to.deep.equal([]);
  });

  it('end with a last one where a deployment falls silent, and its silence is shown', async () => {
    await open('silent:630');
    const id = await deploy();
    await world.pass(day);
    const summaries = await summariesOf(id);
    expect(summaries).to.have.length(3);
    expect(await faultsOf(id)).to.deep.equal([]);
    const history = await getHealthHistory(
      world.models(),
      { kind: 'platform' },
      id,
      day * 1000,
      world.clock.now(),
    );
    expect(history?.points.filter(({ silent }) => silent)).to.have.length((day * 1000) / slotMs - 3);
  });

  it('end with the deployment', async () => {
    await open();
    const old = await deploy();
    await world.pass(900);
    await world.register('mailer', '2.0.0');
    await world.deploy('mailer', '2.0.0', { strategyConfig: { bakeSeconds: '30' } });
    await world.pass(1_800);
    const summaries = await summariesOf(old);
    await world.pass(3_600);
    expect(await summariesOf(old)).to.deep.equal(summaries);
    expect(summaries.at(-1)).to.include({ healthyInstances: 0, leastHealthyInstances: 0 });
    expect(await faultsOf(old)).to.deep.equal([]);
    const history = await getHealthHistory(
      world.models(),
      { kind: 'platform' },
      old,
      day * 1000,
      world.clock.now(),
    );
    expect(history?.points.filter(({ silent }) => silent)).to.deep.equal([]);
  });

  it('survive crashes at any time, none twice and none lost', async () => {
    await open();
    const id = await deploy();
    for (const [seconds, down] of [
      [290, 0],
      [15, 0],
      [1, 1],
      [61, 700],
      [299, 3],
      [601, 0],
      [4, 4_000],
    ] as const) {
      await world.pass(seconds);
      await world.crash(down);
    }
    await world.pass(1_200);
    expect(await faultsOf(id)).to.deep.equal([]);
    expect((await summariesOf(id)).length).to.be.within(8, 14);
    const unsummarised =
      (await world.eventsOf(`health-${id}`)).length - (await summariesOf(id)).at(-1)!.through;
    expect(unsummarised).to.be.at.most(30);
  });

  it('are kept for 90 days', async () => {
    await open('healthy', 1_800_000);
    const hourly = { healthCheck: { intervalSeconds: 3_600 } };
    const id = await deploy(hourly);
    await world.pass(day);
    expect((await world.eventsOf(`healthsummary-${id}`))[0]?.revision).to.equal(0);
    await world.crash(89.5 * day);
    await world.pass(day / 4);
    const [oldest] = await world.eventsOf(`healthsummary-${id}`);
    expect(oldest?.revision).to.be.within(10, 20);
    const age = world.clock.now() - Date.parse(oldest!.metadata.at);
    expect(age / 1000).to.be.within(89.9 * day, 90 * day);
    expect((await world.eventsOf(`health-${id}`)).length).to.be.within(5, 8);
    expect(await summariesOf(id)).not.to.have.length(0);
  });
});

describe('the process of summaries', () => {
  const deploymentId = DeploymentId.parse('dep-one');
  const tenant = TenantId.parse('acme');
  const clock = createVirtualClock();
  const record = [0, 100_000, 310_000, 620_000].reduce<HealthRecord>(
    (known, ms, revision) =>
      recorded(known, { at: clock.now() + ms, revision, healthy: 1, unhealthy: 0, tally: {} }),
    noRecord,
  );
  const now = clock.now() + 620_000;

  function open(store: EventStore) {
    const log = createRecordingLog();
    const executor = createExecutor({
      ...{ store, schemas: createSchemas(allEvents), clock, log, snapshots: null },
    });
    const questions = { due: async () => [deploymentId], healthOf: async () => ({ tenant, record }) };
    const process = healthSummaries({ executor, store, questions, clock: { now: () => now } });
    const cause: Cause = {
      ...{ event: null, correlationId: 'test' },
      command: (purpose) =>
        processContext({ process: 'health-summaries', key: deploymentId, purpose, correlationId: 'test' }),
    };
    return () => process.handle(deploymentId, cause);
  }

  it('does the same as one that dies at any step and another that follows, each knowing only the log', async () => {
    const whole = openMemoryEventStore({ clock });
    await open(whole)();
    const idsOf = async (store: EventStore) =>
      (await store.readStream(`healthsummary-${deploymentId}`, { limit: 10 })).map(({ id }) => id);
    expect(await idsOf(whole)).to.have.length(2);
    // Before and after each of its four calls: a look at what there is, the retention, another look, the summaries.
    for (let killed = 0; killed < 8; killed += 1) {
      const store = openMemoryEventStore({ clock });
      let calls = 0;
      const mortal =
        <A extends readonly unknown[], T>(act: (...args: A) => Promise<T>) =>
        async (...args: A): Promise<T> => {
          const call = 2 * calls++;
          if (call === killed) throw new Error('killed');
          const done = await act(...args);
          if (call + 1 === killed) throw new Error('killed');
          return done;
        };
      const dying = open({
        ...store,
        readStream: mortal((stream, question) => store.readStream(stream, question)),
        append: mortal((stream, expected, events) => store.append(stream, expected, events)),
        setRetention: mortal((stream, retention) => store.setRetention(stream, retention)),
      });
      await failure(dying());
      await Promise.all([open(store)(), open(store)()]);
      await open(store)();
      expect(await idsOf(store), `killed at ${killed}`).to.deep.equal(await idsOf(whole));
      expect(await store.retention(`healthsummary-${deploymentId}`)).to.deep.equal({
        maxAgeSeconds: 90 * day,
      });
      expect(logFaults(await readWholeLog(store))).to.deep.equal([]);
    }
  });
});
