/** Follows a deployment over HTTP until it has ended. */
import type { Clock } from '../ports/clock.ts';
import { hasEnded, Watched } from './picture.ts';

export interface Platform {
  /** @throws {Refused} when asking again would not help; other errors pass with time */
  deployment(id: string): Promise<Watched>;
}

/** The platform understood, and says no. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** @param key an API key (`slw_…`), or the token of a session */
export function createPlatform({ url, key }: { readonly url: string; readonly key: string }): Platform {
  const credentials: Readonly<Record<string, string>> = key.startsWith('slw_')
    ? { 'X-API-Key': key }
    : { Authorization: `Bearer ${key}` };
  return {
    async deployment(id) {
      const response = await fetch(`${url}/api/v1/plugin-deployments/${encodeURIComponent(id)}`, {
        headers: credentials,
        redirect: 'error',
        signal: AbortSignal.timeout(10_000),
      });
      const body: unknown = await response.json().catch(() => null);
      if (response.ok) return Watched.parse(body);
      const message = messageIn(body) ?? `it answered ${response.status}`;
      if ([401, 403, 404].includes(response.status)) throw new Refused(message);
      throw new Error(message);
    },
  };
}

function messageIn(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !('error' in body)) return null;
  const { error } = body;
  if (typeof error !== 'object' || error === null || !('message' in error)) return null;
  return typeof error.message === 'string' ? error.message : null;
}

/** Reads are limited to sixty a minute. */
const everyMs = 2_000;

export type Seen = { readonly watched: Watched } | { readonly lost: string };

/**
 * What is so, time and again; the last is the end. An unreachable platform is told as `lost`, and asked again.
 * @throws {Refused}
 */
export async function* watch(
  platform: Platform,
  deploymentId: string,
  clock: Pick<Clock, 'after'>,
): AsyncGenerator<Seen, void> {
  for (;;) {
    const seen = await platform.deployment(deploymentId).then(
      (watched): Seen => ({ watched }),
      (error: unknown): Seen => {
        if (error instanceof Refused) throw error;
        return { lost: error instanceof Error ? error.message : String(error) };
      },
    );
    yield seen;
    if ('watched' in seen && hasEnded(seen.watched)) return;
    await new Promise<void>((resolve) => clock.after(everyMs, resolve));
  }
}
