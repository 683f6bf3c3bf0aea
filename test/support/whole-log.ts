/** What must hold of any log, and of read models that were built from it, however the server before ended. */
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModels } from '../../src/adapters/sqlite/read-models.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { createExecutor } from '../../src/core/command-executor.ts';
import { createProjector } from '../../src/core/projector.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import { allEvents } from '../../src/events.ts';
import type { EventStore, Position, RecordedEvent } from '../../src/ports/event-store.ts';
import type { Document, ReadModels } from '../../src/ports/read-models.ts';
import { allProjections } from '../../src/projections.ts';
import { createAnnouncer } from '../../src/projections/announcements/announcer.ts';
import { createRecordingLog } from './recording-log.ts';

/** Documents by `collection/id`. */
export type Documents = ReadonlyMap<string, Document>;

/** @returns a sentence for every event id that is there twice and every revision that is missing or repeated */
export function logFaults(
  events: readonly Pick<RecordedEvent, 'id' | 'stream' | 'revision'>[],
): readonly string[] {
  const ids = new Set<string>();
  const next = new Map<string, number>();
  const faults: string[] = [];
  for (const { id, stream, revision } of events) {
    if (ids.has(id)) faults.push(`event ${id} is there twice`);
    ids.add(id);
    const expected = next.get(stream) ?? 0;
    if (revision !== expected) faults.push(`${stream} has revision ${revision} where ${expected} belongs`);
    next.set(stream, revision + 1);
  }
  return faults;
}

/** @returns the keys of documents that only one side has, or that differ */
export function documentDifferences(kept: Documents, rebuilt: Documents): readonly string[] {
  const text = (documents: Documents, key: string): string | undefined => {
    const document = documents.get(key);
    return document && JSON.stringify([document.tenant, sorted(document.data)]);
  };
  return [...new Set([...kept.keys(), ...rebuilt.keys()])].filter(
    (key) => text(kept, key) !== text(rebuilt, key),
  );
}

/** With the members of every object in one order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}

export async function readWholeLog(store: EventStore): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  let after: Position | null = null;
  for (let end = false; !end;) {
    const page = await store.readAll({ after, limit: 1_000 });
    events.push(...page.events);
    ({ end, next: after } = page);
  }
  return events;
}

/** The log of a server that has ended. */
export async function logOf(dataFolder: string): Promise<readonly RecordedEvent[]> {
  const store = await openSqliteEventStore({
    path: join(dataFolder, 'log.db'),
    clock: createSystemClock(),
  });
  try {
    return await readWholeLog(store);
  } finally {
    await store.close();
  }
}

export interface Autopsy {
  readonly events: readonly RecordedEvent[];
  /** As the server left them, then brought up to the log's end. */
  readonly kept: Documents;
  /** Built anew from the same log. */
  readonly rebuilt: Documents;
}

/** Looks at copies of the data of a server that has ended; the data itself stays untouched. */
export async function autopsy(dataFolder: string, scratch: string): Promise<Autopsy> {
  const copy = join(scratch, 'autopsy');
  await rm(copy, { recursive: true, force: true });
  await mkdir(copy);
  for (const file of ['log.db', 'log.db-wal', 'read-models.db', 'read-models.db-wal'])
    await cp(join(dataFolder, file), join(copy, file)).catch((error: unknown) => {
      if (!file.endsWith('-wal')) throw error;
    });
  const clock = createSystemClock();
  const store = await openSqliteEventStore({ path: join(copy, 'log.db'), clock });
  try {
    return {
      events: await readWholeLog(store),
      kept: await documentsOf(store, join(copy, 'read-models.db')),
      rebuilt: await documentsOf(store, join(copy, 'rebuilt.db')),
    };
  } finally {
    await store.close();
    await rm(copy, { recursive: true, force: true });
  }
}

/** All documents of a file of read models, once it has come to the end of the log. */
async function documentsOf(store: EventStore, path: string): Promise<Documents> {
  const clock = createSystemClock();
  const models = await openSqliteReadModels({ path });
  const log = createRecordingLog();
  const schemas = createSchemas(allEvents);
  const executor = createExecutor({ store, schemas, snapshots: null, clock, log });
  // Nothing of what only the vault can open is in a document.
  const vault = { openFor: async () => null };
  const projections = allProjections(createAnnouncer({ store, schemas, executor, vault }));
  const projector = createProjector({ store, models, schemas, projections, clock, log });
  try {
    await projector.start();
    await projector.ready();
    const [parked] = projector.parked();
    if (parked) throw new Error(`${parked.projection} cannot digest ${parked.type}: ${parked.error}`);
    const documents = new Map<string, Document>();
    for (const { name } of projections.flatMap(({ collections }) => collections))
      for await (const document of everyOne(models, name)) documents.set(`${name}/${document.id}`, document);
    return documents;
  } finally {
    await projector.stop();
    await models.close();
  }
}

async function* everyOne(models: ReadModels, collection: string): AsyncIterable<Document> {
  const scope = { kind: 'platform' } as const;
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const page = await models.find(collection, { scope, limit: 1_000, ...(cursor && { cursor }) });
    yield* page.documents as readonly Document[];
    ({ cursor } = page);
  }
}
