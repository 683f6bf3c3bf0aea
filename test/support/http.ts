/** A small client over fetch, and a server for the length of a test. */
import type { RequestListener } from 'node:http';
import { createHttpServer, type HttpServerOptions } from '../../src/api/http/server.ts';
import { describedBy } from './api-description.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed when it is JSON, null when it is empty, else the text. */
  readonly body: unknown;
}

export interface Call {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, `Content-Type: application/json` unless `headers` says otherwise. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
}

export interface Client {
  readonly url: string;
  readonly call: (method: string, path: string, call?: Call) => Promise<Reply>;
}

/** @throws when an answer is not what it should be */
export type Check = (method: string, path: string, call: Call, reply: Reply) => void;

/** @param url `http://127.0.0.1:3000`; @param check what every answer is held to */
export function createClient(url: string, check: Check = () => undefined): Client {
  return {
    url,
    call: async (method, path, call = {}) => {
      const { token, headers = {}, body, raw } = call;
      const content = body === undefined ? raw : JSON.stringify(body);
      const response = await fetch(url + path, {
        method,
        headers: {
          ...(content === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(content === undefined ? {} : { body: content }),
      });
      const { status, headers: answered } = response;
      const reply = { status, headers: answered, body: parsed(await response.text()) };
      check(method, path, call, reply);
      return reply;
    },
  };
}

/** A client of a server that describes itself: no answer passes that is not in its document. */
export async function createDescribedClient(url: string): Promise<Client> {
  const response = await fetch(`${url}/api/openapi.json`);
  return createClient(url, describedBy(await response.text()));
}

function parsed(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * Serves an application on a port that the system chooses while `use` runs.
 * @param more of the server, which is as the HTTP server's own defaults are
 */
export async function withServer<T>(
  app: RequestListener,
  use: (client: Client) => Promise<T>,
  more: Partial<HttpServerOptions> = {},
): Promise<T> {
  const server = await createHttpServer({ app, host: '127.0.0.1', port: 0, drainMs: 1000, ...more });
  try {
    return await use(createClient(server.url));
  } finally {
    await server.stop();
  }
}
