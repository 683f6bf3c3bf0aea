/**
 * Several processes of one platform, in this process: whole servers over the same log, read models, vault, leases and rate limits. What
 * each keeps in memory is its own, as it is where they are processes of the system.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pino } from 'pino';
import { openMemoryRateLimits } from '../../src/adapters/memory/rate-limits.ts';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModels } from '../../src/adapters/sqlite/read-models.ts';
import { openSqliteVault } from '../../src/adapters/sqlite/vault.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { readConfig } from '../../src/config.ts';
import type { Replaced } from '../../src/container.ts';
import type { ServerRole } from '../../src/roles.ts';
import { type Server, startServer } from '../../src/server.ts';
import { createDescribedClient, type Client } from './http.ts';
import { openMemoryLeases } from './memory-leases.ts';
import { adminEmail, adminPassword } from './server.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface SharedProcess extends Client {
  readonly server: Server;
}

export interface SharedPlatform {
  readonly stores: Required<Pick<Replaced, 'eventStore' | 'readModels' | 'vault' | 'leases' | 'rateLimits'>>;
  /** Another process. Whether it is ready depends on what the others do. */
  start(
    roles: readonly ServerRole[],
    options?: { readonly settings?: Readonly<Record<string, string>>; readonly ports?: Replaced },
  ): Promise<SharedProcess>;
  /** Ends all that still run. */
  close(): Promise<void>;
}

export async function openSharedPlatform(): Promise<SharedPlatform> {
  const folder = await temporaryFolder();
  const clock = createSystemClock();
  const opened = {
    eventStore: await openSqliteEventStore({ path: join(folder.path, 'log.db'), clock }),
    readModels: await openSqliteReadModels({ path: join(folder.path, 'read-models.db') }),
    vault: await openSqliteVault({ path: join(folder.path, 'vault.db'), masterKey: randomBytes(32), clock }),
    leases: openMemoryLeases(clock),
    rateLimits: await openMemoryRateLimits({ clock }),
  };
  const close = async (): Promise<void> => undefined;
  const stores = {
    eventStore: { ...opened.eventStore, close },
    readModels: { ...opened.readModels, close },
    vault: { ...opened.vault, close },
    leases: { ...opened.leases, close },
    rateLimits: { ...opened.rateLimits, close },
  };
  const JWT_SECRET = randomBytes(32).toString('base64');
  const started: { readonly server: Server; readonly remove: () => Promise<void> }[] = [];

  return {
    stores,
    async start(roles, { settings = {}, ports = {} } = {}) {
      const own = await temporaryFolder();
      const config = readConfig({
        ...{ PORT: '0', SLIPWAY_DATA_DIR: own.path, JWT_SECRET, SLIPWAY_RATE_LIMITS: 'off' },
        ...{ SLIPWAY_ADMIN_EMAIL: adminEmail, SLIPWAY_ADMIN_PASSWORD: adminPassword },
        ...settings,
      });
      const server = await startServer(
        // As it is read where the shared stores are named.
        { ...config, SLIPWAY_ROLES: [...roles] },
        {
          logger: pino({ level: 'silent' }),
          announce: () => undefined,
          ports: { ...stores, clock, ...ports },
        },
      );
      started.push({ server, remove: () => own.remove() });
      // The description can be asked for once the server is ready.
      let client: Promise<Client> | null = null;
      const call: Client['call'] = roles.includes('api')
        ? async (...asked) => (await (client ??= createDescribedClient(server.url))).call(...asked)
        : (method, path) => plain(server.url, method, path);
      return { server, url: server.url, call };
    },
    async close() {
      await Promise.all(started.map(({ server }) => server.stop()));
      for (const { remove } of started) await remove();
      await opened.readModels.close();
      await opened.vault.close();
      await opened.eventStore.close();
      await folder.remove();
    },
  };
}

/** A process that answers no API has no description of one. */
async function plain(url: string, method: string, path: string): ReturnType<Client['call']> {
  const response = await fetch(url + path, { method });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text && (JSON.parse(text) as unknown) };
}
