/** The log as it is asked for: by stream, tenant, actor, type, correlation and time, page by page, the newest or the oldest first. */
import { fits } from '../ports/log-search.ts';
import type { EventStore, LogSearch, Position, RecordedEvent } from '../ports/event-store.ts';
import type { Scope } from '../ports/read-models.ts';
import type { AuditEntry, Entries } from './entries.ts';
import { knownPosition, NoSuchPlace } from './places.ts';

export interface LogQuestion {
  /** With it, a page costs the same however long the log is. */
  readonly stream?: string | undefined;
  readonly where: LogSearch;
  /** Wall milliseconds, both inclusive, by when events say that they happened. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly order: 'newest' | 'oldest';
  /** `next` or `head` of a page before. */
  readonly cursor?: string | undefined;
  /** Most entries, 1..1,000. */
  readonly limit: number;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Where to go on, though the page is empty; null: there is nothing beyond. Oldest first there may always be. */
  readonly next: string | null;
  /** Whether there is nothing beyond just now. */
  readonly end: boolean;
  /** The log's end when it was read: where to go on, the oldest first, to follow it. */
  readonly head: string;
}

/** Between what an event says of its time and when it was stored, and steps back of a clock that is set right. */
const slackMs = 60_000;
/** Events of a stream that are looked at for one page. */
const lookedAt = 2_000;

/**
 * @param scope a tenant's sees the events of that tenant and no others, whichever tenant is asked for
 * @throws {NoSuchPlace}
 */
export async function readLog(
  { store, entries }: { readonly store: EventStore; readonly entries: Entries },
  scope: Scope,
  question: LogQuestion,
): Promise<AuditPage> {
  const within = scope.kind === 'tenant' ? { ...question.where, tenant: scope.tenant } : question.where;
  const asked = { ...question, where: within };
  const { events, ...place } =
    asked.stream === undefined
      ? await searchPage(store, asked)
      : await streamPage(store, { ...asked, stream: asked.stream });
  return { entries: await entries.of(events.filter(inTime(question))), ...place };
}

type Found = Omit<AuditPage, 'entries'> & { readonly events: readonly RecordedEvent[] };

async function searchPage(
  store: EventStore,
  { where, order, cursor, limit, from, to }: LogQuestion,
): Promise<Found> {
  const head = await store.head();
  const given = cursor === undefined ? null : knownPosition(store, cursor, head);
  const first = from === undefined ? null : await store.positionAt(from - slackMs);
  const last = to === undefined ? null : await store.positionAt(to + slackMs);
  const isBehind = (a: Position, b: Position | null): boolean => b !== null && store.compare(a, b) > 0;
  if (order === 'newest') {
    const start = given && !isBehind(given, last ?? head) ? given : (last ?? head);
    const page = await store.search({ direction: 'backwards', from: start, where, limit });
    const over = page.end || (first !== null && store.compare(page.next, first) <= 0);
    return { events: page.events, next: over ? null : page.next, end: over, head };
  }
  const start = first !== null && (given === null || isBehind(first, given)) ? first : given;
  const page = await store.search({ direction: 'forwards', from: start, where, limit });
  const over = last !== null && isBehind(head, last) && store.compare(page.next, last) >= 0;
  return { events: page.events, next: over ? null : page.next, end: page.end || over, head };
}

/** Cursors are revisions here: everything up to it lies on one side, all behind it on the other. */
async function streamPage(
  store: EventStore,
  { stream, where, order, cursor, limit }: LogQuestion & { readonly stream: string },
): Promise<Found> {
  const [newest] = await store.readStream(stream, { direction: 'backwards', limit: 1 });
  const head = newest?.revision ?? -1;
  const direction = order === 'newest' ? 'backwards' : 'forwards';
  const given = cursor === undefined ? null : revisionIn(cursor);
  let at = given ?? (order === 'newest' ? head : -1);
  const events: RecordedEvent[] = [];
  let end = order === 'newest' ? at < 0 : false;
  for (let looked = 0; !end && looked < lookedAt && events.length < limit;) {
    const most = Math.min(500, lookedAt - looked);
    const read = await store.readStream(stream, {
      ...{ direction, limit: most },
      from: order === 'newest' ? at : at + 1,
    });
    for (const event of read) {
      looked += 1;
      at = order === 'newest' ? event.revision - 1 : event.revision;
      if (fits(where, event)) events.push(event);
      if (events.length === limit) break;
    }
    end = order === 'newest' ? read.length === 0 || at < 0 : read.length < most && events.length < limit;
  }
  const next = order === 'newest' && end ? null : String(at);
  return { events, next, end, head: String(head) };
}

function revisionIn(cursor: string): number {
  if (!/^(-1|\d{1,15})$/.test(cursor))
    throw new NoSuchPlace('is none of a stream: take the next or the head of an answer about this stream');
  return Number(cursor);
}

function inTime({ from, to }: LogQuestion): (event: RecordedEvent) => boolean {
  return ({ metadata }) => {
    const at = Date.parse(metadata.at);
    return (from === undefined || at >= from) && (to === undefined || at <= to);
  };
}
