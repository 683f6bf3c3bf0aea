/** An adapter's own end of a connection that it shares with others. */
import { StoreUnavailable } from '../../ports/event-store.ts';
import type { MongoConnection } from './connection.ts';

export interface OpenEnd extends Pick<MongoConnection, 'asking'> {
  /** Whatever is done over the connection, counted as what is asked is. */
  readonly during: <T>(work: () => Promise<T>) => Promise<T>;
  /** Resolves when all that was asked has been answered; nothing is asked after it. The connection stays open. Idempotent. */
  readonly close: () => Promise<void>;
}

/** @param what it is, for who asks too late: `the vault` */
export function whileOpen(connection: Pick<MongoConnection, 'asking'>, what: string): OpenEnd {
  const running = new Set<Promise<unknown>>();
  let closed = false;
  const during = <T>(work: () => Promise<T>): Promise<T> => {
    if (closed) return Promise.reject(new StoreUnavailable(`${what} has been closed`));
    const asked = work();
    const settled: Promise<unknown> = asked.then(
      () => running.delete(settled),
      () => running.delete(settled),
    );
    running.add(settled);
    return asked;
  };
  return {
    during,
    asking: (ask) => during(() => connection.asking(ask)),
    async close() {
      closed = true;
      await Promise.all(running);
    },
  };
}
