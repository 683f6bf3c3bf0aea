/** What happens to a request of a known route, in the order in which it is refused (decisions 14): 401, 429, 403, 400, the handler. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CommandContext } from '../../core/executor.ts';
import type { KeyedRequest } from '../../core/idempotency.ts';
import type { Position } from '../../ports/event-store.ts';
import type { RateLimit } from '../../ports/rate-limits.ts';
import { addressOf } from './address.ts';
import { rendered } from './answer.ts';
import type { RenderedAnswer } from './answer.ts';
import { noBody, readBody } from './body.ts';
import { conditionsOf, tagged } from './conditions.ts';
import { problemAnswer, sendAnswer } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import type { Face } from './face.ts';
import { Problem, problemOf } from './problem.ts';
import { lacking } from './lacking.ts';
import type { Principal } from './principal.ts';
import { parseQuery } from './query.ts';
import { timesSent } from './raw-headers.ts';
import type { FaceLimits } from './rate-limiting.ts';
import type { Route } from './route.ts';
import type { HttpServices } from './services.ts';
import { validated } from './validation.ts';

/** A request whose route is known. */
export interface Routed {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly exchange: Exchange;
  /** Path and query. */
  readonly target: string;
  readonly params: Readonly<Record<string, string | undefined>>;
}

const defaultMaxBodyBytes = 1_048_576;

/** @returns answers a request of a route; never rejects */
export function createDispatch(
  face: Pick<Face, 'name' | 'prefix' | 'errors' | 'limits'>,
  services: HttpServices,
): (route: Route, routed: Routed) => Promise<void> {
  const { consistency, idempotency, rateLimiting, isTrustedProxy } = services;
  const maxBodyBytes = services.maxBodyBytes ?? defaultMaxBodyBytes;

  async function answered(route: Route, routed: Routed): Promise<RenderedAnswer> {
    const { request, response, exchange, target } = routed;
    const address = addressOf(request, isTrustedProxy);
    const principal = await admitted(route, request, exchange, address);
    const isRead = route.method === 'GET';
    const { precondition, hold } = conditionsOf(route, request.headers);
    const body = isRead ? noBody : await readBody(request, maxBodyBytes);
    const input = {
      params: validated(route.params, routed.params, 'params'),
      query: validated(route.query, parseQuery(target), 'query'),
      body: isRead ? undefined : validated(route.body, body.value, 'body'),
      principal,
      address,
      whenGone: (callback: () => void) => void response.once('close', callback),
    };
    const cause = {
      correlationId: exchange.correlationId,
      actor: { id: principal?.userId ?? 'anonymous', face: face.name },
      ...(precondition ? { precondition } : {}),
    };
    const run = async (
      identity: Pick<CommandContext, 'commandId' | 'mayRepeat'>,
    ): Promise<RenderedAnswer> => {
      const answer = await route.handler({ ...input, context: { ...identity, ...cause } });
      if (answer.position && principal) consistency.reached(principal.userId, answer.position);
      return tagged(route, answer, rendered(answer));
    };

    if (!principal) return hold(await run({ commandId: randomUUID() }));
    if (isRead) {
      if (!(await isStale(request, principal, route.reads)))
        return hold(await run({ commandId: randomUUID() }));
      // Also of what is not there: it may be, by now.
      const answer = await run({ commandId: randomUUID() }).catch((error: unknown) =>
        decidedRefusal(error, exchange),
      );
      return withHeader(hold(answer), 'X-Stale', 'true');
    }
    const key = route.idempotent ? idempotencyKey(request) : null;
    if (key === null) return run({ commandId: randomUUID() });
    const { userId, tenant } = principal;
    const { method } = route;
    const keyed = { ...cause, principal: userId, tenant, method, path: target, key, body: body.bytes };
    return repeatable(keyed, exchange, run);
  }

  async function admitted(
    route: Route,
    request: IncomingMessage,
    exchange: Exchange,
    address: string,
  ): Promise<Principal | null> {
    const { policy } = route;
    const endpoint = `${route.method} ${face.prefix}${route.path}`;
    const limit = limitOf(route, face.limits);
    if (policy === 'public') {
      await rateLimiting.admit(exchange, { address }, endpoint, limit);
      return null;
    }
    let principal: Principal;
    try {
      principal = await authenticated(request, services);
    } catch (error) {
      await rateLimiting.admit(exchange, { address }, endpoint, limit);
      throw error;
    }
    await rateLimiting.admit(exchange, principal, endpoint, limit);
    if (principal.permissions.has(policy.permission)) return principal;
    throw lacking(principal, policy.permission);
  }

  /** What was decided on what is there, as an answer; what was not is thrown on. */
  function decidedRefusal(error: unknown, exchange: Exchange): RenderedAnswer {
    const { kind } = problemOf(error);
    if (kind !== 'NotFound' && kind !== 'Conflict') throw error;
    return problemAnswer(error, exchange, face.errors, services);
  }

  /** A refusal that was decided is an answer to keep like any other (design: 2xx, 404 and 409 are). */
  async function repeatable(
    request: KeyedRequest,
    exchange: Exchange,
    run: (identity: Pick<CommandContext, 'commandId' | 'mayRepeat'>) => Promise<RenderedAnswer>,
  ): Promise<RenderedAnswer> {
    const { answer, replayed } = await idempotency.run(request, async (identity) => {
      const { status, headers, text } = await run(identity).catch((error: unknown) =>
        decidedRefusal(error, exchange),
      );
      return { status, headers, body: text };
    });
    const { status, headers, body: text } = answer;
    if (text !== null && typeof text !== 'string') throw new Error('an answer was kept that is no text');
    const repeated = { status, headers, text };
    return replayed ? withHeader(repeated, 'Idempotency-Replayed', 'true') : repeated;
  }

  async function isStale(
    request: IncomingMessage,
    { userId }: Principal,
    projections: Route['reads'],
  ): Promise<boolean> {
    const position = wantedPosition(request);
    try {
      return (await consistency.wait({ principal: userId, projections, position })).stale;
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ForeignPosition') throw error;
      throw badHeader('X-Position', 'is none of this log');
    }
  }

  return async (route, routed) => {
    const { response, exchange } = routed;
    exchange.route = route.path;
    try {
      sendAnswer(response, exchange, await answered(route, routed));
    } catch (error) {
      sendAnswer(response, exchange, problemAnswer(error, exchange, face.errors, services));
    }
  };
}

