/** Calls of the API: each is made, and shown as the line of curl that makes the same. */
import type { z } from 'zod';

export interface Call {
  readonly method: 'GET' | 'POST';
  /** Below `/api`. */
  readonly path: string;
  readonly body?: object;
  /** Whoever makes the call again under the same key gets the same answer, and nothing happens twice. */
  readonly idempotencyKey?: string;
}

/** Something came otherwise than the demo expects: a sentence for the person who watches. */
export class NotAsExpected extends Error {
  override readonly name = 'NotAsExpected';
}

/** A shell's single-quoted text, in which `secrets` are named by their variables. @param secrets name and value */
export function quoted(text: string, secrets: Readonly<Record<string, string>> = {}): string {
  const literal = `'${text.replaceAll("'", `'\\''`)}'`;
  return Object.entries(secrets).reduce(
    (line, [name, value]) => line.replaceAll(value, `'"$${name}"'`),
    literal,
  );
}

/** To be pasted where `$API`, `$TOKEN` and the names of `secrets` are set. */
export function curlLine(call: Call, secrets: Readonly<Record<string, string>> = {}): string {
  const { method, path, body, idempotencyKey } = call;
  return [
    'curl -s',
    ...(method === 'GET' || body ? [] : [`-X ${method}`]),
    `"$API${path}"`,
    `-H "Authorization: Bearer $TOKEN"`,
    ...(idempotencyKey === undefined ? [] : [`-H 'Idempotency-Key: ${idempotencyKey}'`]),
    ...(body ? [`-H 'Content-Type: application/json' -d ${quoted(JSON.stringify(body), secrets)}`] : []),
  ].join(' ');
}

export type Caller = <T>(call: Call, answer: z.ZodType<T>) => Promise<T>;

/**
 * @param server.api `http://127.0.0.1:…/api` @param server.token null: nobody has logged in yet
 * @returns makes calls. It throws {@link NotAsExpected} on everything but a 2xx with such a body
 */
export function createCaller(
  server: { readonly api: string; readonly token: string | null },
  signal: AbortSignal,
): Caller {
  return async ({ method, path, body, idempotencyKey }, answer) => {
    const response = await fetch(`${server.api}${path}`, {
      method,
      signal,
      headers: {
        ...(server.token === null ? {} : { Authorization: `Bearer ${server.token}` }),
        ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }),
        ...(body ? { 'Content-Type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new NotAsExpected(`${method} ${path} was answered ${response.status}: ${text}`);
    return answer.parse(JSON.parse(text));
  };
}
