/** What a real rollout leaves in the log, told to the read models in batches of any size. */
import { expect } from 'chai';
import fc from 'fast-check';
import { openBatchDocuments } from '../../src/core/projection-documents.ts';
import type { Projection } from '../../src/core/projection.ts';
import { involved } from '../../src/domain/deployment/desired.ts';
import type { Report } from '../../src/domain/deployment/evidence.ts';
import { interrupt } from '../../src/domain/deployment/requests.ts';
import { slotMs } from '../../src/domain/health/record.ts';
import { slotKey, type DeploymentId } from '../../src/domain/ids.ts';
import { askedOf, quota, settle, type AskedQuota } from '../../src/domain/quota.ts';
import type { JsonObject, Position, RecordedEvent } from '../../src/ports/event-store.ts';
import { deploymentsProjection } from '../../src/projections/deployments.ts';
import { pluginsProjection } from '../../src/projections/plugins.ts';
import { slotsProjection } from '../../src/projections/slots.ts';
import { usageProjection } from '../../src/projections/usage.ts';
import { span, summaryOf } from '../domain/health/samples.ts';
import { newId, oldId, request, start } from '../domain/deployment/samples.ts';
import { world } from '../domain/deployment/world.ts';
import { openMemoryReadModels, type MemoryModels } from '../support/memory-read-models.ts';

const outcome = fc.constantFrom('pass' as const, 'pass' as const, 'fail' as const, 'error' as const, null);
interface Step {
  readonly rounds: number;
  readonly fresh: Report['outcome'] | null;
  readonly old: Report['outcome'] | null;
  readonly crash: boolean;
}
const step: fc.Arbitrary<Step> = fc.record({
  rounds: fc.integer({ min: 1, max: 30 }),
  fresh: outcome,
  old: outcome,
  crash: fc.boolean(),
});

/** One deployment completes, another is rolled out over it, and both fare as the steps say. */
function history(steps: readonly Step[]) {
  const it = world();
  const events: RecordedEvent[] = [];
  const key = slotKey(request());
  let told = 0;
  const summarised = new Map<DeploymentId, number>();
  const record = (stream: string, type: string, data: object): void => {
    const at = new Date(start + it.ms).toISOString();
    const actor = { id: 'usr_1', face: 'test' };
    const metadata = { tenant: 'tenant-acme', actor, correlationId: 'c', causationId: 'c', at, schema: 1 };
    const json = JSON.parse(JSON.stringify(data)) as JsonObject;
    const place = { revision: events.length, position: `log:${events.length}` as Position };
    events.push({ id: `e${events.length}`, type, stream, data: json, metadata, ...place });
  };
  let reserved = quota.initial;
  const keepQuota = (): void => {
    const recorded = [...it.deployments].flatMap(([deploymentId, state]): AskedQuota[] => {
      if (state.phase === 'None') return [];
      const { plugin, reserves, totalInstances } = state.request;
      return [{ deploymentId, slot: key, fence: 0, plugin, ...askedOf(reserves, totalInstances) }];
    });
    const slot = { slot: key, holders: involved(it.slot), recorded };
    const kept = settle(reserved, reserved, slot, start + it.ms);
    for (const { type, data } of kept) record('quota-tenant-acme', type, data);
    reserved = kept.reduce(quota.evolve, reserved);
  };
  const tell = (): void => {
    for (const { of, event } of it.log.slice(told))
      record(of === null ? `slot-${key}` : `deployment-${of}`, event.type, event.data);
    told = it.log.length;
    keepQuota();
  };
  /** Of all that was reported since the summary before. */
  const summarise = (deploymentId: DeploymentId): void => {
    const after = summarised.get(deploymentId) ?? -1;
    const through = events.length - 1;
    summarised.set(deploymentId, through);
    const from = start + it.ms - ((start + it.ms) % slotMs);
    const { data } = summaryOf(span(0, { from, until: from + slotMs, after, through }));
    record(`healthsummary-${deploymentId}`, 'HealthSummarised', { ...data, deploymentId });
  };
  const deliver = it.deliver;
  it.deliver = (id: DeploymentId, epoch, reports) => {
    tell();
    const { tenant, environment, plugin } = request();
    const data = { deploymentId: id, tenant, environment, plugin, epoch, reports };
    if (reports.length > 0) record(`health-${id}`, 'InstanceHealthObserved', data);
    if (events.length % 7 === 0) summarise(id);
    deliver(id, epoch, reports);
  };

  const first = { deploymentId: oldId, previousDeploymentId: null, pluginVersion: '1.0.0' };
  it.request(request({ strategy: 'Direct' }, first));
  it.run(3600_000, () => it.state(oldId).phase === 'Completed');
  it.request(request());
  for (const { rounds, fresh, old, crash } of steps) {
    it.behaviour = ({ deploymentId }) => (deploymentId === newId ? fresh : old);
    it.run(rounds * 10_000);
    if (crash) it.crash();
    if (crash) it.ask(newId, (state) => interrupt(state, 'The platform restarted', start + it.ms));
  }
  tell();
  return { it, events };
}

/** All documents, by collection and id. */
async function project(
  projection: Projection,
  events: readonly RecordedEvent[],
  batch: number,
): Promise<Readonly<Record<string, unknown>>> {
  const kept: MemoryModels = new Map();
  const models = openMemoryReadModels(kept);
  const generation = { projection: projection.name, version: projection.version };
  await models.declare(generation, projection.collections);
  for (let from = 0; from < events.length; from += batch) {
    const documents = openBatchDocuments(models, generation, projection);
    for (const event of events.slice(from, from + batch)) {
      await projection.on[event.type]?.(event, documents);
      documents.keep();
    }
    const { position, id: eventId } = events[from]!;
    await models.commit(generation, documents.writes(), { position, eventId });
  }
  const all = [...kept.values()].flatMap(({ collections }) => [...collections]);
  return Object.fromEntries(
    all.flatMap(([name, { documents }]) => [...documents].map(([id, { data }]) => [`${name}/${id}`, data])),
  );
}

describe('read models of deployments', () => {
  it('are the same whatever the batches, and hold what the aggregates hold', async () => {
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 8 }),
      fc.integer({ min: 1, max: 50 }),
      async (steps, size) => {
        const { it, events } = history(steps);
        const all: Record<string, unknown> = {};
        for (const projection of [
          deploymentsProjection,
          slotsProjection,
          usageProjection,
          pluginsProjection,
        ]) {
          const whole = await project(projection, events, events.length);
          expect(await project(projection, events, size)).to.deep.equal(whole);
          Object.assign(all, whole);
        }
        for (const [id, state] of it.deployments) {
          const inFlight = it.slot.flight?.deploymentId === id;
          expect(all[`deployments/${id}`]).to.deep.include({ state, inFlight });
        }
        const slot = { state: it.slot, occupied: true, claimExpiresAt: null };
        expect(all[`slots/${slotKey(request())}`]).to.deep.include(slot);
        const instances = involved(it.slot).length * 10;
        expect(all['usage/tenant-acme']).to.include({ pluginCount: 1, instances });
      },
    );
    await fc.assert(property, { numRuns: 25 });
  });
});
