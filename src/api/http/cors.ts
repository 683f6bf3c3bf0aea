/** Browsers of other origins (`CORS_ORIGINS`). Tokens travel in a header, so no credentials are allowed. */
import type { IncomingMessage, ServerResponse } from 'node:http';

const exposed =
  'ETag, X-Correlation-Id, X-Position, X-Stale, Idempotency-Replayed, Allow, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-RateLimit-Reset-After, Retry-After';
const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const headers =
  'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Correlation-Id, X-Position';

/** @returns sets what a browser asks for; true when it has answered a preflight */
export function createCors(
  origins: readonly string[],
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const allowed = new Set(origins);
  return (request, response) => {
    if (allowed.size === 0) return false;
    response.setHeader('Vary', 'Origin');
    const { origin } = request.headers;
    if (origin === undefined || !allowed.has(origin)) return false;
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    response.setHeader('Access-Control-Expose-Headers', exposed);
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
      return false;
    }
    response.setHeader('Access-Control-Allow-Methods', methods);
    response.setHeader('Access-Control-Allow-Headers', headers);
    response.setHeader('Access-Control-Max-Age', '600');
    response.writeHead(204);
    response.end();
    return true;
  };
}
