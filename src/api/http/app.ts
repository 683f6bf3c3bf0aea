/** All faces in one application. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { addressOf } from './address.ts';
import type { RenderedAnswer } from './answer.ts';
import { createCors } from './cors.ts';
import { createDispatch } from './dispatch.ts';
import { beginExchange, problemAnswer, sendAnswer } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import type { Face } from './face.ts';
import { Problem } from './problem.ts';
import { timesSent } from './raw-headers.ts';
import { allowedAt, createRouting } from './routing.ts';
import type { Found } from './routing.ts';
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

/** @throws when a face cannot be routed, see {@link createRouting} */
export function createApp({
  always,
  faces,
  services,
  isReady,
  corsOrigins = [],
}: AppOptions): RequestListener {
  const all = [always, ...faces];
  const route = createRouting(all);
  const dispatches = new Map(all.map((face) => [face, createDispatch(face, services)]));
  const corsOf = createCors(corsOrigins);
  const faceAt = (target: string): Face =>
    faces.find(({ prefix }) => prefix !== '' && isUnder(prefix, target)) ?? faces[0];

  /** For what no route answers. All of it is two endpoints, reads and writes, on which each address has the face's limits. */
  async function answerUnrouted(
    request: IncomingMessage,
    response: ServerResponse,
    exchange: Exchange,
    face: Face,
    answer: () => RenderedAnswer,
  ): Promise<void> {
    const kind = ['GET', 'HEAD', 'OPTIONS'].includes(request.method ?? '') ? 'reads' : 'writes';
    const caller = { address: addressOf(request, services.isTrustedProxy) };
    try {
      await services.rateLimiting.admit(exchange, caller, `unknown ${kind}`, face.limits[kind]);
      sendAnswer(response, exchange, answer());
    } catch (error) {
      sendAnswer(response, exchange, problemAnswer(error, exchange, face.errors, services));
    }
  }

  /** Never rejects. */
  function answered(
    request: IncomingMessage,
    response: ServerResponse,
    exchange: Exchange,
    target: string,
  ): Promise<void> | void {
    const face = faceAt(target);
    const refuse = (problem: Problem, by = face): Promise<void> =>
      answerUnrouted(request, response, exchange, by, () =>
        problemAnswer(problem, exchange, by.errors, services),
      );

    const problem = problemOfTarget(request, target);
    if (problem) return refuse(problem);
    const found = route(target);
    if (!isAlways(found) && !isReady()) {
      // Not counted: who waits for the start must not have to wait longer for it.
      const starting = new Problem('Unavailable', 'The server is starting; try again');
      sendAnswer(response, exchange, problemAnswer(starting, exchange, face.errors, services));
      return;
    }
    if (found === 'malformed')
      return refuse(new Problem('Invalid', 'The path holds a malformed percent-encoding'));
    if (!found) return refuse(noSuchRoute());

    const { place, params } = found;
    const { method } = request;
    const asked = place.methods.get(method === 'HEAD' ? 'GET' : (method ?? ''));
    const dispatch = dispatches.get(place.face);
    if (asked && dispatch) return dispatch(asked, { request, response, exchange, target, params });
    exchange.route = place.path;
    const headers = { Allow: allowedAt(place) };
    if (method !== 'OPTIONS')
      return refuse(
        new Problem('MethodNotAllowed', `This path answers ${headers.Allow}`, { headers }),
        place.face,
      );
    return answerUnrouted(request, response, exchange, place.face, () => ({
      status: 204,
      headers,
      text: null,
    }));
  }

  function isAlways(found: Found | 'malformed' | null): boolean {
    return found !== null && found !== 'malformed' && found.place.face === always;
  }

  return (request, response) => {
    const exchange = beginExchange(request, response, services);
    const { headers, isPreflight } = corsOf(request);
    exchange.headers = headers;
    if (isPreflight) sendAnswer(response, exchange, { status: 204, headers: {}, text: null });
    else void answered(request, response, exchange, targetOf(request.url ?? ''));
  };
}

/** What is wrong with a request whoever it is for. */
function problemOfTarget(request: IncomingMessage, target: string): Problem | null {
  if (target === '') return new Problem('Invalid', 'The target of the request is no path');
  return namesOneHost(request) ? null : new Problem('Invalid', 'Send one Host header');
}

/** RFC 9112, 3.2: HTTP/1.0 may leave it out. */
function namesOneHost({ httpVersion, rawHeaders }: IncomingMessage): boolean {
  const hosts = timesSent('host', rawHeaders);
  return hosts === 1 || (hosts === 0 && httpVersion === '1.0');
}

/** Path and query; of an absolute target too (RFC 9112, 3.2.2), whose host says nothing here. Empty: it is none. */
function targetOf(target: string): string {
  if (target.startsWith('/')) return target;
  const absolute = URL.parse(target);
  return absolute?.protocol === 'http:' || absolute?.protocol === 'https:'
    ? absolute.pathname + absolute.search
    : '';
}

function noSuchRoute(): Problem {
  return new Problem('NotFound', 'There is nothing at this path: what there is stands at /docs');
}

/** @param path may have a query */
function isUnder(prefix: string, path: string): boolean {
  return path.startsWith(prefix) && ['', '/', '?'].includes(path.charAt(prefix.length));
}
