/** A route is data: what it is called, who may call it, what it takes and answers. Types, validation and OpenAPI come from it. */
import { z } from 'zod';
import type { CommandContext } from '../../core/executor.ts';
import type { RateLimit } from '../../ports/rate-limits.ts';
import type { Answer } from './answer.ts';
import type { Principal } from './principal.ts';
import type { ProblemKind } from './problem.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Who may call: everybody, or principals that have the permission. */
export type Policy = 'public' | { readonly permission: string };

/** What an answer holds: JSON as its schema says, text of a media type, or nothing. */
export type AnswerContent = z.ZodType | { readonly mediaType: string } | null;

export interface RouteRequest<P, Q, B, Who> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly principal: Who;
  /** For the commands that the handler runs; the same for a repetition with the same `Idempotency-Key`. */
  readonly context: CommandContext;
  /** Where the caller is, `::1`; of the last proxy that is not trusted, where there are any. */
  readonly address: string;
  /** Calls back once nobody waits for the answer any more: it was sent, or the caller has hung up. */
  readonly whenGone: (callback: () => void) => void;
}

const noMembers = z.strictObject({});
/** `{}` is forgiven: many clients send it with every POST. */
const noBody = z.strictObject({}).optional();

/** Null for public routes: nobody has looked at who calls. */
export type PrincipalOf<A extends Policy> = A extends 'public' ? null : Principal;

export interface RouteDefinition<
  A extends Policy,
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
> {
  readonly method: Method;
  /** Below the face's prefix, parameters with a colon: `/plugins/:pluginId`. */
  readonly path: `/${string}`;
  readonly summary: string;
  /** Groups routes in the API reference. */
  readonly tag?: string;
  readonly policy: A;
  /** Strict objects of strings in; a route without one takes none. */
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Of the API reference, and so of generated clients; default: made of method and path. */
  readonly operationId?: string;
  /** What it answers when all is well. The tests hold every answer to it. */
  readonly responses: Readonly<Record<number, AnswerContent>>;
  /** Headers of these answers, beside those that every answer may have: names and what they say. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Its successes show one resource and carry an `ETag`, which `If-None-Match` and `If-Match` of a GET are compared with.
   * `version`: the handler says which `version` of the resource it is. `content`: only the bytes tell.
   */
  readonly etag?: 'version' | 'content';
  /**
   * Of a change: `If-Match` is compared, and `If-None-Match: *` where it may create; the command that the handler runs holds its
   * decision to `context.precondition`. Without this, a change that comes with such a header is refused, not done regardless.
   */
  readonly conditional?: 'change' | 'change or create';
  /** What it may refuse, beside what the kernel refuses on every route of its kind. */
  readonly refusals?: readonly ProblemKind[];
  /** Whether `Idempotency-Key` is honoured: for every command but login. */
  readonly idempotent?: boolean;
  /** How often a user may call it; default: as the face says for reads or writes. */
  readonly limit?: RateLimit | 'none';
  /** Names of the projections that a GET reads, which must have caught up with its caller; default all. */
  readonly reads?: readonly string[];
  readonly handler: (
    request: RouteRequest<z.output<P>, z.output<Q>, z.output<B>, PrincipalOf<A>>,
  ) => Promise<Answer>;
}

/** A route whose types have done their work. */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly summary: string;
  readonly tag: string | null;
  readonly policy: Policy;
  readonly params: z.ZodType;
  readonly query: z.ZodType;
  readonly body: z.ZodType;
  /** Whether the definition names a body at all. */
  readonly hasBody: boolean;
  readonly operationId: string | null;
  readonly responses: Readonly<Record<number, AnswerContent>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly etag: 'version' | 'content' | null;
  readonly conditional: 'change' | 'change or create' | null;
  readonly refusals: readonly ProblemKind[];
  readonly idempotent: boolean;
  readonly limit: RateLimit | 'none' | 'of the face';
  readonly reads: readonly string[] | 'all';
  /** Takes only what the schemas have let through, and a principal exactly when the policy asks for one. */
  readonly handler: (request: RouteRequest<unknown, unknown, unknown, Principal | null>) => Promise<Answer>;
}

interface ErasedDefinition extends Omit<RouteDefinition<Policy, z.ZodType, z.ZodType, z.ZodType>, 'handler'> {
  readonly handler: Route['handler'];
}

/** Declares a route. The handler sees the schemas' outputs, and a principal unless the route is public. */
export function route<
  A extends Policy,
  P extends z.ZodType = typeof noMembers,
  Q extends z.ZodType = typeof noMembers,
  B extends z.ZodType = typeof noBody,
>(definition: RouteDefinition<A, P, Q, B>): Route;
export function route(definition: ErasedDefinition): Route {
  return {
    ...definition,
    tag: definition.tag ?? null,
    params: definition.params ?? noMembers,
    query: definition.query ?? noMembers,
    body: definition.body ?? noBody,
    hasBody: definition.body !== undefined,
    operationId: definition.operationId ?? null,
    headers: definition.headers ?? {},
    etag: definition.etag ?? null,
    conditional: definition.conditional ?? null,
    refusals: definition.refusals ?? [],
    idempotent: definition.idempotent ?? false,
    limit: definition.limit ?? 'of the face',
    reads: definition.reads ?? 'all',
  };
}
