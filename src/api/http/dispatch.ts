/** What happens to a request of a known route, in the order in which it is refused (decisions 14): 401, 403, 400, the handler. */
import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import type { CommandContext } from '../../core/executor.ts';
import type { Actor, Position } from '../../ports/event-store.ts';
import type { Answer } from './answer.ts';
import { readBody } from './body.ts';
import type { Body } from './body.ts';
import { exchangeOf, problemAnswer, sendAnswer } from './exchange.ts';
import type { Exchange, ProblemRenderer } from './exchange.ts';
import { Problem, problemOf } from './problem.ts';
import type { Principal } from './principal.ts';
import { parseQuery } from './query.ts';
import type { Policy, Route } from './route.ts';
import type { HttpServices } from './services.ts';
import { validated } from './validation.ts';

const defaultMaxBodyBytes = 1_048_576;

/** @returns answers a request of a route; never rejects */
export function createDispatch(
  face: { readonly name: string; readonly errors: ProblemRenderer },
  services: HttpServices,
): (route: Route, request: Request, response: Response) => Promise<void> {
  const { consistency, idempotency } = services;
  const maxBodyBytes = services.maxBodyBytes ?? defaultMaxBodyBytes;

  async function answered(
    route: Route,
    request: Request,
    response: Response,
    exchange: Exchange,
  ): Promise<Answer> {
    const principal = await admitted(route.policy, request, services);
    const reads = route.method === 'GET';
    const body = reads ? null : await readBody(request, maxBodyBytes);
    const input = {
      params: validated(route.params, request.params, 'params'),
      query: validated(route.query, parseQuery(request.url), 'query'),
      body: body ? validated(route.body, body.value, 'body') : undefined,
      principal,
      address: request.socket.remoteAddress ?? '',
    };
    const actor: Actor = { id: principal?.userId ?? 'anonymous', face: face.name };
    const { correlationId } = exchange;
    const run = (context: CommandContext): Promise<Answer> => route.handler({ ...input, context });

    if (reads && principal && (await isStale(request, principal))) response.setHeader('X-Stale', 'true');
    const key = route.idempotent ? idempotencyKey(request) : null;
    const answer =
      key !== null && principal && body
        ? await repeatable(request, exchange, { key, principal, body, actor }, run)
        : await run({ commandId: randomUUID(), correlationId, actor });
    if (answer.position) {
      response.setHeader('X-Position', answer.position);
      if (principal) consistency.remember(principal.userId, answer.position);
    }
    return answer;
  }

  /** A refusal that was decided is an answer to keep like any other (design: 2xx, 404 and 409 are). */
  async function repeatable(
    request: Request,
    exchange: Exchange,
    { key, principal, body, actor }: { key: string; principal: Principal; body: Body; actor: Actor },
    run: (context: CommandContext) => Promise<Answer>,
  ): Promise<Answer> {
    const identity = {
      principal: principal.userId,
      method: request.method,
      path: request.originalUrl,
      key,
      body: body.bytes,
      actor,
      correlationId: exchange.correlationId,
    };
    const { answer, replayed } = await idempotency.run(identity, async (context) => {
      try {
        return await run(context);
      } catch (error) {
        const { kind } = problemOf(error);
        if (kind !== 'NotFound' && kind !== 'Conflict') throw error;
        return problemAnswer(error, exchange, face.errors, services);
      }
    });
    if (!replayed) return answer;
    return { ...answer, headers: { ...answer.headers, 'Idempotency-Replayed': 'true' } };
  }

  async function isStale(request: Request, principal: Principal): Promise<boolean> {
    const position = wantedPosition(request);
    try {
      return (await consistency.ready(principal.userId, position)).stale;
    } catch (error) {
      if (error instanceof Error && error.name === 'ForeignPosition')
        throw badHeader('X-Position', 'is none of this log');
      throw error;
    }
  }

  return async (route, request, response) => {
    const exchange = exchangeOf(request);
    exchange.route = route.path;
    try {
      sendAnswer(response, await answered(route, request, response, exchange));
    } catch (error) {
      sendAnswer(response, problemAnswer(error, exchange, face.errors, services));
    }
  };
}

async function admitted(
  policy: Policy,
  request: Request,
  { authenticate }: Pick<HttpServices, 'authenticate'>,
): Promise<Principal | null> {
  if (policy === 'public') return null;
  const token = bearer.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) {
    throw new Problem('Unauthenticated', 'Send a session token: Authorization: Bearer {token}');
  }
  const principal = await authenticate(token);
  if (!principal.permissions.has(policy.permission)) {
    throw new Problem('Forbidden', `This needs the permission ${policy.permission}`);
  }
  return principal;
}

/** RFC 6750; the scheme's name is compared without case (RFC 9110). */
const bearer = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i;
const visibleAscii = /^[\x21-\x7e]{1,255}$/;

function idempotencyKey(request: Request): string | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && visibleAscii.test(key)) return key;
  throw badHeader('Idempotency-Key', 'must be 1 to 255 visible ASCII characters');
}

function wantedPosition(request: Request): Position | null {
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
