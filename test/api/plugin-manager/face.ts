/** The Plugin Manager's face over a log in memory, asked over HTTP by people of all roles. */
import { createApp } from '../../../src/api/http/app.ts';
import type { Principal } from '../../../src/api/http/principal.ts';
import type { Route } from '../../../src/api/http/route.ts';
import { openApiFace } from '../../../src/api/openapi/face.ts';
import { ErrorBody } from '../../../src/api/plugin-manager/errors.ts';
import { pluginManagerFace } from '../../../src/api/plugin-manager/face.ts';
import { healthFace } from '../../../src/api/health.ts';
import { permissionsOf, type Role } from '../../../src/domain/permissions.ts';
import type { World } from '../../projections/support.ts';
import { createDescribedClient, withServer, type Client, type Reply } from '../../support/http.ts';
import { services, testInfo } from '../http/example.ts';

/** Each is a token as well. */
export const people = {
  admin: principal('admin', 'platform', 'PlatformAdmin'),
  developer: principal('developer', 'tenant-makers', 'PluginDeveloper'),
  otherDeveloper: principal('other-developer', 'tenant-rivals', 'PluginDeveloper'),
  acme: principal('acme', 'tenant-acme-corp', 'TenantAdmin'),
  globex: principal('globex', 'tenant-globex', 'TenantAdmin'),
  viewer: principal('viewer', 'tenant-acme-corp', 'Viewer'),
};
export type Person = keyof typeof people;

function principal(name: string, tenant: string, role: Role): Principal {
  return {
    userId: `usr_${name}`,
    tenant,
    role,
    permissions: new Set(permissionsOf(role)),
    sessionId: name,
    scope: null,
  };
}

/** Asks as a person, or as nobody. Every answer is held to what the face says of itself. */
export type Ask = (who: Person | null, method: string, path: string, body?: unknown) => Promise<Reply>;

/** @param world whose read models have caught up before each read */
export async function withFace(
  world: Pick<World, 'clock' | 'caughtUp'>,
  routes: readonly Route[],
  use: (ask: Ask, client: Client) => Promise<void>,
): Promise<void> {
  const face = pluginManagerFace(routes);
  const app = createApp({
    always: healthFace({
      clock: world.clock,
      readiness: () => ({ ready: true, stopping: false, projections: [] }),
      isLogWhole: () => true,
    }),
    faces: [face, openApiFace([face], testInfo)],
    isReady: () => true,
    services: {
      ...services,
      clock: world.clock,
      authenticate: async (token) => people[token as Person],
      consistency: {
        reached: () => undefined,
        wait: async () => {
          await world.caughtUp();
          return { stale: false };
        },
      },
    },
  });
  await withServer(app, async ({ url }) => {
    const client = await createDescribedClient(url);
    const ask: Ask = (who, method, path, body) =>
      client.call(method, `/api/v1${path}`, {
        ...(who === null ? {} : { token: who }),
        ...(body === undefined ? {} : { body }),
      });
    await use(ask, client);
  });
}

/** Refusals of the same kind, as far as their reader can tell them apart: without ids and times of the request. */
export function refusalIn({ status, body }: Reply) {
  const { code, message, details } = ErrorBody.parse(body).error;
  return { status, code, message, details };
}
