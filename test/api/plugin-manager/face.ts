/** The Plugin Manager's face over a log in memory, asked over HTTP by people of all roles. */
import { expect } from 'chai';
import { createApp } from '../../../src/api/http/app.ts';
import type { Principal } from '../../../src/api/http/principal.ts';
import type { Route } from '../../../src/api/http/route.ts';
import { ErrorBody } from '../../../src/api/plugin-manager/errors.ts';
import { pluginManagerFace } from '../../../src/api/plugin-manager/face.ts';
import { healthFace } from '../../../src/api/health.ts';
import { permissionsOf, type Role } from '../../../src/domain/permissions.ts';
import type { World } from '../../projections/support.ts';
import { withServer, type Client, type Reply } from '../../support/http.ts';
import { services } from '../http/example.ts';

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
  return { userId: `usr_${name}`, tenant, role, permissions: new Set(permissionsOf(role)), sessionId: name };
}

/** Asks as a person, or as nobody. Every body that is answered is checked against what the route or the face declares. */
export type Ask = (who: Person | null, method: string, path: string, body?: unknown) => Promise<Reply>;

/** @param world whose read models have caught up before each read */
export async function withFace(
  world: Pick<World, 'clock' | 'caughtUp'>,
  routes: readonly Route[],
  use: (ask: Ask, client: Client) => Promise<void>,
): Promise<void> {
  const app = createApp({
    always: healthFace({ clock: world.clock, readiness: () => ({ ready: true, projections: [] }) }),
    faces: [pluginManagerFace(routes.map(checked))],
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
  await withServer(app, async (client) => {
    const ask: Ask = async (who, method, path, body) => {
      const reply = await client.call(method, `/api/v1${path}`, {
        ...(who === null ? {} : { token: who }),
        ...(body === undefined ? {} : { body }),
      });
      if (reply.status >= 400) ErrorBody.parse(reply.body);
      return reply;
    };
    await use(ask, client);
  });
}

/** A route that fails when it answers what it has not declared. */
function checked(route: Route): Route {
  return {
    ...route,
    handler: async (request) => {
      const answer = await route.handler(request);
      const schema = route.responses[answer.status];
      const sent: unknown = JSON.parse(JSON.stringify(answer.body));
      expect(schema?.parse(sent), `${route.method} ${route.path}`).to.deep.equal(sent);
      return answer;
    },
  };
}

/** Refusals of the same kind, as far as their reader can tell them apart: without ids and times of the request. */
export function refusalIn({ status, body }: Reply) {
  const { code, message, details } = ErrorBody.parse(body).error;
  return { status, code, message, details };
}
