/** Fills a log with the events of a busy registry: plugins published with an Idempotency-Key each, whose versions mature and age. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import type { ExpectedRevision, NewEvent } from '../../src/ports/event-store.ts';
import { tell } from '../child.ts';
import { at, event, published, registered } from '../plugin-events.ts';

/** Appends in flight: the log commits them together. */
const inFlight = 2_000;

interface Append {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly NewEvent[];
}

/** One command: its record, and what it appended between. */
function command(
  stream: string,
  expected: ExpectedRevision,
  made: (commandId: string) => NewEvent[],
): Append[] {
  const id = randomUUID();
  const record = [
    event('CommandReceived', { bodyHash: 'b'.repeat(64) }, id),
    event('CommandAnswered', { status: 201 }, id),
  ];
  return [
    { stream, expected, events: made(id) },
    { stream: `command-${id}`, expected: 'none', events: record },
  ];
}

/** 16 events of a plugin with one version. */
function pluginHistory(number: number): Append[] {
  const pluginId = `plugin-${number}`;
  const stream = `plugin-${pluginId}`;
  const semanticVersion = '1.0.0';
  const changes = ['Stable', 'Deprecated', 'Stable', 'Deprecated'].flatMap((state, index) =>
    command(stream, index + 1, (id) => [
      event('VersionStateChanged', { pluginId, semanticVersion, state, changedAt: at }, id),
    ]),
  );
  return [
    ...command(stream, 'none', (id) => [
      event(
        'PluginRegistered',
        registered(number, {
          pluginId,
          name: `Plugin ${number}`,
          category: 'PaymentGateway',
          description: 'Process payments via an API',
          tags: ['payment', `tag-${number % 100}`],
        }),
        id,
      ),
      event('VersionPublished', published(pluginId, number), id),
    ]),
    ...changes,
  ];
}

async function fill(folder: string, events: number): Promise<void> {
  const store = await openSqliteEventStore({ path: join(folder, 'log.db') });
  let appended = 0;
  for (let number = 0; appended < events;) {
    const appends: Append[] = [];
    while (appends.length < inFlight) appends.push(...pluginHistory((number += 1)));
    await Promise.all(appends.map((one) => store.append(one.stream, one.expected, one.events)));
    appended += appends.reduce((sum, one) => sum + one.events.length, 0);
  }
  await store.close();
}

process.on('message', ({ events }: { events: number }) => {
  void fill(process.env['SLIPWAY_DATA_DIR'] ?? '', events).then(() => tell({ events }));
});
process.once('SIGTERM', () => process.exit(0));
