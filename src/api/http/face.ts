/** A face: one document's routes under its prefix, in its own spelling of errors. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Router } from 'express';
import type { Express, NextFunction, Request, Response } from 'express';
import type { z } from 'zod';
import { addressOf } from './address.ts';
import { createDispatch } from './dispatch.ts';
import type { RenderedAnswer } from './answer.ts';
import { exchangeOf, problemAnswer, sendAnswer } from './exchange.ts';
import type { ProblemRenderer } from './exchange.ts';
import { Problem } from './problem.ts';
import type { FaceLimits } from './rate-limiting.ts';
import type { Route } from './route.ts';
import type { HttpServices } from './services.ts';

export interface Face {
  /** Part of every event's actor: `plugin-manager`. */
  readonly name: string;
  /** `/api/v1`; empty for routes at the root, beside which other faces live. */
  readonly prefix: string;
  /** Before the names of its operations in the API reference, where another face has the same: `idp`. */
  readonly operationPrefix?: string;
  /** What the tags of its routes stand for, in the API reference: a sentence each. */
  readonly tags: Readonly<Record<string, string>>;
  /** In order: static paths before those with parameters in the same place. */
  readonly routes: readonly Route[];
  readonly errors: ProblemRenderer;
  /** What `errors` answers, for the API reference. */
  readonly errorBody: z.ZodType;
  readonly limits: FaceLimits;
}

/**
 * Answers a face's routes, and in its format all else under its prefix.
 * @throws when a route has no policy, or two routes are the same: the server must not start
 */
export function mountFace(app: Express, face: Face, services: HttpServices): void {
  const router = Router({ caseSensitive: true });
  const dispatch = createDispatch(face, services);
  const refused = (request: Request, response: Response, error: unknown): Promise<void> =>
    refuseUnrouted(request, response, error, face, services);

  const rooms = new Map<string, Router>();
  for (const [path, methods] of byPath(face)) {
    const allowed = allowedMethods(methods);
    const name = firstSegment(path);
    if (name.startsWith(':')) throw new Error(`${face.prefix}${path} begins with a parameter: no path may`);
    const room = rooms.get(name) ?? Router({ caseSensitive: true });
    rooms.set(name, room);
    room.all(path, (request, response) => {
      const { method } = request;
      const route = methods.get(method === 'HEAD' ? 'GET' : method);
      if (route) return dispatch(route, request, response);
      exchangeOf(request).route = path;
      if (method === 'OPTIONS') {
        const answer = { status: 204, headers: { Allow: allowed }, text: null };
        return answerUnrouted(request, response, () => answer, face, services);
      }
      const problem = new Problem('MethodNotAllowed', `This path answers ${allowed}`, {
        headers: { Allow: allowed },
      });
      return refused(request, response, problem);
    });
  }
  // A router tries one path after the other: only those that begin as the request does are worth it.
  router.use((request, response, next) => {
    const room = rooms.get(firstSegment(request.url));
    if (room) room(request, response, next);
    else next();
  });
  if (face.prefix !== '') {
    router.use((request, response) => refused(request, response, noSuchRoute()));
  }
  // Only what the router itself finds wrong comes here: a malformed percent-encoding in a parameter.
  router.use((error: unknown, request: Request, response: Response, _next: NextFunction) =>
    refused(request, response, error),
  );
  app.use(face.prefix === '' ? '/' : face.prefix, router);
}

/** @param path `/plugins/:pluginId` or a target, which may have a query */
function firstSegment(path: string): string {
  return /^\/?([^/?]*)/.exec(path)?.[1] ?? '';
}

type Refusing = Pick<Face, 'errors' | 'limits'>;

/** For what no route answers. All of it is two endpoints, reads and writes, on which each address has the face's limits. */
async function answerUnrouted(
  request: IncomingMessage,
  response: ServerResponse,
  answer: () => RenderedAnswer,
  face: Refusing,
  services: HttpServices,
): Promise<void> {
  const kind = ['GET', 'HEAD', 'OPTIONS'].includes(request.method ?? '') ? 'reads' : 'writes';
  const caller = { address: addressOf(request, services.isTrustedProxy) };
  try {
    await services.rateLimiting.admit(response, caller, `unknown ${kind}`, face.limits[kind]);
    sendAnswer(response, answer());
  } catch (error) {
    sendAnswer(response, problemAnswer(error, exchangeOf(request), face.errors, services));
  }
}

/** Never rejects. */
export function refuseUnrouted(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  face: Refusing,
  services: HttpServices,
): Promise<void> {
  const answer = (): RenderedAnswer => problemAnswer(error, exchangeOf(request), face.errors, services);
  return answerUnrouted(request, response, answer, face, services);
}

export function noSuchRoute(): Problem {
  return new Problem('NotFound', 'There is nothing at this path: what there is stands at /docs');
}

function byPath(face: Face): ReadonlyMap<string, ReadonlyMap<string, Route>> {
  const paths = new Map<string, Map<string, Route>>();
  for (const route of face.routes) {
    const name = `${route.method} ${face.prefix}${route.path}`;
    if (!hasPolicy(route)) throw new Error(`${name} has no policy: say who may call it`);
    const methods = paths.get(route.path) ?? new Map<string, Route>();
    if (methods.has(route.method)) throw new Error(`${name} is declared twice`);
    methods.set(route.method, route);
    paths.set(route.path, methods);
  }
  return paths;
}

/** The types ask for one already; what came past them must not be open to everybody. */
function hasPolicy({ policy }: { readonly policy: unknown }): boolean {
  if (policy === 'public') return true;
  if (typeof policy !== 'object' || policy === null || !('permission' in policy)) return false;
  return typeof policy.permission === 'string' && policy.permission !== '';
}

function allowedMethods(methods: ReadonlyMap<string, Route>): string {
  const names = [...methods.keys(), 'OPTIONS', ...(methods.has('GET') ? ['HEAD'] : [])];
  return names.sort().join(', ');
}
