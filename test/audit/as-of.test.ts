/** What was so at any place in the past is what replaying to it gives, whatever the history was. */
import { expect } from 'chai';
import fc from 'fast-check';
import { aggregateOf } from '../../src/audit/aggregates.ts';
import { asJson, differences } from '../../src/audit/difference.ts';
import { createPastDocuments } from '../../src/audit/documents.ts';
import { NoSuchPlace, placeOf, Untold } from '../../src/audit/places.ts';
import { stateAt, stateBetween } from '../../src/audit/states.ts';
import { TooMuchToReplay } from '../../src/core/projection-replay.ts';
import { createProjector } from '../../src/core/projector.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import { TenantId } from '../../src/domain/ids.ts';
import { createTenant, editTenant, tenant, type TenantEvent } from '../../src/domain/tenant.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import { allEvents } from '../../src/events.ts';
import type { EventStore, Json, JsonObject, Position, RecordedEvent } from '../../src/ports/event-store.ts';
import { tenantsProjection } from '../../src/projections/tenants.ts';
import { event, failure, readToEnd } from '../contract/event-store-given.ts';
import { emptyMemoryLog, openMemoryEventStore } from '../support/memory-event-store.ts';
import { openMemoryReadModels } from '../support/memory-read-models.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const schemas = createSchemas(allEvents);
const platform = { kind: 'platform' } as const;
const start = Date.parse('2030-01-01T00:00:00.000Z');
const minute = 60_000;

type Act = readonly [who: 'acme' | 'globex', name: string, cpu: number | null, suspended: boolean];
const acts = fc.array(
  fc.tuple(
    fc.constantFrom('acme', 'globex'),
    fc.constantFrom('A', 'B', 'C'),
    fc.option(fc.integer({ min: 0, max: 3 })),
    fc.boolean(),
  ),
  { maxLength: 15 },
);

/** Decided by the domain itself, a minute between two. */
async function historyOf(
  all: readonly Act[],
): Promise<{ store: EventStore; events: readonly RecordedEvent[] }> {
  let now = start;
  const store = openMemoryEventStore({ clock: { now: () => now } });
  const states = new Map<string, ReturnType<typeof tenant.evolve>>();
  for (const [id, name, maxCpu, suspended] of all) {
    now += minute;
    const at = new Date(now).toISOString();
    const state = states.get(id) ?? null;
    const sealed = { tenantId: TenantId.parse(id), contactEmail: `sealed:v1:${name}`, at };
    const decided = state
      ? editTenant(state, { name, quotas: { maxCpu }, status: suspended ? 'Suspended' : 'Active' }, sealed)
      : createTenant(null, { tenantId: TenantId.parse(id), name, subscriptionTier: 'Standard' }, sealed);
    if (isRefusal(decided) || decided.length === 0) continue;
    states.set(id, decided.reduce(tenant.evolve, state));
    await append(store, id, decided, at);
  }
  return { store, events: (await readToEnd(store)).events };
}

async function append(
  store: EventStore,
  id: string,
  decided: readonly TenantEvent[],
  at: string,
): Promise<void> {
  const [last] = await store.readStream(`tenant-${id}`, { direction: 'backwards', limit: 1 });
  const news = decided.map(({ type, data }) => {
    const plain = event({ type, data: asJson(data) as RecordedEvent['data'] });
    return { ...plain, metadata: { ...plain.metadata, tenant: id, at, schema: 1 } };
  });
  await store.append(`tenant-${id}`, last?.revision ?? 'none', news);
}

/** What a projector makes of the first events of a log. */
async function projected(
  store: EventStore,
  events: readonly RecordedEvent[],
): Promise<ReadonlyMap<string, Json>> {
  const copy = openMemoryEventStore({ log: { ...emptyMemoryLog(), logId: store.logId } });
  for (const { stream, revision, position: _position, ...rest } of events)
    await copy.append(stream, revision === 0 ? 'none' : revision - 1, [rest]);
  const models = openMemoryReadModels();
  const [clock, log] = [createVirtualClock(), createRecordingLog()];
  const projector = createProjector({
    store: copy,
    models,
    schemas,
    clock,
    log,
    projections: [tenantsProjection],
  });
  await projector.start();
  await projector.ready();
  const { documents } = await models.find<JsonObject>('tenants', { scope: platform, limit: 100 });
  await projector.stop();
  return new Map(documents.map(({ id, data }) => [id, data]));
}

/** As {@link tenant} says, without the audit. */
function folded(events: readonly RecordedEvent[], stream: string): Json | null {
  const own = events.filter((one) => one.stream === stream);
  const aggregate = aggregateOf(stream)?.aggregate;
  if (own.length === 0 || !aggregate) return null;
  return asJson(own.reduce((state, one) => aggregate.evolve(state, one), aggregate.initial));
}

const unsealed = (value: Json): Json =>
  JSON.parse(JSON.stringify(value).replaceAll(/sealed:v1:./g, '[sealed]')) as Json;

