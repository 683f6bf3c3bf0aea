/** An event that breaks a projection: it waits with what is later of its stream, everything else goes on, and a mended projection heals. */
import { expect } from 'chai';
import fc from 'fast-check';
import { createProjector } from '../../src/core/projector.ts';
import type { Collection, Projection } from '../../src/core/projection.ts';
import { StillBuilding } from '../../src/core/projection-loop.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import type { EventStore, JsonObject, RecordedEvent } from '../../src/ports/event-store.ts';
import { event, failure, readToEnd } from '../contract/event-store-given.ts';
import { counterEvents } from '../core/counter.ts';
import { openMemoryEventStore } from '../support/memory-event-store.ts';
import { openMemoryReadModels } from '../support/memory-read-models.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const schemas = createSchemas([counterEvents]);
const platform = { kind: 'platform' } as const;

interface Seen {
  readonly seen: readonly number[];
}
const perStream: Collection<Seen> = { name: 'per_stream', visibility: 'tenant', indexes: [], text: [] };
/** Of all streams together: its order is the log's. */
const together: Collection<Seen> = { name: 'together', visibility: 'tenant', indexes: [], text: [] };

/** @param breaksOn ids of events that nobody can digest until they are taken out */
function watching(breaksOn: ReadonlySet<string>): Projection {
  return {
    ...{ name: 'watching', version: 1, collections: [perStream, together] },
    on: {
      Counted: async ({ id, stream, data }, documents) => {
        for (const [collection, of] of [
          [perStream, stream],
          [together, 'all'],
        ] as const) {
          const { seen } = (await documents.get(collection, of)) ?? { seen: [] };
          documents.put(collection, of, null, { seen: [...seen, Number(data['by'])] });
        }
        if (breaksOn.has(id)) throw new Error('nobody can digest this');
      },
    },
  };
}

/** The streams that events go to, in order, and which of them are poison. */
const histories = fc.record({
  streams: fc.array(fc.constantFrom('counter-a', 'counter-b', 'counter-c', 'counter-d'), {
    minLength: 1,
    maxLength: 30,
  }),
  poison: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
});

async function fill(store: EventStore, streams: readonly string[]): Promise<void> {
  for (const [by, stream] of streams.entries()) {
    const [last] = await store.readStream(stream, { direction: 'backwards', limit: 1 });
    await store.append(stream, last?.revision ?? 'none', [event({ type: 'Counted', data: { by } })]);
  }
}

async function open(store: EventStore, breaksOn: ReadonlySet<string>) {
  const [clock, log, models] = [createVirtualClock(), createRecordingLog(), openMemoryReadModels()];
  const projector = createProjector({
    store,
    models,
    schemas,
    clock,
    log,
    projections: [watching(breaksOn)],
  });
  await projector.start();
  const head = await store.head();
  // Tries wait a while in between.
  const there = projector.waitFor('all', head, Number.MAX_SAFE_INTEGER);
  const seen = { arrived: false };
  void there.then(() => (seen.arrived = true));
  for (let turns = 0; !seen.arrived && turns < 1_000; turns += 1) await clock.advance(1_000);
  expect(await there).to.equal(true);
  const documents = async (collection: string): Promise<ReadonlyMap<string, readonly number[]>> => {
    const page = await models.find<JsonObject>(collection, { scope: platform, limit: 100 });
    return new Map(page.documents.map(({ id, data }) => [id, data['seen'] as readonly number[]]));
  };
  return { projector, documents, head };
}

function expected(events: readonly RecordedEvent[]): ReadonlyMap<string, readonly number[]> {
  const seen = new Map<string, number[]>();
  for (const { stream, data } of events) seen.set(stream, [...(seen.get(stream) ?? []), Number(data['by'])]);
  return seen;
}

