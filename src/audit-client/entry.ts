/** An entry of the log: what is read of the API's answer, and how a person reads it. */
import { z } from 'zod';
import { cut, plain } from '../client/text.ts';

export const Change = z.object({
  field: z.string(),
  before: z.json().optional(),
  after: z.json().optional(),
});
export type Change = z.output<typeof Change>;

export const Entry = z.object({
  position: z.string(),
  id: z.string(),
  type: z.string(),
  stream: z.string(),
  revision: z.number(),
  at: z.string(),
  tenantId: z.string().nullable(),
  actor: z.object({ id: z.string(), face: z.string(), email: z.string().nullable() }),
  correlationId: z.string(),
  causationId: z.string(),
  summary: z.string(),
  reason: z.string().nullable(),
  evidence: z.array(z.string()),
  changes: z.array(Change).nullable(),
  data: z.record(z.string(), z.json()),
});
export type Entry = z.output<typeof Entry>;

export const LogPage = z.object({
  entries: z.array(Entry),
  next: z.string().nullable(),
  end: z.boolean(),
  head: z.string(),
});
export type LogPage = z.output<typeof LogPage>;

/** Columns of the longest value that is shown whole. */
const longest = 120;

export function lines(entry: Entry): readonly string[] {
  const { at, summary, stream, revision, type, tenantId, correlationId, position } = entry;
  const whose = tenantId === null ? 'the platform' : tenantId;
  return [
    `${at}  ${summary}  [${type}, ${stream}@${revision}]`,
    `    by ${who(entry)}; of ${whose}; correlation ${correlationId}; at ${position}`,
    ...reasons(entry).map((reason) => `    ${reason}`),
    ...whatChanged(entry).map((change) => `    ${change}`),
  ];
}

type Headed = Pick<Entry, 'at' | 'summary' | 'stream' | 'revision' | 'type' | 'actor'>;

/** What happened, when, and who did it, in one line. */
export function headline(entry: Headed): string {
  const { at, summary, stream, revision, type } = entry;
  return `${at}  ${summary}  [${type}, ${stream}@${revision}] by ${who(entry)}`;
}

export function reasons({ reason, evidence }: Pick<Entry, 'reason' | 'evidence'>): readonly string[] {
  return [
    ...(reason === null ? [] : [`reason: ${plain(reason)}`]),
    ...evidence.map((sentence) => `because: ${plain(sentence)}`),
  ];
}

function who({ actor }: Pick<Entry, 'actor'>): string {
  const person = actor.email === null ? actor.id : `${actor.email} (${actor.id})`;
  const byItself = actor.face === 'process' || actor.face === 'start';
  return byItself ? person : `${person} through ${actor.face}`;
}

/** The changes; where nobody knows them, the data, which then tells all. */
function whatChanged({ changes, data, reason }: Entry): readonly string[] {
  if (changes) return changes.filter(says).map(changeLine);
  return Object.entries(data)
    .filter(([name]) => !(name === 'reason' && reason !== null) && name !== 'evidence')
    .map(([name, value]) => `${name}: ${shown(value)}`);
}

/** Of what is new, only what is something. */
function says({ before, after }: Change): boolean {
  if (before !== undefined || after === undefined) return true;
  return !(after === null || after === false || JSON.stringify(after).length === 2);
}

/** `rateLimits.maxRequestsPerMinute: 100 → 200` */
export function changeLine({ field, before, after }: Change): string {
  const name = field === '' ? 'all of it' : field;
  if (before === undefined) return `${name}: ${shown(after)}`;
  return `${name}: ${shown(before)} → ${after === undefined ? '(gone)' : shown(after)}`;
}

function shown(value: z.output<ReturnType<typeof z.json>> | undefined): string {
  return cut(plain(typeof value === 'string' ? value : JSON.stringify(value ?? null)), longest);
}
