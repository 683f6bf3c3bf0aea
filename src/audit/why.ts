/** Why something happened: everything that came of a request, as a tree from what was asked to the last effect. */
import { createGate } from '../core/gate.ts';
import type { EventStore, LogSearch, Position, RecordedEvent } from '../ports/event-store.ts';
import { ForeignPosition } from '../ports/event-store.ts';
import type { Scope } from '../ports/read-models.ts';
import { aggregateOf } from './aggregates.ts';
import { causesOf } from './causes.ts';
import type { AuditEntry, Entries } from './entries.ts';

export interface Effect {
  readonly entry: AuditEntry;
  /** Whether it is what was asked about. */
  readonly asked: boolean;
  /** What came of it, in the order of the log. */
  readonly effects: readonly Effect[];
}

export interface Why {
  /** Of the request. */
  readonly correlationId: string;
  /** What was asked for, each with what came of it; then what parts of the platform did by themselves. */
  readonly effects: readonly Effect[];
  /** Whether there is more than is told: the log behind is too long, or too much came of it. */
  readonly more: boolean;
}

/** Pages of the log that are looked through for one question: a second or two. */
const mostPages = 20;
/** A person reads no larger tree. */
const mostEffects = 500;

export interface Whys {
  /**
   * @param id of an event, a command or a request; a position; a stream, or a deployment, user or webhook by its id
   * @returns null when nothing within the scope has it
   */
  why(scope: Scope, id: string): Promise<Why | null>;
}

export function createWhys(deps: { readonly store: EventStore; readonly entries: Entries }): Whys {
  const { store, entries } = deps;
  const gate = createGate({ atOnce: 2, waiting: 8 });
  return {
    why: (scope, id) =>
      gate(async () => {
        const within = scope.kind === 'tenant' ? { tenant: scope.tenant } : {};
        const correlationId = await correlationOf(store, within, id);
        if (correlationId === null) return null;
        const { found, more } = await collected(store, { ...within, correlationId }, mostEffects);
        const causes = await causesOf(store, within, found);
        const shown = causes.slice(0, mostEffects);
        const told = await entries.of(shown.map(({ event }) => event));
        const isAsked = ({ position, causationId, ...entry }: AuditEntry): boolean =>
          id !== correlationId && [entry.id, causationId, position].includes(id);
        const effectsOf = (parent: string | null): readonly Effect[] =>
          shown.flatMap((cause, index) => {
            const entry = told[index];
            if (cause.parent !== parent || !entry) return [];
            return [{ entry, asked: isAsked(entry), effects: effectsOf(cause.event.position) }];
          });
        return { correlationId, effects: effectsOf(null), more: more || causes.length > shown.length };
      }),
  };
}

/** Ids that say by their beginning which stream they are of. */
const streamsOf: Readonly<Record<string, string>> = {
  'dep-': 'deployment-',
  usr_: 'user-',
  wh_: 'webhook-',
};

async function correlationOf(store: EventStore, within: LogSearch, id: string): Promise<string | null> {
  const isWithin = ({ metadata }: RecordedEvent): boolean =>
    within.tenant === undefined || metadata.tenant === within.tenant;
  const [begins, prefix] = Object.entries(streamsOf).find(([start]) => id.startsWith(start)) ?? [];
  const stream = begins !== undefined ? `${String(prefix)}${id}` : aggregateOf(id) ? id : null;
  if (stream !== null) {
    const [first] = await store.readStream(stream, { limit: 1 });
    if (first && isWithin(first)) return first.metadata.correlationId;
  }
  const placed = await eventAt(store, id);
  if (placed && isWithin(placed)) return placed.metadata.correlationId;
  const { found } = await collected(store, { ...within, anyId: id }, 1);
  return found[0]?.metadata.correlationId ?? null;
}

/** Null: the text is no position, or no event lies there. */
async function eventAt(store: EventStore, text: string): Promise<RecordedEvent | null> {
  const place = text as Position;
  try {
    store.compare(place, place);
  } catch (error) {
    if (error instanceof ForeignPosition) return null;
    throw error;
  }
  const question = { direction: 'backwards', from: place, where: {}, limit: 1 } as const;
  const { events } = await store.search(question);
  return events[0]?.position === text ? events[0] : null;
}

/** In the order of the log: what fits `where`, among as much of the newest as is looked through. */
async function collected(
  store: EventStore,
  where: LogSearch,
  most: number,
): Promise<{ readonly found: readonly RecordedEvent[]; readonly more: boolean }> {
  const found: RecordedEvent[] = [];
  let from: Position | null = null;
  for (let pages = 0; pages < mostPages; pages += 1) {
    const limit = most - found.length;
    const page = await store.search({ direction: 'backwards', from, where, limit });
    found.push(...page.events);
    if (page.end || found.length >= most) return { found: found.toReversed(), more: !page.end };
    from = page.next;
  }
  return { found: found.toReversed(), more: true };
}