function withHeader(answer: RenderedAnswer, name: string, value: string): RenderedAnswer {
  return { ...answer, headers: { ...answer.headers, [name]: value } };
}

function limitOf({ limit, method }: Route, { reads, writes }: FaceLimits): RateLimit | null {
  if (limit === 'none') return null;
  if (limit !== 'of the face') return limit;
  return method === 'GET' ? reads : writes;
}

async function authenticated(
  { headers, rawHeaders }: Pick<IncomingMessage, 'headers' | 'rawHeaders'>,
  { authenticate, authenticateKey }: Pick<HttpServices, 'authenticate' | 'authenticateKey'>,
): Promise<Principal> {
  const { authorization, 'x-api-key': apiKey } = headers;
  if (apiKey !== undefined) {
    // Which of two would count, somebody will guess wrong.
    if (authorization !== undefined) throw badHeader('X-API-Key', 'cannot come with Authorization: send one');
    return authenticateKey(String(apiKey));
  }
  // Of two, Node keeps the first, and a proxy in front may have judged by the last.
  const isOne = timesSent('authorization', rawHeaders) === 1;
  const token = isOne ? bearer.exec(authorization ?? '')?.[1] : undefined;
  if (token === undefined) {
    const message = 'Send a session token, Authorization: Bearer {token}, or an API key, X-API-Key: {key}';
    throw new Problem('Unauthenticated', message);
  }
  return authenticate(token);
}

/** RFC 6750; the scheme's name is compared without case (RFC 9110). */
const bearer = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i;
const visibleAscii = /^[\x21-\x7e]{1,255}$/;

function idempotencyKey(request: IncomingMessage): string | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && visibleAscii.test(key)) return key;
  throw badHeader('Idempotency-Key', 'must be 1 to 255 visible ASCII characters');
}

function wantedPosition(request: IncomingMessage): Position | null {
  const position = request.headers['x-position'];
  if (position === undefined) return null;
  if (typeof position === 'string' && isPosition(position)) return position;
  throw badHeader('X-Position', 'is not a position that this API has answered');
}

/** Only its outer form, `logId:position`: whose it is, its store knows. */
function isPosition(text: string): text is Position {
  return /^[\w-]{1,64}:[\w./-]{1,64}$/.test(text);
}

function badHeader(field: string, message: string): Problem {
  return new Problem('Invalid', `${field} ${message}`, { details: [{ field, message }] });
}
