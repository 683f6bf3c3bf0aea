/** Leases in MongoDB: a document each, changed only where it is as it was seen, and by the server's own clock. */
import { randomUUID } from 'node:crypto';
import type { Collection, Filter } from 'mongodb';
import type { Clock } from '../../ports/clock.ts';
import type { Leases } from '../../ports/leases.ts';
import type { MongoConnection } from './connection.ts';
import { CODES, hasCode } from './errors.ts';
import { whileOpen } from './while-open.ts';

interface LeaseDocument {
  readonly _id: string;
  readonly fence: number;
  /** For people who look. */
  readonly holder: string;
  readonly until: Date;
  /** Of the asking that was granted last: tells who asked whether it was his. */
  readonly granted: string;
}

const none = { fence: 0, holder: '', until: new Date(0), granted: '' };

/** @param options.clock instead of the server's, for tests */
export async function openMongoLeases({
  connection,
  clock,
}: {
  readonly connection: Pick<MongoConnection, 'asking'>;
  readonly clock?: Pick<Clock, 'now'>;
}): Promise<Leases> {
  const end = whileOpen(connection, 'the store of leases');
  const within = <T>(ask: (leases: Collection<LeaseDocument>) => Promise<T>): Promise<T> =>
    end.asking((db) => ask(db.collection<LeaseDocument>('leases')));

  // Where there is no collection yet, some servers answer an update with an error.
  await end.asking((db) =>
    db.createCollection('leases').catch((error: unknown) => {
      if (!hasCode(error, CODES.namespaceExists)) throw error;
    }),
  );

  /**
   * Where the condition holds, sets what is to be set, in one step. The time is first noted in the document: not every server knows it
   * within conditions.
   * @param change may refer to `$now`
   * @returns whether it was granted; null: there is no such document
   */
  async function grant(
    leases: Collection<LeaseDocument>,
    which: Filter<LeaseDocument>,
    condition: object,
    change: Readonly<Record<string, unknown>>,
  ): Promise<(LeaseDocument & { readonly isGranted: boolean }) | null> {
    const granted = randomUUID();
    const wanted = Object.entries({ ...change, granted });
    const set = wanted.map(([name, value]) => [name, { $cond: [condition, value, `$${name}`] }] as const);
    const after = await leases.findOneAndUpdate(
      which,
      [
        { $set: { now: clock ? new Date(clock.now()) : '$$NOW' } },
        { $set: Object.fromEntries(set) },
        { $unset: 'now' },
      ],
      { returnDocument: 'after' },
    );
    return after && { ...after, isGranted: after.granted === granted };
  }

  function take(leases: Collection<LeaseDocument>, name: string, holder: string, forMs: number) {
    return grant(
      leases,
      { _id: name },
      { $lte: ['$until', '$now'] },
      {
        fence: { $add: ['$fence', 1] },
        holder: { $literal: holder },
        until: { $add: ['$now', forMs] },
      },
    );
  }

  async function begin(leases: Collection<LeaseDocument>, name: string): Promise<void> {
    await leases.insertOne({ _id: name, ...none }).catch((error: unknown) => {
      // Of two that begin it at once.
      if (!hasCode(error, CODES.duplicateKey)) throw error;
    });
  }

  return {
    acquire: (name, holder, forMs) =>
      within(async (leases) => {
        let taken = await take(leases, name, holder, forMs);
        if (!taken) {
          await begin(leases, name);
          taken = await take(leases, name, holder, forMs);
        }
        return taken?.isGranted === true ? { name, fence: taken.fence } : null;
      }),
    renew: ({ name, fence }, forMs) =>
      within(async (leases) => {
        const isHeld = { $gt: ['$until', '$now'] };
        const kept = await grant(leases, { _id: name, fence }, isHeld, { until: { $add: ['$now', forMs] } });
        return kept?.isGranted === true;
      }),
    release: ({ name, fence }) =>
      within(async (leases) => {
        await leases.updateOne({ _id: name, fence }, { $set: { until: new Date(0) } });
      }),
    close: () => end.close(),
  };
}
