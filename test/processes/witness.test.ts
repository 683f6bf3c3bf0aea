/** What the rollout process notices while it reads. */
import { expect } from 'chai';
import { observeHealth } from '../../src/commands/observe-health.ts';
import { createExecutor } from '../../src/core/command-executor.ts';
import type { Executor } from '../../src/core/executor.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import { healthEvents } from '../../src/domain/health.ts';
import { DeploymentId, Environment, PluginId, type Slot, slotKey, TenantId } from '../../src/domain/ids.ts';
import type { EventStore, JsonObject, Position, RecordedEvent } from '../../src/ports/event-store.ts';
import type { Snapshot, Snapshots } from '../../src/ports/snapshots.ts';
import { createWitness } from '../../src/processes/witness.ts';
import { openMemoryEventStore } from '../support/memory-event-store.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { createFakeExecutor } from '../support/fake-executor.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const id = DeploymentId.parse('dep-00000000000000000001');
const slot = { tenant: 'acme', environment: 'Production', plugin: 'mailer' };
const parts: Slot = {
  tenant: TenantId.parse(slot.tenant),
  environment: Environment.parse(slot.environment),
  plugin: PluginId.parse(slot.plugin),
};

function observed(sequence: number): RecordedEvent {
  const report = { instance: 'inst-1', sequence, outcome: 'pass', latencyMs: 1, replaces: null };
  const data: JsonObject = { deploymentId: id, ...slot, epoch: 1, reports: [report] };
  const at = '2030-01-01T00:00:00.000Z';
  const actor = { id: 'process:prober', face: 'process' };
  return {
    ...{ id: `e${sequence}`, type: 'InstanceHealthObserved', stream: `health-${id}`, data },
    ...{ revision: sequence, position: `log:${sequence}` as Position },
    metadata: { tenant: 'acme', actor, correlationId: 'c', causationId: 'c', at, schema: 1 },
  };
}

describe('the witness of rollouts', () => {
  it('misses no report that arrives while those before it are read', async () => {
    const read = Promise.withResolvers<undefined>();
    const fake = createFakeExecutor();
    const slow: Executor = {
      ...fake,
      load: async (aggregate, of) => {
        const before = await fake.load(aggregate, of);
        await read.promise;
        return before;
      },
    };
    const witness = createWitness({ executor: slow, clock: createVirtualClock() });
    const [one, two] = [witness.evidenceOf(id), witness.evidenceOf(id)];
    expect(witness.see(observed(0))).to.have.length(1);
    read.resolve(undefined);
    expect((await one).instances['inst-1']).to.include({ passes: 1, lastSeenAt: 0 });
    expect(await two).to.equal(await one);

    witness.see(observed(1));
    expect((await witness.evidenceOf(id)).instances['inst-1']).to.include({ passes: 2 });
  });

  it('reads a snapshot of what a week of reports tells, and only what came after', async () => {
    const kept = new Map<string, Snapshot>();
    const snapshots: Snapshots = {
      read: async (stream) => kept.get(stream) ?? null,
      write: async (stream, snapshot) =>
        void kept.set(stream, JSON.parse(JSON.stringify(snapshot)) as Snapshot),
      close: async () => undefined,
    };
    const store = openMemoryEventStore();
    let read = 0;
    const counting: EventStore = {
      ...store,
      readStream: async (...asked) => {
        const events = await store.readStream(...asked);
        read += events.length;
        return events;
      },
    };
    const [clock, log] = [createVirtualClock(), createRecordingLog()];
    const start = () =>
      createExecutor({ store: counting, schemas: createSchemas([healthEvents]), snapshots, clock, log });
    const before = start();
    for (let sequence = 0; sequence < 1_001; sequence += 1) {
      const metrics = sequence % 3 === 0 ? { metrics: { requests: sequence, custom: 0.5 } } : {};
      const reports = ['inst-1', 'inst-2'].map((instance) => ({
        ...{ instance, sequence, outcome: sequence % 7 === 6 ? ('fail' as const) : ('pass' as const) },
        ...{ latencyMs: 1.5, replaces: null, ...metrics },
      }));
      const data = { deploymentId: id, ...parts, epoch: 1 + Math.floor(sequence / 300), reports };
      await observeHealth(before, {
        observed: data,
        currentEpoch: data.epoch,
        actor: { id: 'x', face: 'test' },
      });
    }
    const warm = await createWitness({ executor: before, clock }).evidenceOf(id);
    read = 0;
    const cold = await createWitness({ executor: start(), clock }).evidenceOf(id);
    expect(cold).to.deep.equal(warm);
    expect(read).to.be.lessThan(250);
    expect(log.lines.filter(({ level }) => level === 'warn')).to.deep.equal([]);
  });

  it('takes no interest in reports of a deployment that nobody asked about', () => {
    const witness = createWitness({ executor: createFakeExecutor(), clock: createVirtualClock() });
    expect(witness.see(observed(0))).to.deep.equal([]);
  });

  it('hears again of a deployment that was taken up anew while it was being forgotten', () => {
    const witness = createWitness({ executor: createFakeExecutor(), clock: createVirtualClock() });
    const key = slotKey(parts);
    witness.remember(parts, id, 'first');
    const before = witness.news(key);
    witness.remember(parts, id, 'second');
    witness.close(key, id, { stillWatched: false, asOf: before });
    expect(witness.openIn(key)).to.deep.equal([id]);
    witness.close(key, id, { stillWatched: false, asOf: witness.news(key) });
    expect(witness.openIn(key)).to.deep.equal([]);
  });
});
