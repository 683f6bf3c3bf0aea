/** Browsers of other origins (`CORS_ORIGINS`). Tokens travel in a header, so no credentials are allowed. */
import type { IncomingMessage } from 'node:http';

const exposed =
  'ETag, X-Correlation-Id, X-Position, X-Stale, Idempotency-Replayed, Allow, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-RateLimit-Reset-After, Retry-After';
/** @returns what a browser of that origin is told with every answer, and whether it asks for no more than this (a preflight) */
export function createCors(origins: readonly string[]): (request: IncomingMessage) => {
  readonly headers: Readonly<Record<string, string>>;
  readonly isPreflight: boolean;
} {
  const allowed = new Set(origins);
  const nobody = { headers: allowed.size === 0 ? {} : { Vary: 'Origin' }, isPreflight: false };
  return ({ method, headers }) => {
    const { origin } = headers;
    if (origin === undefined || !allowed.has(origin)) return nobody;
    const ofOrigin = {
      Vary: 'Origin',
      'Access-Control-Allow-Origin': origin,
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'Access-Control-Expose-Headers': exposed,
    };
    const isPreflight = method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
    return { headers: isPreflight ? { ...ofOrigin, ...ofPreflight } : ofOrigin, isPreflight };
  };
}

const ofPreflight = {
  'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
  'Access-Control-Allow-Headers':
    'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Correlation-Id, X-Position',
  'Access-Control-Max-Age': '600',
};
