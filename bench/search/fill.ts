/**
 * Fills a log with plugins for searches, two events each. Half of them say `payment` in their names and all in their
 * descriptions; makers are rare (one of a thousand), topics and kinds are common.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { tell } from '../child.ts';
import { event, published, registered } from '../plugin-events.ts';

const topics = [
  'Payment',
  'Invoice',
  'Payment',
  'Identity',
  'Payment',
  'Report',
  'Payment',
  'Parcel',
] as const;
const kinds = ['Gateway', 'Processor', 'Connector', 'Dashboard', 'Exporter', 'Validator', 'Bridge'] as const;
const categories = ['PaymentGateway', 'Authentication', 'Reporting', 'Logistics', 'Storage'] as const;
/** Appends in flight: the log commits them together. */
const inFlight = 2_000;

function pluginEvents(number: number) {
  const pluginId = `plugin-${number}`;
  const maker = `Maker${number % 1_000}`;
  const topic = topics[number % topics.length] ?? topics[0];
  const kind = kinds[number % kinds.length] ?? kinds[0];
  const commandId = randomUUID();
  const said = {
    pluginId,
    name: number % 3 === 0 ? `The ${maker} ${topic} ${kind} for Shops` : `${maker} ${topic} ${kind}`,
    category: categories[number % categories.length] ?? categories[0],
    description: `Connects a shop to ${maker}: ${topic.toLowerCase()}s, refunds and payments of customers in ${number % 200} countries`,
    tags: [topic.toLowerCase(), `tag-${number % 100}`],
  };
  return [
    event('PluginRegistered', registered(number, said), commandId),
    event('VersionPublished', published(pluginId, number), commandId),
  ];
}

async function fill(folder: string, plugins: number): Promise<void> {
  const store = await openSqliteEventStore({ path: join(folder, 'log.db') });
  for (let first = 1; first <= plugins; first += inFlight) {
    const numbers = Array.from({ length: Math.min(inFlight, plugins - first + 1) }, (_, at) => first + at);
    await Promise.all(
      numbers.map((number) => store.append(`plugin-plugin-${number}`, 'none', pluginEvents(number))),
    );
  }
  await store.close();
}

process.on('message', ({ plugins }: { plugins: number }) => {
  void fill(process.env['SLIPWAY_DATA_DIR'] ?? '', plugins).then(() => tell({ plugins }));
});
process.once('SIGTERM', () => process.exit(0));
