/** All faces in one express application. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import express from 'express';
import type { NextFunction, Request, Response } from 'express';
import { createCors } from './cors.ts';
import { beginExchange, exchangeOf, problemAnswer, sendAnswer } from './exchange.ts';
import { mountFace, noSuchRoute, refuseUnrouted } from './face.ts';
import type { Face } from './face.ts';
import { Problem } from './problem.ts';
import type { HttpServices } from './services.ts';

export interface AppOptions {
  /** Answered at all times: health and readiness. */
  readonly always: Face;
  /** Answered once the server is ready. Longer prefixes first. Paths of none of them are answered as the first would. */
  readonly faces: readonly [Face, ...Face[]];
  readonly services: HttpServices;
  /** Whether reads may be answered: until then all faces say 503. */
  readonly isReady: () => boolean;
  /** `https://console.example.org`, …: origins whose pages may call this API. */
  readonly corsOrigins?: readonly string[];
}

/** @throws when a face cannot be mounted, see {@link mountFace} */
export function createApp({
  always,
  faces,
  services,
  isReady,
  corsOrigins = [],
}: AppOptions): RequestListener {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', false);
  app.set('trust proxy', false);
  app.set('case sensitive routing', true);

  const answeredPreflight = createCors(corsOrigins);
  const faceOf = ({ url = '' }: IncomingMessage): Face =>
    faces.find(({ prefix }) => prefix !== '' && isUnder(prefix, url)) ?? faces[0];
  const refused = (request: IncomingMessage, response: ServerResponse, error: unknown): Promise<void> =>
    refuseUnrouted(request, response, error, faceOf(request), services);

  mountFace(app, always, services);
  app.use((request, response, next) => {
    if (isReady()) {
      next();
      return;
    }
    // Not counted: who waits for the start must not have to wait longer for it.
    const starting = new Problem('Unavailable', 'The server is starting; try again');
    sendAnswer(response, problemAnswer(starting, exchangeOf(request), faceOf(request).errors, services));
  });
  for (const face of faces) mountFace(app, face, services);
  app.use((request, response) => refused(request, response, noSuchRoute()));
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) =>
    refused(request, response, error),
  );
  return (request, response) => {
    beginExchange(request, response, services);
    if (answeredPreflight(request, response)) return;
    const target = targetOf(request.url ?? '');
    if (target === null) {
      void refused(request, response, new Problem('Invalid', 'The target of the request is no path'));
      return;
    }
    if (!namesOneHost(request)) {
      void refused(request, response, new Problem('Invalid', 'Send one Host header'));
      return;
    }
    request.url = target;
    void app(request, response);
  };
}

/** RFC 9112, 3.2: HTTP/1.0 may leave it out. */
function namesOneHost({ httpVersion, headersDistinct }: IncomingMessage): boolean {
  const hosts = headersDistinct['host']?.length ?? 0;
  return hosts === 1 || (hosts === 0 && httpVersion === '1.0');
}

/** Path and query; of an absolute target too (RFC 9112, 3.2.2), whose host says nothing here. Express would answer in HTML. */
function targetOf(target: string): string | null {
  if (target.startsWith('/')) return target;
  const absolute = URL.parse(target);
  return absolute?.protocol === 'http:' || absolute?.protocol === 'https:'
    ? absolute.pathname + absolute.search
    : null;
}

/** @param path may have a query */
function isUnder(prefix: string, path: string): boolean {
  return path.startsWith(prefix) && ['', '/', '?'].includes(path.charAt(prefix.length));
}
