/** A connection to MongoDB. Every adapter of this folder is opened over one. */
import { MongoClient, MongoServerError, type ClientSession, type Db } from 'mongodb';
import { StoreUnavailable } from '../../ports/event-store.ts';
import { asUnavailable, CODES, hasCode, isPassing, noAddress, unconnected } from './errors.ts';

export interface MongoConnection {
  readonly db: Db;
  /** Whether several writes can be one. A server alone, that is no replica set, cannot. */
  readonly hasTransactions: boolean;
  /**
   * Runs a question or a single write.
   * @throws {StoreUnavailable} where the server could not be asked, or this was closed
   */
  readonly asking: <T>(ask: (db: Db) => Promise<T>) => Promise<T>;
  /**
   * Runs it until it was done once, as far as anybody can tell: after a lost connection nobody knows whether the server did it, so
   * `change` must find out whether it is done already. All its operations must be given the session.
   * @throws {StoreUnavailable} and what `change` throws, after which nothing was written
   */
  readonly transaction: <T>(change: (session: ClientSession) => Promise<T>) => Promise<T>;
  /** Idempotent. */
  readonly close: () => Promise<void>;
}

/** Where the address names none. */
const DATABASE = 'slipway';
/** How long an answer is waited for before a connection counts as lost, ms. */
const ANSWER_WITHIN = 30_000;
/** How long a server that can be written to is looked for: an election takes some seconds. ms. */
const SERVER_WITHIN = 10_000;
const TRIES = 6;

/**
 * @param url `mongodb://…` or `mongodb+srv://…`; the database is the one it names, or `slipway`
 * @throws {StoreUnavailable} naming what was wrong, without the address, which holds a password
 */
export async function connectMongo(options: {
  readonly url: string;
  /** ms, 30,000 unless told */
  readonly answerWithin?: number;
  /** ms, 10,000 unless told */
  readonly serverWithin?: number;
}): Promise<MongoConnection> {
  const { url, answerWithin = ANSWER_WITHIN, serverWithin = SERVER_WITHIN } = options;
  const client = clientOf(url, answerWithin, serverWithin);
  const db = client.db(databaseOf(url));
  let closed = false;

  async function asking<T>(ask: (db: Db) => Promise<T>): Promise<T> {
    // The driver would connect anew by itself.
    if (closed) throw new StoreUnavailable('the connection to MongoDB has been closed');
    try {
      return await ask(db);
    } catch (error) {
      throw asUnavailable(error);
    }
  }

  async function attempt<T>(change: (session: ClientSession) => Promise<T>): Promise<T> {
    const session = client.startSession();
    try {
      session.startTransaction();
      const result = await change(session);
      await session.commitTransaction();
      return result;
    } catch (error) {
      if (session.inTransaction()) await session.abortTransaction().catch(() => undefined);
      throw error;
    } finally {
      await session.endSession();
    }
  }

  const close = async (): Promise<void> => {
    closed = true;
    await client.close();
  };
  try {
    const hasTransactions = await asking(async () => {
      await client.connect();
      return canTransact(client, db);
    });
    return {
      db,
      hasTransactions,
      asking,
      transaction: (change) =>
        asking(async () => {
          const began = performance.now();
          for (let tries = 1; ; tries += 1)
            try {
              return await attempt(change);
            } catch (error) {
              const isOver = tries === TRIES || performance.now() - began > serverWithin;
              if (!isPassing(error) || isOver || closed) throw error;
              await pause(20 * 2 ** tries);
            }
        }),
      close,
    };
  } catch (error) {
    await close();
    throw unconnected(error, serverWithin);
  }
}

function clientOf(url: string, answerWithin: number, serverWithin: number): MongoClient {
  try {
    return new MongoClient(url, {
      appName: 'slipway',
      // As JSON has it: what is undefined is not there.
      ignoreUndefined: true,
      socketTimeoutMS: answerWithin,
      connectTimeoutMS: Math.min(answerWithin, serverWithin),
      serverSelectionTimeoutMS: serverWithin,
      writeConcern: { w: 'majority' },
    });
  } catch (error) {
    throw noAddress(error);
  }
}

function databaseOf(url: string): string {
  const [, named = ''] = /^[^/]*\/\/[^/?]*\/([^?]*)/.exec(url) ?? [];
  return named === '' ? DATABASE : decodeURIComponent(named);
}

/** Tried, not read from what the server says of itself: others that speak its protocol accept transactions and do not keep them. */
async function canTransact(client: MongoClient, db: Db): Promise<boolean> {
  const probes = db.collection<{ _id: string }>('transaction_probes');
  const _id = crypto.randomUUID();
  await db.createCollection(probes.collectionName).catch((error: unknown) => {
    if (!hasCode(error, CODES.namespaceExists)) throw error;
  });
  const session = client.startSession();
  try {
    session.startTransaction();
    await probes.insertOne({ _id }, { session });
    await session.abortTransaction();
    return (await probes.deleteOne({ _id })).deletedCount === 0;
  } catch (error) {
    if (!(error instanceof MongoServerError) || isPassing(error)) throw error;
    await probes.deleteOne({ _id });
    return false;
  } finally {
    await session.endSession();
  }
}

function pause(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  setTimeout(resolve, ms, undefined);
  return promise;
}
