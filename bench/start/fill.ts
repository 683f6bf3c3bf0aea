/** Fills a log with the events of a busy registry: plugins published with an Idempotency-Key each, whose versions mature and age. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { commandEvents } from '../../src/core/command-record.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import { pluginEvents } from '../../src/domain/plugin.ts';
import type { ExpectedRevision, NewEvent } from '../../src/ports/event-store.ts';
import { tell } from '../child.ts';

const schemas = createSchemas([pluginEvents, commandEvents]);
const at = new Date().toISOString();
const tenant = 'platform';
/** Appends in flight: the log commits them together. */
const inFlight = 2_000;

interface Append {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly NewEvent[];
}

function event(type: string, given: object, commandId: string): NewEvent {
  const { data, schema } = schemas.encode(type, given);
  const actor = { id: 'usr_00000000000000000000', face: 'plugin-manager' };
  const metadata = { tenant, actor, correlationId: randomUUID(), causationId: commandId, at, schema };
  return { id: randomUUID(), type, data, metadata };
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
      event('PluginRegistered', registered(pluginId, number), id),
      event('VersionPublished', published(pluginId, number), id),
    ]),
    ...changes,
  ];
}

function registered(pluginId: string, number: number): object {
  return {
    pluginId,
    id: `plg_${String(number).padStart(20, '0')}`,
    ownerTenant: tenant,
    name: `Plugin ${number}`,
    description: 'Process payments via an API',
    category: 'PaymentGateway',
    publisher: 'Acme Corp',
    iconUrl: 'https://example.com/icon.png',
    documentationUrl: 'https://docs.example.com/plugins',
    repositoryUrl: 'https://github.com/acme/plugin',
    tags: ['payment', `tag-${number % 100}`],
    packageName: pluginId,
    author: null,
    license: null,
    longDescription: null,
    screenshots: [],
    compatibility: {},
    requirements: {},
    permissions: [],
    price: null,
    registeredAt: at,
  };
}

function published(pluginId: string, number: number): object {
  return {
    pluginId,
    versionId: `ver-${String(number).padStart(20, '0')}`,
    semanticVersion: '1.0.0',
    state: 'Beta',
    runtime: { type: 'DotNet8', version: '8.0' },
    resources: { minCpu: 0.2, maxCpu: 1, minMemoryMB: 256, maxMemoryMB: 1024 },
    binaryUrl: `s3://plugins/${pluginId}-1.0.0.dll`,
    checksum: 'sha256:abc123',
    checksumVerified: false,
    configurationSchema: { type: 'object', properties: { apiKey: { type: 'string' } } },
    dependencies: [],
    capabilities: [{ capabilityId: 'IPaymentProcessor', name: 'Payments', version: '1.0', methods: [] }],
    releaseNotes: null,
    publishedAt: at,
  };
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
