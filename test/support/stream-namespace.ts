/** A log of one's own in a server that others use too: streams whose names begin so, shown without it. */
import type { EventStore, LogPage } from '../../src/ports/event-store.ts';

/** What a migration asks of a store; the rest goes to the whole log. @param prefix that no other stream's name begins with */
export function inNamespace(store: EventStore, prefix: string): EventStore {
  const shown = <T extends { readonly stream: string }>(event: T): T => ({
    ...event,
    stream: event.stream.slice(prefix.length),
  });
  return {
    ...store,
    append: (stream, expected, events) => store.append(prefix + stream, expected, events),
    readStream: async (stream, question) => (await store.readStream(prefix + stream, question)).map(shown),
    async readAll({ after, limit }): Promise<LogPage> {
      const page = await store.readAll({ after, limit, filter: { streamPrefixes: [prefix] } });
      return { ...page, events: page.events.map(shown) };
    },
    setRetention: (stream, retention) => store.setRetention(prefix + stream, retention),
    retention: (stream) => store.retention(prefix + stream),
  };
}
