import { randomUUID } from 'node:crypto';
import { StoreUnavailable, type Retention } from '../../ports/event-store.ts';
import type { Appends } from './appends.ts';
import type { Connection } from './connection.ts';
import { isRecord } from './records.ts';
import { retentionOf, withRetention } from './stream-retention.ts';

const tries = 5;

export interface StreamRetention {
  set(stream: string, retention: Retention): Promise<void>;
  of(stream: string): Promise<Retention>;
}

/** The server keeps a stream's metadata in a stream of its own; the newest event there is in force. */
export function openRetention(connection: Connection, appends: Appends): StreamRetention {
  async function current(
    stream: string,
  ): Promise<{ readonly metadata: Readonly<Record<string, unknown>>; readonly revision: number | 'none' }> {
    const [last] =
      (await connection.readStream(`$$${stream}`, { from: 'end', direction: 'backwards', limit: 1 })) ?? [];
    return { metadata: isRecord(last?.data) ? last.data : {}, revision: last?.revision ?? 'none' };
  }

  return {
    async set(stream, retention) {
      let why = '';
      for (let tried = 0; tried < tries; tried += 1) {
        const { metadata, revision } = await current(stream);
        const data = JSON.stringify(withRetention(metadata, retention));
        // So an answer that was lost, or somebody who has set the same, is told here.
        if (data === JSON.stringify(metadata)) return;
        const answer = await appends.send(`$$${stream}`, revision, [
          { id: randomUUID(), type: '$metadata', data: Buffer.from(data), metadata: Buffer.from('{}') },
        ]);
        if (answer.kind === 'appended') return;
        why = 'why' in answer ? answer.why : 'others set it too';
      }
      throw new StoreUnavailable(`the retention of ${stream} could not be set: ${why}`);
    },

    of: async (stream) => retentionOf((await current(stream)).metadata),
  };
}
