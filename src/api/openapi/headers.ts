/** Headers of answers. */
import type { ProblemKind } from '../http/problem.ts';
import type { Route } from '../http/route.ts';
import type { JsonObject } from './json.ts';

const text = { type: 'string' };
const count = { type: 'integer', minimum: 0 };
const flag = { type: 'string', enum: ['true'] };

export const headerComponents = {
  'X-Correlation-Id': {
    description: "Connects this answer with everything that it caused: the caller's own, or a fresh one",
    required: true,
    schema: text,
    example: '1f6c8f0e-3c8a-4a53-9a0e-5d0c2f6b7a11',
  },
  'X-RateLimit-Limit': {
    description: 'How many requests the tightest limit allows; absent where nothing is limited',
    schema: count,
    example: 60,
  },
  'X-RateLimit-Remaining': { description: 'How many of them are left', schema: count, example: 45 },
  'X-RateLimit-Reset': {
    description: 'When they begin anew, in unix seconds',
    schema: count,
    example: 1700144400,
  },
  'X-RateLimit-Reset-After': { description: 'The same in seconds from now', schema: count, example: 42 },
  'Retry-After': { description: 'Seconds to wait', required: true, schema: count, example: 60 },
  Upgrade: {
    description: 'The protocol to ask for',
    required: true,
    schema: text,
    example: 'websocket',
  },
  'WWW-Authenticate': {
    description: 'How to prove who asks',
    required: true,
    schema: text,
    example: 'Bearer',
  },
  'X-Position': {
    description: 'Where the log stood afterwards. Sent with a read, it waits until the read shows it',
    schema: text,
    example: '0b8e6c1a:42',
  },
  'X-Stale': {
    description: "Only when the answer may not show the caller's latest changes yet",
    schema: flag,
    example: 'true',
  },
  'Idempotency-Replayed': {
    description: 'Only when this is the answer to an earlier request with the same `Idempotency-Key`',
    schema: flag,
    example: 'true',
  },
  ETag: {
    description:
      'What exactly this answer shows: another as soon as a byte of it is another. Sent as `If-None-Match` it asks only for what is new; as `If-Match` of a change, it asks for that change only while nobody else has made one',
    required: true,
    schema: text,
    example: '"12.1Wr7T0kLqJ0Yw2m3n4o5pA"',
  },
} as const satisfies Record<string, JsonObject>;

type HeaderName = keyof typeof headerComponents;

const ofAll: readonly HeaderName[] = [
  'X-Correlation-Id',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'X-RateLimit-Reset-After',
];
/** Refusals that say what is so: kept for repetitions, and as stale, as successes are. */
const kept: readonly ProblemKind[] = ['NotFound', 'Conflict'];
/** Refusals that another time may not meet. */
const later: readonly ProblemKind[] = ['RateLimited', 'Unavailable'];

export const headersOf = {
  success({ method, policy, idempotent, headers, etag }: Route): JsonObject {
    const names: readonly HeaderName[] = [
      ...ofAll,
      ...(method === 'GET' ? [] : (['X-Position'] as const)),
      ...(method === 'GET' && policy !== 'public' ? (['X-Stale'] as const) : []),
      ...(idempotent ? (['Idempotency-Replayed'] as const) : []),
      ...(etag === null ? [] : (['ETag'] as const)),
    ];
    const own = Object.entries(headers).map(
      ([name, description]) => [name, { description, schema: text }] as const,
    );
    return { ...references(names), ...Object.fromEntries(own) };
  },
  refusal(kinds: readonly ProblemKind[]): JsonObject {
    return references([
      ...ofAll,
      ...(kinds.includes('Unauthenticated') ? (['WWW-Authenticate'] as const) : []),
      ...(kinds.some((kind) => later.includes(kind)) ? (['Retry-After'] as const) : []),
      ...(kinds.includes('UpgradeRequired') ? (['Upgrade'] as const) : []),
      ...(kinds.some((kind) => kept.includes(kind)) ? (['X-Stale', 'Idempotency-Replayed'] as const) : []),
    ]);
  },
};

function references(names: readonly HeaderName[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, reference('headers', name)]));
}

export type ComponentKind = 'headers' | 'responses' | 'parameters';

export function reference(kind: ComponentKind, name: string): JsonObject {
  return { $ref: `#/components/${kind}/${name}` };
}
