/** The log and its sockets in a process of their own, so that what they take of memory can be told from everything else. */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import type { Authenticated } from '../../src/api/authentication.ts';
import { createHttpServer } from '../../src/api/http/server.ts';
import { openSockets } from '../../src/api/socket/sockets.ts';
import { createExecutor } from '../../src/core/command-executor.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import { allEvents } from '../../src/events.ts';
import type { JsonObject, NewEvent } from '../../src/ports/event-store.ts';
import { createAnnouncer } from '../../src/projections/announcements/announcer.ts';
import { readableSeals } from '../commands/support.ts';
import { createRecordingLog } from './recording-log.ts';
import { createVirtualClock } from './virtual-clock.ts';

export interface SocketServer {
  /** `http://127.0.0.1:…` */
  readonly url: string;
  /** Registers plugins, each with a long description, of so many megabytes together. @returns their slugs */
  register(megabytes: number): Promise<readonly string[]>;
  /** Something is told on the channel `tenants`. */
  editTenant(): Promise<void>;
  advance(ms: number): Promise<void>;
  /** Bytes of the process, resident: the most since it was last asked. */
  peak(): Promise<number>;
  stop(): Promise<void>;
}

/** @param folder of the log */
export async function startSocketServer(folder: string): Promise<SocketServer> {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), [folder], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const ended = once(child, 'exit');
  async function answer(): Promise<unknown> {
    const [said] = (await Promise.race([once(child, 'message'), ended.then(() => [null])])) as [unknown];
    if (said === null) throw new Error('the server has ended');
    return said;
  }
  async function ask(message: Asked): Promise<unknown> {
    child.send(message);
    return answer();
  }
  const url = String(await answer());
  return {
    url,
    register: async (megabytes) => (await ask({ register: megabytes })) as readonly string[],
    async editTenant() {
      await ask({ edit: true });
    },
    async advance(ms) {
      await ask({ advance: ms });
    },
    peak: async () => Number(await ask({ peak: true })),
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

type Asked =
  | { readonly edit: true }
  | { readonly register: number }
  | { readonly advance: number }
  | { readonly peak: true };

const description = 'n'.repeat(20_000);
const anybody: Authenticated = {
  ...{
    userId: 'usr_1',
    tenant: 'acme',
    role: 'Viewer',
    permissions: new Set(['plugins:read', 'tenants:read']),
  },
  ...{ sessionId: 'ses_1', scope: null, apiKeyId: null, expiresAt: new Date('2031-01-01T00:00:00.000Z') },
};

async function serve(folder: string): Promise<void> {
  const clock = createVirtualClock();
  const store = await openSqliteEventStore({ path: join(folder, 'log.db'), clock });
  const schemas = createSchemas(allEvents);
  const executor = createExecutor({ store, schemas, snapshots: null, clock, log: createRecordingLog() });
  const authenticate = async () => anybody;
  const upgrades = await openSockets({
    ...{ store, clock, logger: pino({ level: 'silent' }), isReady: () => true, origins: [] },
    announcer: createAnnouncer({ store, schemas, executor, vault: readableSeals() }),
    authentication: { authenticate, authenticateKey: authenticate, holds: async () => true },
    sessions: { onEnd: () => undefined },
    isTrustedProxy: () => false,
    limits: { all: 1_000, perUser: 1_000 },
  });
  const app = () => undefined;
  const { url } = await createHttpServer({ app, upgrades, host: '127.0.0.1', port: 0 });
  const sample = (type: string) =>
    JSON.parse(readFileSync(join(import.meta.dirname, `../golden/${type}.v1.json`), 'utf8')) as JsonObject;
  const plugin = sample('PluginRegistered');
  const created = { ...sample('TenantCreated'), tenantId: 'acme' };
  let edits = 0;
  let registered = 0;
  let most = 0;
  const look = (): void => {
    most = Math.max(most, process.memoryUsage.rss());
  };
  setInterval(look, 10);

  const metadata = {
    ...{ tenant: 'acme', actor: { id: 'usr_1', face: 'test' }, correlationId: 'c', causationId: 'c' },
    ...{ at: '2030-01-01T00:00:00.000Z', schema: 1 },
  };

  async function editTenant(): Promise<void> {
    const [type, data] =
      edits === 0
        ? ['TenantCreated', created]
        : ['TenantEdited', { name: `Edit ${edits}`, at: '2030-01-01T00:00:00.000Z' }];
    const event: NewEvent = { id: randomUUID(), type, data, metadata };
    await store.append('tenant-acme', edits === 0 ? 'none' : edits - 1, [event]);
    edits += 1;
  }

  async function register(): Promise<string> {
    const pluginId = `talkative-${(registered += 1)}`;
    const data = { ...plugin, pluginId, description };
    const event: NewEvent = { id: randomUUID(), type: 'PluginRegistered', data, metadata };
    await store.append(`plugin-${pluginId}`, 'none', [event]);
    return pluginId;
  }

  async function obey(asked: Asked): Promise<unknown> {
    if ('register' in asked) {
      const slugs: string[] = [];
      while (slugs.length * description.length < asked.register * 1024 * 1024)
        slugs.push(...(await Promise.all(Array.from({ length: 20 }, register))));
      return slugs;
    }
    if ('edit' in asked) {
      await editTenant();
      return {};
    }
    if ('advance' in asked) {
      await clock.advance(asked.advance);
      return {};
    }
    look();
    const report = most;
    most = 0;
    return report;
  }

  process.on('message', (asked: Asked) => {
    void obey(asked).then((said) => process.send?.(said as object));
  });
  process.send?.(url);
}

const [, , folder] = process.argv;
if (import.meta.main && folder !== undefined) void serve(folder);