describe('an event that breaks a projection', () => {
  const numRuns = process.env['SLIPWAY_LONG'] ? 200 : 20;

  it('is parked with what is later of its stream, counted, and everything else goes on; mended, it heals, and a rebuild puts the rest in order', () =>
    fc.assert(
      fc.asyncProperty(histories, async ({ streams, poison }) => {
        const store = openMemoryEventStore();
        await fill(store, streams);
        const { events } = await readToEnd(store);
        const breaksOn = new Set(poison.map((index) => events[index % events.length]?.id ?? ''));
        const broken = new Map<string, number>();
        for (const { id, stream, revision } of events)
          if (breaksOn.has(id) && !broken.has(stream)) broken.set(stream, revision);
        const before = ({ stream, revision }: RecordedEvent): boolean =>
          revision < (broken.get(stream) ?? Infinity);
        const { projector, documents, head } = await open(store, breaksOn);

        const parked = projector.parked();
        expect(new Map(parked.map(({ stream, revision }) => [stream, revision]))).to.eql(broken);
        expect(
          parked.every(({ tries, error }) => tries === 5 && error === 'nobody can digest this'),
        ).to.equal(true);
        expect(await documents('per_stream')).to.eql(expected(events.filter(before)));
        const [status] = await projector.status();
        expect(status).to.include({ state: 'live', lagEvents: 0, position: head, parked: broken.size });

        // What the log makes of it now is what answers: it cannot be digested yet.
        const asIs = await projector.compare('watching');
        expect(asIs).to.deep.include({ differences: [], position: head });
        expect(asIs.parked.map(({ stream }) => stream)).to.have.members([...broken.keys()]);

        breaksOn.clear();
        expect(await projector.retry('watching')).to.equal(broken.size);
        expect(projector.parked()).to.eql([]);
        expect(await documents('per_stream')).to.eql(expected(events));
        const all = events.map(({ data }) => Number(data['by']));
        expect((await documents('together')).get('all')).to.have.members(all);

        const rebuilt = await projector.rebuild('watching');
        expect(rebuilt.differences.every(({ collection }) => collection === 'together')).to.equal(true);
        expect((await documents('together')).get('all')).to.eql(all);
        expect((await projector.compare('watching')).differences).to.eql([]);
        await projector.stop();
      }),
      { numRuns },
    ));

  it('is healed by a rebuild alone as well, and parked by one that still cannot digest it', async () => {
    const store = openMemoryEventStore();
    await fill(store, ['counter-a', 'counter-b', 'counter-a', 'counter-b']);
    const { events } = await readToEnd(store);
    const breaksOn = new Set([events[0]?.id ?? '']);
    const { projector, documents } = await open(store, breaksOn);
    const still = await projector.rebuild('watching');
    expect(still.differences).to.eql([]);
    expect(projector.parked().map(({ stream, revision }) => [stream, revision])).to.eql([['counter-a', 0]]);
    breaksOn.clear();
    const { differences } = await projector.rebuild('watching');
    expect(
      differences.map(({ collection, id, kept }) => [collection, id, kept === null]),
    ).to.have.deep.members([
      ['per_stream', 'counter-a', true],
      ['together', 'all', false],
    ]);
    expect(projector.parked()).to.eql([]);
    expect(await documents('per_stream')).to.eql(expected(events));
    await projector.stop();
  });

  it('goes on after a rebuild, with what comes later once', async () => {
    const store = openMemoryEventStore();
    await fill(store, ['counter-a', 'counter-b']);
    const { projector, documents } = await open(store, new Set());
    await projector.rebuild('watching');
    await fill(store, ['counter-a', 'counter-c']);
    const { events } = await readToEnd(store);
    expect(await projector.waitFor('all', await store.head(), 10_000)).to.equal(true);
    expect(await documents('per_stream')).to.eql(expected(events));
    await projector.stop();
  });

  it('is not compared before the projection answers', async () => {
    const store = openMemoryEventStore();
    await fill(store, ['counter-a']);
    const [clock, log, models] = [createVirtualClock(), createRecordingLog(), openMemoryReadModels()];
    const projector = createProjector({
      store,
      models,
      schemas,
      clock,
      log,
      projections: [watching(new Set())],
    });
    await failure(projector.compare('watching'), StillBuilding);
  });
});