describe('what was so at a place in the past', () => {
  const numRuns = process.env['SLIPWAY_LONG'] ? 300 : 30;

  it('is of a stream, at every position, what folding it up to there gives; and the difference of two says what changed', () =>
    fc.assert(
      fc.asyncProperty(acts, async (all) => {
        const { store, events } = await historyOf(all);
        const deps = { store, schemas };
        const none = await store.positionAt(0);
        const places = [none, ...events.map(({ position }) => position)];
        for (const stream of ['tenant-acme', 'tenant-globex', 'tenant-nobody'])
          for (const [count, place] of places.entries()) {
            const expected = folded(events.slice(0, count), stream);
            const found = await stateAt(deps, platform, stream, place);
            expect(found?.state ?? null).to.eql(expected && unsealed(expected));
            for (const [before, from] of places.slice(0, count + 1).entries()) {
              const between = await stateBetween(deps, platform, stream, { from, to: place });
              const was = folded(events.slice(0, before), stream);
              expect(between?.changes.map(({ field }) => field)).to.eql(
                expected ? differences(was, expected).map(({ field }) => field) : undefined,
              );
            }
          }
      }),
      { numRuns },
    ));

  it('is of a read model, at every position, what a projector makes of the log up to there', () =>
    fc.assert(
      fc.asyncProperty(acts, async (all) => {
        const { store, events } = await historyOf(all);
        const past = createPastDocuments({
          store,
          schemas,
          projections: [tenantsProjection],
          clock: createVirtualClock(),
        });
        for (const [index, { position }] of events.entries()) {
          const expected = await projected(store, events.slice(0, index + 1));
          for (const id of ['acme', 'globex']) {
            const found = await past.documentAt(platform, { collection: 'tenants', id }, position);
            const wanted = expected.get(id);
            expect(found).to.eql(wanted === undefined ? null : unsealed(wanted));
          }
        }
      }),
      { numRuns },
    ));

  it('is at every time what it was at the position of that time', () =>
    fc.assert(
      fc.asyncProperty(acts, async (all) => {
        const { store, events } = await historyOf(all);
        for (const { metadata } of events) {
          const at = Date.parse(metadata.at);
          const upTo = events.filter((one) => Date.parse(one.metadata.at) <= at).at(-1)?.position;
          for (const ms of [at, at + minute / 2])
            expect(await placeOf(store, new Date(ms).toISOString(), at + minute)).to.equal(upTo);
        }
      }),
      { numRuns },
    ));

  describe('cannot be told', () => {
    const acme: readonly Act[] = [
      ['acme', 'A', 1, false],
      ['acme', 'B', 2, false],
      ['globex', 'C', 3, false],
    ];

    it('of places that are none', async () => {
      const { store, events } = await historyOf(acme);
      const now = start + 60 * minute;
      const [{ position }] = events as readonly [RecordedEvent];
      for (const [text, word] of [
        ['nonsense', /is none of this log/],
        ['00000000-0000-4000-8000-000000000000:1', /is none of this log/],
        [position.replace(/:\d+$/, ':99'), /lies behind the log's end/],
        ['2029-12-31T23:59:59Z', /is before the log began, at 2030-01-01T00:01:00.000Z/],
        ['2030-01-01T02:00:00Z', /is yet to come/],
        ['2030-13-01T00:00:00Z', /is no time/],
      ] as const)
        expect((await failure(placeOf(store, text, now), NoSuchPlace)).message).to.match(word);
      const empty = openMemoryEventStore();
      expect((await failure(placeOf(empty, '2030-01-01T00:00:00Z', now), NoSuchPlace)).message).to.match(
        /before the log began/,
      );
    });

    it('to another tenant: not that there is anything', async () => {
      const { store } = await historyOf(acme);
      const head = await store.head();
      const scope = { kind: 'tenant', tenant: 'globex' } as const;
      const deps = { store, schemas };
      expect(await stateAt(deps, scope, 'tenant-acme', head)).to.equal(null);
      expect(await stateBetween(deps, scope, 'tenant-acme', { from: null, to: head })).to.equal(null);
      expect(await stateAt(deps, scope, 'tenant-globex', head)).not.to.equal(null);
      const past = createPastDocuments({
        store,
        schemas,
        projections: [tenantsProjection],
        clock: createVirtualClock(),
      });
      for (const [id, isSeen] of [
        ['acme', false],
        ['globex', true],
        ['nobody', false],
      ] as const) {
        const named = { collection: 'tenants', id };
        expect((await past.documentAt(scope, named, head)) !== null, id).to.equal(isSeen);
        const between = await past.documentBetween(scope, named, { from: null, to: head });
        expect(between !== null, id).to.equal(isSeen);
      }
      expect(await past.documentAt(platform, { collection: 'nothings', id: 'acme' }, head)).to.equal(null);
    });

    it('when retention has taken the beginning', async () => {
      const { store } = await historyOf(acme);
      await store.setRetention('tenant-acme', { truncateBefore: 1 });
      const asked = stateAt({ store, schemas }, platform, 'tenant-acme', await store.head());
      expect((await failure(asked, Untold)).message).to.match(/before revision 1 are kept no longer/);
    });

    it('when a read model was built of too much', async () => {
      const { store, events } = await historyOf(acme);
      const most = events.length - 1;
      const past = createPastDocuments({
        store,
        schemas,
        projections: [tenantsProjection],
        clock: createVirtualClock(),
        most,
      });
      const named = { collection: 'tenants', id: 'acme' };
      const head = await store.head();
      expect((await failure(past.documentAt(platform, named, head), TooMuchToReplay)).message).to.match(
        /too many/,
      );
      const before = events.at(-2)?.position as Position;
      expect(await past.documentAt(platform, named, before)).not.to.equal(null);
    });
  });
});
