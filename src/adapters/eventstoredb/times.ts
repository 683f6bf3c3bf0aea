/** Where the log stood at a time. The server keeps no index by time, and reads from places where records begin alone. */
import type { StoredRecord } from './records.ts';

type Moment = Pick<StoredRecord, 'place' | 'created'>;

export interface TimedLog {
  /** In order; at most `limit`. */
  recordsBehind(place: number, limit: number): Promise<readonly Moment[]>;
  recordsDownFrom(place: 'end', limit: number): Promise<readonly Moment[]>;
  /** The record at a place, or where that was scavenged the next one; null where no record begins. */
  recordFrom(place: number): Promise<Moment | null>;
}

export interface Times {
  /** The place of the last record stored at or before `at`, wall milliseconds; 0: there is none. */
  placeAt(at: number): Promise<number>;
}

/** The size of the server's files of records, its setting ChunkSize, unless somebody changed it: at each multiple a record begins. */
export const usualChunkBytes = 256 * 1024 * 1024;
const scannedAtOnce = 5_000;
const mostMarks = 10_000;

/** @param chunkBytes where it is not the server's, the log is walked through instead of halved: slower, and as right */
export function openTimes(log: TimedLog, chunkBytes: number = usualChunkBytes): Times {
  /** Moments that were seen on earlier walks, by place. */
  let marks: Moment[] = [];

  /** The last mark of the first ones that hold. */
  function lastMark(holds: (mark: Moment) => boolean): number {
    let [low, high] = [0, marks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const mark = marks[middle];
      if (mark && holds(mark)) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  function keep(moment: Moment): void {
    const index = lastMark(({ place }) => place <= moment.place);
    if (marks[index]?.place === moment.place) return;
    marks.splice(index + 1, 0, { place: moment.place, created: moment.created });
    if (marks.length > mostMarks) marks = marks.filter((_, nth) => nth % 2 === 0);
  }

  return {
    async placeAt(at) {
      const [last] = await log.recordsDownFrom('end', 1);
      if (!last) return 0;
      if (last.created <= at) return last.place;
      const [first] = await log.recordsBehind(0, 1);
      if (!first || first.created > at) return 0;

      // Everything up to `low` was stored by then; `high` was not.
      const nearest = lastMark(({ created }) => created <= at);
      let low = marks[nearest] ?? first;
      let high = marks[nearest + 1] ?? last;
      let [lowChunk, highChunk] = [low, high].map(({ place }) => Math.floor(place / chunkBytes)) as [
        number,
        number,
      ];
      while (lowChunk < highChunk) {
        const middle = Math.ceil((lowChunk + highChunk) / 2);
        const record = await log.recordFrom(middle * chunkBytes);
        if (!record) break;
        keep(record);
        if (record.created <= at && record.place < high.place) {
          low = record;
          lowChunk = middle;
        } else {
          if (record.place < high.place) high = record;
          highChunk = middle - 1;
        }
      }
      for (;;) {
        const records = await log.recordsBehind(low.place, scannedAtOnce);
        const behind = records.findIndex(({ created }) => created > at);
        const reached = behind === -1 ? records.at(-1) : records[behind - 1];
        if (!reached) return low.place;
        keep(reached);
        if (behind !== -1) return reached.place;
        low = reached;
      }
    },
  };
}
