/** What a route may answer, refusals included: those of the kernel follow from what the route is. */
import { z } from 'zod';
import type { Face } from '../http/face.ts';
import { Problem, type ProblemKind } from '../http/problem.ts';
import type { AnswerContent, Route } from '../http/route.ts';
import { headersOf, reference } from './headers.ts';
import type { JsonObject } from './json.ts';
import type { Schemas } from './schemas.ts';

export interface Responses {
  /** By status. */
  of(face: Face, route: Route): JsonObject;
  /** Refusals that many routes share, by their names. */
  readonly components: Readonly<Record<string, JsonObject>>;
}

const sentences: Readonly<Record<ProblemKind, string>> = {
  Invalid: 'Something in the request is not as described; `details` name it',
  DependencyConflict: 'Dependencies of plugins do not fit together',
  Unauthenticated: 'There is no session token or API key that holds',
  Forbidden: 'The caller may not do this',
  NotFound: 'Something that the request names does not exist',
  MethodNotAllowed: 'The path does not answer this method',
  Conflict: 'The present state does not allow it, or it was done before',
  PreconditionFailed:
    'It is not as the condition in the request says: `If-Match`, or `If-None-Match` of a change',
  PayloadTooLarge: 'The body is too large',
  UnsupportedMediaType: 'The body is not JSON in UTF-8, sent as it is',
  IdempotencyKeyReused: 'The `Idempotency-Key` was used for another request',
  UpgradeRequired: 'The path speaks another protocol: `Upgrade` names it',
  RateLimited: 'That was too often; `Retry-After` says how long to wait',
  Internal: 'Something went wrong on the side of the server',
  Unavailable: 'Not just now: the server is starting, or cannot reach what it needs; try again',
};

export function createResponses(schemas: Schemas): Responses {
  const components: Record<string, JsonObject> = {};

  function refusal(face: Face, kinds: readonly ProblemKind[]): JsonObject {
    const response = {
      description: kinds.map((kind) => sentences[kind]).join('. Or: '),
      headers: headersOf.refusal(kinds),
      content: {
        'application/json': {
          schema: schemas.describe(face.errorBody, 'output'),
          ...examplesOf(face, kinds),
        },
      },
    };
    const plain = kinds.join('Or');
    const isTaken = components[plain] && JSON.stringify(components[plain]) !== JSON.stringify(response);
    const name = isTaken ? `${face.name}.${plain}` : plain;
    components[name] = response;
    return reference('responses', name);
  }

  function success(route: Route, content: AnswerContent): JsonObject {
    return {
      description: route.summary,
      headers: headersOf.success(route),
      ...(content ? { content: described(content) } : {}),
    };
  }

  function described(content: NonNullable<AnswerContent>): JsonObject {
    if (content instanceof z.ZodType) return schemas.content(content, 'output');
    return { [content.mediaType]: { schema: { type: 'string' } } };
  }

  return {
    components,
    of(face, route) {
      const answers = Object.entries(route.responses).map(
        ([status, content]) => [status, success(route, content)] as const,
      );
      const notModified = {
        description: 'It is what `If-None-Match` says that the caller has already',
        headers: headersOf.success(route),
      };
      const byStatus = Map.groupBy(
        problemsOf(route),
        (kind) => face.errors(new Problem(kind, ''), somebody).status,
      );
      const refusals = [...byStatus].map(([status, kinds]) => [status, refusal(face, kinds)] as const);
      const isSwitch = answers.every(([status]) => Number(status) < 200);
      return {
        ...Object.fromEntries(refusals),
        ...Object.fromEntries(answers),
        ...(isSwitch ? { default: ofHttpItself } : {}),
        ...(isComparing(route) ? { 304: notModified } : {}),
      };
    },
  };
}

/**
 * True of every path, and said where nothing else says how it ends well: a path that switches protocols answers no 2xx, and
 * OpenAPI's linters ask for one of the two.
 */
const ofHttpItself = {
  description: 'Refused by HTTP itself, without a body: headers that are malformed, too large or too slow',
};

/** One, or one of each kind that a status stands for. */
function examplesOf({ errors, errorBody }: Face, kinds: readonly ProblemKind[]): JsonObject {
  const all = kinds.map((kind) => {
    const documented = kind === 'Invalid' ? errorBody.meta()?.['example'] : undefined;
    const value = documented ?? errors(new Problem(kind, sentences[kind]), somebody).body;
    return { kind, value };
  });
  const [first, ...others] = all;
  if (others.length === 0) return { example: first?.value };
  return {
    examples: Object.fromEntries(all.map(({ kind, value }) => [kind, { summary: sentences[kind], value }])),
  };
}

/** A read of something that has an `ETag`. */
function isComparing({ method, etag }: Route): boolean {
  return method === 'GET' && etag !== null;
}

const somebody = { traceId: 'trace-xyz789', timestamp: '2025-11-23T12:00:00.000Z' };

/** In the order in which they are looked for. */
export function problemsOf(route: Route): readonly ProblemKind[] {
  const { policy, method, path, idempotent, limit, refusals, conditional } = route;
  const isClosed = policy !== 'public';
  const isWrite = method !== 'GET';
  const kinds: readonly (readonly [ProblemKind, boolean])[] = [
    ['Unauthenticated', isClosed],
    ['RateLimited', isClosed || limit !== 'none'],
    ['Forbidden', isClosed],
    ['UnsupportedMediaType', isWrite],
    ['PayloadTooLarge', isWrite],
    ['Invalid', true],
    ['IdempotencyKeyReused', idempotent],
    ['NotFound', path.includes(':')],
    // What was answered long ago is kept no longer, and not done again.
    ['Conflict', idempotent],
    ['PreconditionFailed', conditional !== null || isComparing(route)],
    ['Internal', true],
    ['Unavailable', true],
  ];
  const ofTheKernel = kinds.flatMap(([kind, may]) => (may ? [kind] : []));
  return [...new Set([...ofTheKernel, ...refusals])];
}
