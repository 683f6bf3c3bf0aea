/** What happened to a deployment, and why, as text for a terminal. */
import { z } from 'zod';
import { hanging, plain } from '../client/text.ts';

const text = z.string().transform(plain);

/** What is read of an entry of `GET /plugin-deployments/{id}/history`. Lenient: a newer platform may say more. */
export const HistoryEntry = z.object({
  /** ISO 8601. */
  at: z.iso.datetime(),
  summary: text,
  reason: text.nullable(),
  evidence: z.array(text),
  by: text.nullable(),
});
export type HistoryEntry = z.output<typeof HistoryEntry>;

/** The oldest first. */
export const HistoryPage = z.object({ entries: z.array(HistoryEntry), total: z.int() });

/** The most telling comes first; a sentence for each of many instances would hide what else happened. */
const mostEvidence = 5;

/** An entry in lines: when and what, who asked for it, and below it what it stood on. @param wallMs wall time */
export function entryLines(
  { at, summary, reason, evidence, by }: HistoryEntry,
  wallMs: number,
  width: number,
): readonly string[] {
  const time = `${timeOf(at, wallMs)} `;
  const bullet = `${' '.repeat(time.length)}- `;
  const why = reason === null || evidence.includes(reason) ? evidence : [reason, ...evidence];
  const more = why.length - mostEvidence;
  const shown = more > 1 ? [...why.slice(0, mostEvidence), `and ${more} more`] : why;
  return [
    ...hanging(time, by === null ? summary : `${summary} (${by})`, width),
    ...shown.flatMap((sentence) => hanging(bullet, sentence, width)),
  ];
}

/** In UTC, as logs have it: `03:12:09`, of another day `01-14 03:12`. */
function timeOf(at: string, wallMs: number): string {
  const isToday = new Date(wallMs).toISOString().slice(0, 10) === at.slice(0, 10);
  return isToday ? at.slice(11, 19) : at.slice(5, 16).replace('T', ' ');
}
