/** A face of routes that only tests know, with services that answer at once. */
import { pino } from 'pino';
import { z } from 'zod';
import type { RequestListener } from 'node:http';
import type { Face } from '../../../src/api/http/face.ts';
import { createApp } from '../../../src/api/http/app.ts';
import type { AppOptions } from '../../../src/api/http/app.ts';
import type { Principal } from '../../../src/api/http/principal.ts';
import { route } from '../../../src/api/http/route.ts';
import type { Route } from '../../../src/api/http/route.ts';
import type { Consistency } from '../../../src/core/consistency.ts';
import type { Answer as KeptAnswer, Idempotency } from '../../../src/core/idempotency.ts';
import type { HttpServices } from '../../../src/api/http/services.ts';
import { healthFace } from '../../../src/api/health.ts';
import { pluginManagerFace } from '../../../src/api/plugin-manager/face.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { Position } from '../../../src/ports/event-store.ts';

export const clock: Clock = {
  now: () => 1_764_000_000_000,
  monotonic: () => 0,
  after: () => () => undefined,
};

/** What documents of tests say of themselves. */
export const testInfo = {
  title: 'Things',
  version: '1.0.0',
  description: 'Of tests',
  license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
};

export const here = 'log-1:7' as Position;

class ApiKeyRefused extends Error {
  override readonly name = 'ApiKeyRefused';
}
class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
}
class ForeignPosition extends Error {
  override readonly name = 'ForeignPosition';
}
class NotThereYet extends Error {
  override readonly name = 'NotThereYet';
}
class IdempotencyKeyReused extends Error {
  override readonly name = 'IdempotencyKeyReused';
}

function principal(name: string, ...permissions: string[]): Principal {
  return {
    userId: `usr_${name}`,
    tenant: 'acme',
    role: 'Viewer',
    permissions: new Set(permissions),
    sessionId: name,
    scope: null,
  };
}
const principals = new Map<string, Principal>([
  ['writer', principal('writer', 'things:read', 'things:write')],
  ['reader', principal('reader', 'things:read')],
]);

export interface Example {
  readonly app: RequestListener;
  /** Lines of the log, parsed. */
  readonly log: readonly unknown[];
  readonly remembered: readonly string[];
  /** The positions that reads waited for. */
  readonly waited: readonly (string | null)[];
}

export const Thing = z.strictObject({
  name: z.string().min(1).max(20),
  version: z
    .strictObject({ dependencies: z.array(z.strictObject({ versionConstraint: z.string() })).max(5) })
    .optional(),
  settings: z.record(z.string(), z.unknown()).optional(),
});

/** Things that can be made and shown. @param make what POST /things does beside answering */
export function thingRoutes(make: (name: string) => void = () => undefined): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/things',
      summary: 'Make a thing',
      policy: { permission: 'things:write' },
      body: Thing,
      responses: { 201: Thing },
      idempotent: true,
      handler: async ({ body, principal, context }) => {
        make(body.name);
        return {
          status: 201,
          body: { ...body, by: principal.userId, command: context.commandId, actor: context.actor },
          position: here,
        };
      },
    }),
    route({
      method: 'GET',
      path: '/things',
      summary: 'List things',
      policy: { permission: 'things:read' },
      query: z.strictObject({
        limit: z.coerce.number().int().min(1).max(100).default(20),
        offset: z.coerce.number().int().min(0).default(0),
        tags: z.string().optional(),
      }),
      responses: { 200: z.array(Thing) },
      handler: async ({ query }) => ({ status: 200, body: query }),
    }),
    route({
      method: 'GET',
      path: '/things/:name',
      summary: 'Show a thing',
      policy: { permission: 'things:read' },
      params: z.strictObject({ name: z.string().max(20) }),
      responses: { 200: Thing },
      handler: async ({ params }) => ({ status: 200, body: { name: params.name } }),
    }),
    route({
      method: 'DELETE',
      path: '/things/:name',
      summary: 'Delete a thing',
      policy: { permission: 'things:write' },
      params: z.strictObject({ name: z.string() }),
      responses: { 204: null },
      handler: async () => ({ status: 204 }),
    }),
    route({
      method: 'POST',
      path: '/echo',
      summary: 'Answer what was sent',
      policy: 'public',
      body: z.unknown(),
      responses: { 200: z.unknown() },
      handler: async ({ body }) => ({ status: 200, body: { body } }),
    }),
  ];
}

/** A log that ends at 8: later is not there yet, and 8 itself comes late. */
const consistency: Consistency = {
  reached: () => undefined,
  wait: async ({ position }) => {
    if (position?.startsWith('log-2:')) throw new ForeignPosition('of another log');
    if (position === 'log-1:99') throw new NotThereYet('not there');
    return { stale: position === 'log-1:8' };
  },
};

function createIdempotency(): Idempotency {
  const kept = new Map<string, { readonly body: string; readonly answer: KeptAnswer }>();
  return {
    run: async ({ key, body }, execute) => {
      const text = Buffer.from(body).toString();
      const before = kept.get(key);
      if (before && before.body !== text) throw new IdempotencyKeyReused('another body');
      if (before) return { answer: before.answer, replayed: true };
      const answer = await execute({ commandId: `command of ${key}`, mayRepeat: false });
      kept.set(key, { body: text, answer });
      return { answer, replayed: false };
    },
  };
}

export const services: HttpServices = {
  clock,
  logger: pino({ level: 'silent' }),
  authenticate: async (token) => {
    const known = principals.get(token);
    if (!known) throw new TokenRefused('unknown token');
    return known;
  },
  authenticateKey: async (key) => {
    const known = principals.get(key);
    if (!known) throw new ApiKeyRefused('unknown key');
    return { ...known, sessionId: null };
  },
  consistency,
  idempotency: createIdempotency(),
  rateLimiting: { admit: async () => undefined },
  isTrustedProxy: () => false,
};

/** @param routes of the Plugin Manager's face; @param beside faces beside it */
export function example(
  routes: readonly Route[] = thingRoutes(),
  options: Partial<Pick<AppOptions, 'isReady' | 'corsOrigins'> & Pick<HttpServices, 'rateLimiting'>> = {},
  beside: readonly Face[] = [],
): Example {
  const { isReady = () => true, corsOrigins = [], rateLimiting = services.rateLimiting } = options;
  const log: unknown[] = [];
  const remembered: string[] = [];
  const waited: (string | null)[] = [];
  const app = createApp({
    always: healthFace({
      clock,
      readiness: () => ({ ready: isReady(), stopping: false, projections: [] }),
      isLogWhole: () => true,
    }),
    faces: [pluginManagerFace(routes), ...beside],
    isReady,
    corsOrigins,
    services: {
      ...services,
      rateLimiting,
      logger: pino({ level: 'info' }, { write: (line: string) => void log.push(JSON.parse(line)) }),
      consistency: {
        reached: (who, position) => void remembered.push(`${who} ${position}`),
        wait: async (question) => {
          waited.push(question.position ?? null);
          return consistency.wait(question);
        },
      },
      idempotency: createIdempotency(),
    },
  });
  return { app, log, remembered, waited };
}
