/** The past of a platform that does not run: its data folder, asked through the very routes that a running one answers by. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { auditRoutes } from './api/audit/routes.ts';
import { Problem } from './api/http/problem.ts';
import type { Route } from './api/http/route.ts';
import { validated } from './api/http/validation.ts';
import { prefix } from './api/plugin-manager/face.ts';
import { openSqliteEventStore } from './adapters/sqlite/event-store.ts';
import { UnreadableLog } from './adapters/sqlite/event-store-schema.ts';
import { lockFolder, StoreLocked } from './adapters/sqlite/folder-lock.ts';
import type { Source } from './audit-client/source.ts';
import { Refused } from './client/api.ts';
import { createSystemClock } from './adapters/system-clock.ts';
import { createExecutor } from './core/command-executor.ts';
import type { Projection } from './core/projection.ts';
import { createSchemas, type Schemas } from './core/schemas.ts';
import { platformTenant } from './domain/ids.ts';
import { permissionsOf } from './domain/permissions.ts';
import { allEvents } from './events.ts';
import type { EventStore } from './ports/event-store.ts';
import { allProjections } from './projections.ts';
import { createAnnouncer } from './projections/announcements/announcer.ts';

/** Whoever can read the folder can read everything in it. */
const staff = {
  userId: 'usr_offline',
  tenant: platformTenant,
  role: 'PlatformAdmin',
  permissions: new Set<string>(permissionsOf('PlatformAdmin')),
  sessionId: null,
  scope: null,
} as const;

export interface StoppedPlatform {
  readonly store: EventStore;
  readonly schemas: Schemas;
  readonly projections: readonly Projection[];
  close(): Promise<void>;
}

/**
 * @param remote its log, where that is not in the folder; it is closed with it
 * @throws {Refused} when a platform runs on the folder, or there is no log
 */
export async function openStopped(folder: string, remote: EventStore | null): Promise<StoppedPlatform> {
  const { store, release } = remote ? { store: remote, release: () => undefined } : await openLogIn(folder);
  const schemas = createSchemas(allEvents);
  const clock = createSystemClock();
  const log = pino({ level: 'silent' });
  const executor = createExecutor({ store, schemas, snapshots: null, clock, log });
  // No document has what only the vault can open.
  const vault = { openFor: async () => null };
  return {
    store,
    schemas,
    projections: allProjections(createAnnouncer({ store, schemas, executor, vault })),
    close: async () => {
      await store.close();
      release();
    },
  };
}

async function openLogIn(
  folder: string,
): Promise<{ readonly store: EventStore; readonly release: () => void }> {
  const path = join(folder, 'log.db');
  await access(path).catch(() => {
    throw new Refused(`There is no log in ${folder}: --data names the data folder of a platform`);
  });
  const lock = await lockFolder(folder).catch(asRefused);
  const store = await openSqliteEventStore({ path }).catch((error: unknown) => {
    lock.release();
    return asRefused(error);
  });
  return { store, release: () => lock.release() };
}

/** @throws {Refused} as {@link openStopped} */
export async function openFolder(folder: string, remote: EventStore | null): Promise<Source> {
  const platform = await openStopped(folder, remote);
  const { store, schemas, projections } = platform;
  const emails = async () => new Map<string, string>();
  const routes = auditRoutes({ store, schemas, clock: createSystemClock(), projections, emails });
  return { get: (asked, query = {}) => answered(routes, asked, query), close: () => platform.close() };
}

function asRefused(error: unknown): never {
  const told = error instanceof StoreLocked || error instanceof UnreadableLog;
  throw told ? new Refused(error.message) : error;
}

async function answered(
  routes: readonly Route[],
  asked: string,
  query: NonNullable<Parameters<Source['get']>[1]>,
): Promise<unknown> {
  const found = routes.flatMap((route) => {
    const params = route.method === 'GET' ? paramsOf(`${prefix}${route.path}`, asked) : null;
    return params ? [{ route, params }] : [];
  })[0];
  if (!found) throw new Error(`nothing answers ${asked} from a folder`);
  const { route, params } = found;
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  try {
    const { body } = await route.handler({
      ...{
        params: validated(route.params, params, 'params'),
        body: undefined,
        principal: staff,
        address: '',
        whenGone: () => undefined,
      },
      query: validated(
        route.query,
        Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
        'query',
      ),
      context: { commandId: '', correlationId: '', actor: { id: staff.userId, face: 'offline' } },
    });
    // As it would come over the wire.
    return JSON.parse(JSON.stringify(body)) as unknown;
  } catch (error) {
    if (error instanceof Problem) throw new Refused(error.message);
    throw error;
  }
}

/** Null: it is another path. */
function paramsOf(path: string, asked: string): Readonly<Record<string, string>> | null {
  const [names, parts] = [path.split('/'), asked.split('/')];
  if (names.length !== parts.length) return null;
  const pairs = names.map((name, index) => [name, decodeURIComponent(parts[index] ?? '')] as const);
  if (pairs.some(([name, part]) => !name.startsWith(':') && name !== part)) return null;
  return Object.fromEntries(
    pairs.flatMap(([name, part]) => (name.startsWith(':') ? [[name.slice(1), part]] : [])),
  );
}
