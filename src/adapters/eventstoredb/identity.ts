/** The log's identity: minted once, by whoever comes first, and kept in a stream of its own. */
import { randomUUID } from 'node:crypto';
import { DamagedEvent, StoreUnavailable } from '../../ports/event-store.ts';
import { position } from '../event-log/rules.ts';
import type { Appends } from './appends.ts';
import type { Connection } from './connection.ts';
import { identityStream, isRecord } from './records.ts';

/** @throws {StoreUnavailable} */
export async function identityOf(connection: Connection, appends: Appends): Promise<string> {
  const known = await read(connection);
  if (known !== null) return known;
  const event = {
    id: randomUUID(),
    type: 'LogCreated',
    data: Buffer.from(JSON.stringify({ logId: randomUUID() })),
    metadata: Buffer.from('{}'),
  };
  // Whatever the answer is: what stands in the stream afterwards is the log's identity, for everybody.
  const answer = await appends.send(identityStream, 'none', [event]);
  const minted = await read(connection);
  if (minted !== null) return minted;
  throw new StoreUnavailable(
    `the log has no identity yet, and it could not be written: ${'why' in answer ? answer.why : answer.kind}`,
  );
}

async function read(connection: Connection): Promise<string | null> {
  const [first] =
    (await connection.readStream(identityStream, { from: 'start', direction: 'forwards', limit: 1 })) ?? [];
  if (!first) return null;
  const logId = isRecord(first.data) ? first.data['logId'] : undefined;
  if (typeof logId !== 'string')
    throw new DamagedEvent(position('', first.place), `the stream ${identityStream} names no log`);
  return logId;
}
