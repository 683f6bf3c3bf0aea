/** Follows a deployment over HTTP until it has ended. */
import type { Clock } from '../ports/clock.ts';
import { HistoryPage } from './history.ts';
import type { HistoryEntry } from './history.ts';
import { hasEnded, Watched } from './picture.ts';
import { plain } from './text.ts';

export interface Platform {
  /** @throws {Refused} when asking again would not help; other errors pass with time */
  deployment(id: string): Promise<Watched>;
  /** The entries after the first so many, all of them. @throws as `deployment` does */
  historyAfter(id: string, count: number): Promise<readonly HistoryEntry[]>;
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
  async function get(path: string): Promise<unknown> {
    const response = await fetch(`${url}/api/v1/plugin-deployments/${path}`, {
      headers: credentials,
      redirect: 'error',
      signal: AbortSignal.timeout(10_000),
    });
    const body: unknown = await response.json().catch(() => null);
    if (response.ok) return body;
    const message = plain(messageIn(body) ?? `it answered ${response.status}`);
    if ([401, 403, 404].includes(response.status)) throw new Refused(message);
    throw new Error(message);
  }
  return {
    deployment: async (id) => Watched.parse(await get(encodeURIComponent(id))),
    async historyAfter(id, count) {
      const found: HistoryEntry[] = [];
      for (;;) {
        const offset = count + found.length;
        const page = await get(`${encodeURIComponent(id)}/history?limit=${pageSize}&offset=${offset}`);
        const { entries, total } = HistoryPage.parse(page);
        found.push(...entries);
        if (entries.length === 0 || offset + entries.length >= total) return found;
      }
    },
  };
}

function messageIn(body: unknown): string | null {
  if (typeof body !== 'object' || body === null || !('error' in body)) return null;
  const { error } = body;
  if (typeof error !== 'object' || error === null || !('message' in error)) return null;
  return typeof error.message === 'string' ? error.message : null;
}

/** Reads of each kind are limited to sixty a minute. */
const everyMs = 2_000;
const pageSize = 100;

/** `news`: entries of the history that were not told before, the oldest first. */
export type Seen =
  { readonly watched: Watched; readonly news: readonly HistoryEntry[] } | { readonly lost: string };

/**
 * What is so, time and again; the last is the end. An unreachable platform is told as `lost`, and asked again.
 * @throws {Refused}
 */
export async function* watch(
  platform: Platform,
  deploymentId: string,
  clock: Pick<Clock, 'after'>,
): AsyncGenerator<Seen, void> {
  let told = 0;
  /** The history is asked last: it is never behind what is shown. */
  async function look(): Promise<Seen> {
    const watched = await platform.deployment(deploymentId);
    const news = await platform.historyAfter(deploymentId, told);
    told += news.length;
    return { watched, news };
  }
  for (;;) {
    const seen = await look().catch((error: unknown): Seen => {
      if (error instanceof Refused) throw error;
      return { lost: error instanceof Error ? error.message : String(error) };
    });
    yield seen;
    if ('watched' in seen && hasEnded(seen.watched)) return;
    await new Promise<void>((resolve) => clock.after(everyMs, resolve));
  }
}
