/** All faces in one express application. */
import express from 'express';
import type { Express, NextFunction, Request, Response } from 'express';
import { createCors } from './cors.ts';
import { beginExchange, exchangeOf, problemAnswer, sendAnswer } from './exchange.ts';
import { mountFace, noSuchRoute } from './face.ts';
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
export function createApp({ always, faces, services, isReady, corsOrigins = [] }: AppOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', false);
  app.set('trust proxy', false);
  app.set('case sensitive routing', true);

  const answeredPreflight = createCors(corsOrigins);
  const refused = (request: Request, response: Response, error: unknown): void => {
    const face = faces.find(({ prefix }) => prefix !== '' && isUnder(prefix, request.path)) ?? faces[0];
    sendAnswer(response, problemAnswer(error, exchangeOf(request), face.errors, services));
  };

  app.use((request, response, next) => {
    beginExchange(request, response, services);
    if (!answeredPreflight(request, response)) next();
  });
  mountFace(app, always, services);
  app.use((request, response, next) => {
    if (isReady()) next();
    else refused(request, response, new Problem('Unavailable', 'The server is starting; try again'));
  });
  for (const face of faces) mountFace(app, face, services);
  app.use((request, response) => refused(request, response, noSuchRoute()));
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) =>
    refused(request, response, error),
  );
  return app;
}

function isUnder(prefix: string, path: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`);
}
