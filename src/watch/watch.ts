/** Follows a deployment over HTTP until it has ended. */
import { createApi, Refused } from '../client/api.ts';
import type { Clock } from '../ports/clock.ts';
import { HistoryPage } from './history.ts';
import type { HistoryEntry } from './history.ts';
import { hasEnded, Watched } from './picture.ts';

export interface Platform {
  /** @throws {Refused} when asking again would not help; other errors pass with time */
  deployment(id: string): Promise<Watched>;
  /** The entries after the first so many, all of them. @throws as `deployment` does */
  historyAfter(id: string, count: number): Promise<readonly HistoryEntry[]>;
}

/** @param key an API key (`slw_…`), or the token of a session */
export function createPlatform(where: { readonly url: string; readonly key: string }): Platform {
  const api = createApi(where);
  const pathOf = (id: string): string => `/api/v1/plugin-deployments/${encodeURIComponent(id)}`;
  return {
    deployment: async (id) => Watched.parse(await api.get(pathOf(id))),
    async historyAfter(id, count) {
      const found: HistoryEntry[] = [];
      for (;;) {
        const offset = count + found.length;
        const page = await api.get(`${pathOf(id)}/history`, { limit: pageSize, offset });
        const { entries, total } = HistoryPage.parse(page);
        found.push(...entries);
        if (entries.length === 0 || offset + entries.length >= total) return found;
      }
    },
  };
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
