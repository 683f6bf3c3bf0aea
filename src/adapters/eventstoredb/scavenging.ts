/** Scavenges are the server's: this starts one and reads what it reports of itself. */
import { StoreUnavailable } from '../../ports/event-store.ts';
import type { Connection } from './connection.ts';
import { pause } from './pause.ts';
import { isRecord, type StoredRecord } from './records.ts';

const firstPauseMs = 50;
const longestPauseMs = 5_000;
const reportPage = 500;

/**
 * @param leastPauseMs a scavenge costs the server a walk through its whole index: when the last one began less long ago, none is started
 * @returns how many entries left the index: the events that are gone, and the server's own records among them
 * @throws {StoreUnavailable} when the server does not let it run to its end
 */
export async function scavenge(
  connection: Connection,
  leastPauseMs: number,
  signal: AbortSignal,
): Promise<{ readonly removed: number }> {
  const [last] =
    (await connection.readStream('$scavenges', { from: 'end', direction: 'backwards', limit: 1 })) ?? [];
  if (last && Date.now() - last.created < leastPauseMs) return { removed: 0 };
  const report = `$scavenges-${await connection.startScavenge()}`;
  let removed = 0;
  let from = 0;
  for (let wait = firstPauseMs; !signal.aborted; wait = Math.min(longestPauseMs, wait * 2)) {
    const records: readonly StoredRecord[] =
      (await connection.readStream(report, { from, direction: 'forwards', limit: reportPage })) ?? [];
    for (const { type, data, revision } of records) {
      from = revision + 1;
      if (type === '$scavengeIndexCompleted') removed += numberAt(data, 'entriesDeleted');
      if (type !== '$scavengeCompleted') continue;
      const result = isRecord(data) ? data['result'] : undefined;
      if (result === 'Success') return { removed };
      throw new StoreUnavailable(`the scavenge ended with ${String(result)}`);
    }
    if (records.length < reportPage) await pause(wait, signal);
  }
  throw new StoreUnavailable('the store is closed; the scavenge goes on without it');
}

function numberAt(data: unknown, name: string): number {
  const value = isRecord(data) ? data[name] : undefined;
  return typeof value === 'number' ? value : 0;
}
