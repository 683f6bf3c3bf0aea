/** A platform's API as its clients ask it: with a key, and in sentences when it says no. */

import { plain } from './text.ts';

/** The platform understood, and says no: asking again would not help. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** Null and undefined: the parameter is left out. */
export type Query = Readonly<Record<string, string | number | null | undefined>>;

export interface Api {
  /** @throws {Refused}; other errors pass with time */
  get(path: string, query?: Query): Promise<unknown>;
  /** @throws {Refused}; other errors pass with time */
  post(path: string, body?: object): Promise<unknown>;
  /** @throws {Refused}; other errors pass with time */
  delete(path: string): Promise<unknown>;
}

/**
 * @param options.key an API key (`slw_…`), or the token of a session
 * @param options.patience waits so many milliseconds: what was asked too often is asked again then. Default: it is an error
 */
export function createApi(options: {
  /** `http://127.0.0.1:3000` */
  readonly url: string;
  readonly key: string;
  readonly patience?: (ms: number) => Promise<void>;
  /** Of one answer, default 10,000. */
  readonly timeoutMs?: number;
}): Api {
  const { url, key, patience, timeoutMs = 10_000 } = options;
  const credentials: Readonly<Record<string, string>> = key.startsWith('slw_')
    ? { 'X-API-Key': key }
    : { Authorization: `Bearer ${key}` };

  async function ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown> {
    for (;;) {
      const response = await fetch(url + path, {
        method,
        headers: { ...credentials, ...(body && { 'Content-Type': 'application/json' }) },
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
        ...(body && { body: JSON.stringify(body) }),
      });
      const answer: unknown = await response.json().catch(() => null);
      if (response.ok) return answer;
      const message = plain(messageIn(answer) ?? `it answered ${response.status}`);
      if (response.status !== 429 || !patience) {
        if (isFinal(response.status)) throw new Refused(message);
        throw new Error(message);
      }
      await patience(1_000 * Math.max(1, Number(response.headers.get('Retry-After')) || 1));
    }
  }

  return {
    get: (path, query = {}) => ask('GET', path + queryOf(query)),
    post: (path, body = {}) => ask('POST', path, body),
    delete: (path) => ask('DELETE', path),
  };
}

function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

function queryOf(query: Query): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === null ? [] : [[name, String(value)]],
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`;
}

function messageIn(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !('error' in body)) return null;
  const { error } = body;
  if (typeof error !== 'object' || error === null || !('message' in error)) return null;
  return typeof error.message === 'string' ? error.message : null;
}
