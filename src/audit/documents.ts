/** What a read model said at a place in the past, and what changed between two. */
import { createGate } from '../core/gate.ts';
import type { Projection } from '../core/projection.ts';
import type { Schemas } from '../core/schemas.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore, Json, Position } from '../ports/event-store.ts';
import type { Document, Scope } from '../ports/read-models.ts';
import { type Change, differences } from './difference.ts';
import type { Places } from './places.ts';
import { redacted, redactedChange } from './redaction.ts';
import { openReplay, type Replay } from '../core/projection-replay.ts';

export interface PastDocuments {
  /** Null: the collection had no such document then, or none within the scope. @throws {TooMuchToReplay} */
  documentAt(scope: Scope, named: NamedDocument, place: Position): Promise<Json | null>;
  /** Null: there is none within the scope at either place. @throws {TooMuchToReplay} */
  documentBetween(scope: Scope, named: NamedDocument, places: Places): Promise<readonly Change[] | null>;
}

export interface NamedDocument {
  readonly collection: string;
  readonly id: string;
}

/** Events that are digested for one question: some seconds. */
const mostReplayed = 200_000;

export function createPastDocuments(options: {
  readonly store: Pick<EventStore, 'readAll' | 'compare'>;
  readonly schemas: Schemas;
  readonly projections: readonly Projection[];
  readonly clock: Pick<Clock, 'now'>;
  /** Default: some seconds' worth. */
  readonly most?: number;
}): PastDocuments {
  const { store, schemas, projections, clock, most = mostReplayed } = options;
  const gate = createGate({ atOnce: 1, waiting: 4 });

  function replayOf(collection: string): Replay | null {
    const projection = projections.find(({ collections }) =>
      collections.some(({ name }) => name === collection),
    );
    return projection ? openReplay({ store, schemas, projection, clock, most }) : null;
  }

  return {
    documentAt: (scope, named, place) =>
      gate(async () => {
        const replay = replayOf(named.collection);
        if (!replay) return null;
        await replay.to(place);
        const document = seen(replay, named, scope);
        return document && redacted(document.data);
      }),
    documentBetween: (scope, named, { from, to }) =>
      gate(async () => {
        const replay = replayOf(named.collection);
        if (!replay) return null;
        if (from) await replay.to(from);
        const before = seen(replay, named, scope);
        await replay.to(to);
        const after = seen(replay, named, scope);
        if (!before && !after) return null;
        return differences(before?.data ?? null, after?.data ?? null).map(redactedChange);
      }),
  };
}

/** A tenant sees its own, and of what is public no more: what a read model keeps is more than its answers tell. */
function seen(replay: Replay, { collection, id }: NamedDocument, scope: Scope): Document | null {
  const document = replay.documents().get(collection)?.get(id) ?? null;
  return scope.kind === 'platform' || document?.tenant === scope.tenant ? document : null;
}
