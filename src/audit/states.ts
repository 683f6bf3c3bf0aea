/** What a stream said at a place in the past, and what changed between two. Costs the stream up to there, not the log. */
import type { Schemas } from '../core/schemas.ts';
import { UnreadableStream } from '../core/executor.ts';
import type { EventStore, Json, Position, RecordedEvent } from '../ports/event-store.ts';
import type { Scope } from '../ports/read-models.ts';
import { aggregateOf } from './aggregates.ts';
import { asJson, type Change, differences } from './difference.ts';
import { type Places, Untold } from './places.ts';
import { redacted, redactedChange } from './redaction.ts';

export interface State {
  /** The last event in it. */
  readonly last: Pick<RecordedEvent, 'revision' | 'position' | 'type'> & { readonly at: string };
  readonly state: Json;
}

const pageSize = 1_000;
/** Events; more than any stream of ours that is not kept for days only. */
const longest = 200_000;

export interface StatesDeps {
  readonly store: Pick<EventStore, 'readStream' | 'compare'>;
  readonly schemas: Schemas;
}

/**
 * @returns null when the stream did not exist then, or holds what is not within the scope
 * @throws {Untold} when retention has taken the beginning, or it is too long; {UnreadableStream}
 */
export async function stateAt(
  deps: StatesDeps,
  scope: Scope,
  stream: string,
  place: Position,
): Promise<State | null> {
  const found = await foldTo(deps, scope, stream, place);
  return found && { last: found.last, state: redacted(found.state) };
}

/** As {@link stateAt} for both places. `before` is null where it did not exist yet: then everything is new. */
export async function stateBetween(
  deps: StatesDeps,
  scope: Scope,
  stream: string,
  places: Places,
): Promise<{
  readonly from: State['last'] | null;
  readonly to: State['last'];
  readonly changes: readonly Change[];
} | null> {
  const after = await foldTo(deps, scope, stream, places.to);
  if (!after) return null;
  const before = places.from && (await foldTo(deps, scope, stream, places.from));
  const changes = differences(before?.state ?? null, after.state);
  return { from: before?.last ?? null, to: after.last, changes: changes.map(redactedChange) };
}

async function foldTo(
  { store, schemas }: StatesDeps,
  scope: Scope,
  stream: string,
  place: Position,
): Promise<State | null> {
  const found = aggregateOf(stream);
  if (!found) return null;
  const { aggregate } = found;
  let state = aggregate.initial;
  let last: RecordedEvent | null = null;
  for (let from = 0; ; from = (last?.revision ?? -1) + 1) {
    const page = await store.readStream(stream, { from, limit: pageSize });
    for (const event of page) {
      if (store.compare(event.position, place) > 0) return told(last, state);
      if (scope.kind === 'tenant' && event.metadata.tenant !== scope.tenant) return null;
      if (!last && event.revision > 0 && !aggregate.lastTellsAll)
        throw new Untold(
          `what ${stream} was cannot be told: its events before revision ${event.revision} are kept no longer`,
        );
      if (event.revision >= longest)
        throw new Untold(`${stream} is too long to be folded: it has more than ${longest} events`);
      const decoded = schemas.decode(event);
      if (!decoded.ok) throw new UnreadableStream(stream, event.revision, decoded.message);
      state = aggregate.evolve(state, decoded.event);
      last = event;
    }
    if (page.length < pageSize) return told(last, state);
  }
}

function told(last: RecordedEvent | null, state: unknown): State | null {
  if (!last) return null;
  const { revision, position, type, metadata } = last;
  return { last: { revision, position, type, at: metadata.at }, state: asJson(state) };
}
