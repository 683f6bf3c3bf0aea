/** How far a projection has come: its checkpoint and bookmark, written with its documents in one transaction. */
import type { Clock } from '../ports/clock.ts';
import {
  StoreUnavailable,
  type EventStore,
  type Position,
  type RecordedEvent,
} from '../ports/event-store.ts';
import type { Log } from '../ports/log.ts';
import type { ReadModels } from '../ports/read-models.ts';
import {
  bookmarkCollection,
  bookmarkWrites,
  loadBookmark,
  newBookmark,
  whyForeign,
} from './projection-bookmark.ts';
import type { Bookmark, Mark, Troubles } from './projection-bookmark.ts';
import type { BatchDocuments } from './projection-documents.ts';
import type { Projection } from './projection.ts';

export interface ProjectionLedger {
  /** Up to where everything is in the documents; null before the first event. */
  readonly position: Position | null;
  /** Written with the next commit. */
  troubles: Troubles;
  /**
   * A commit failed, and nobody knows whether it was made all the same: the answer of a store elsewhere may be what was lost.
   * Until `resume` has found out, nothing is written.
   */
  readonly uncertain: boolean;
  /**
   * Finds out where to go on, after emptying what is not of this log. From here on everything is written under the fence (null: none).
   * @returns whether this version answers already, and whether the last start from here got nowhere
   * @throws {StaleFence} as everything does that writes, when another process has taken over
   */
  resume(fence: number | null): Promise<{ readonly active: boolean; readonly inVain: boolean }>;
  /** From now on this version answers. */
  activate(): Promise<void>;
  /**
   * When it fails nothing changes in here, and what the store has is {@link ProjectionLedger.uncertain}.
   * @param last the last event handled, null when none was since the last commit
   */
  commit(
    documents: Pick<BatchDocuments, 'writes'> | null,
    at: Position,
    last: RecordedEvent | null,
  ): Promise<void>;
  /** Nothing up to `at` concerns the projection: noted at once, written at most every second. */
  skip(at: Position): Promise<void>;
  /** Writes what `skip` has not. */
  flush(): Promise<void>;
}

const checkpointEvery = 1_000;

export function openLedger(options: {
  readonly store: EventStore;
  readonly models: ReadModels;
  readonly projection: Projection;
  readonly clock: Clock;
  readonly log: Log;
  /** Called whenever `position` changes. */
  readonly changed: () => void;
}): ProjectionLedger {
  const { store, models, projection, clock, log, changed } = options;
  const { name, version } = projection;
  const generation = { projection: name, version };
  let position: Position | null = null;
  let eventId: string | null = null;
  let written: Bookmark = newBookmark;
  let troubles = newBookmark.troubles;
  let unwritten = false;
  let uncertain = false;
  let fence: number | undefined;
  let writtenAt = clock.monotonic();

  async function write(
    documents: Pick<BatchDocuments, 'writes'> | null,
    at: Position,
    last: string | null,
    mark: Mark,
  ): Promise<void> {
    const bookmark = { mark, troubles };
    const writes = [...(documents?.writes() ?? []), ...bookmarkWrites(name, written, bookmark)];
    if (uncertain) throw new StoreUnavailable('how the last commit ended is not known yet');
    uncertain = true;
    await models.commit(generation, writes, { position: at, eventId: last }, fence);
    uncertain = false;
    [position, eventId, written] = [at, last, bookmark];
    unwritten = false;
    writtenAt = clock.monotonic();
    changed();
  }

  /** A place before the first event that concerns the projection, where it can be named: checkpoints need one. */
  async function beforeFirst(): Promise<Position | null> {
    const { events, next } = await store.readAll({ after: null, limit: 1 });
    const [first] = events;
    if (!first) return next;
    return first.type in projection.on ? null : first.position;
  }

  const flush = async (): Promise<void> => {
    if (unwritten && position && !uncertain) await write(null, position, eventId, written.mark);
  };

  return {
    get position() {
      return position;
    },
    get troubles() {
      return troubles;
    },
    set troubles(now) {
      troubles = now;
    },
    get uncertain() {
      return uncertain;
    },
    flush,
    activate: () => models.activate(generation, fence),
    async resume(under) {
      [fence, unwritten] = [under ?? undefined, false];
      // Declared first: a collection that is new to this version empties the generation, checkpoint and all.
      await models.declare(generation, [...projection.collections, bookmarkCollection(name)]);
      // Before the checkpoint is read, or whoever led before might still move it, and the documents with it.
      if (fence !== undefined) await models.fence(generation, fence);
      const known = await models.generations();
      const state = known.find((other) => other.projection === name && other.version === version);
      let checkpoint = state?.checkpoint ?? null;
      written = checkpoint ? await loadBookmark(models, generation) : newBookmark;
      const foreign = checkpoint && (await whyForeign(store, checkpoint, written, await store.head()));
      if (foreign) {
        log.warn({ reason: foreign }, 'the read model is not of this log: rebuilding it');
        await models.reset(generation, fence);
        [checkpoint, written] = [null, newBookmark];
      }
      troubles = written.troubles;
      position = checkpoint?.position ?? (await beforeFirst());
      eventId = checkpoint?.eventId ?? null;
      uncertain = false;
      const { starts } = written.mark;
      if (position) await write(null, position, eventId, { ...written.mark, starts: starts + 1 });
      changed();
      return { active: state?.active ?? false, inVain: starts > 0 };
    },
    commit: (documents, at, last) =>
      last
        ? write(documents, at, last.id, { last: { stream: last.stream, revision: last.revision }, starts: 0 })
        : write(documents, at, eventId, written.mark),
    async skip(at) {
      position = at;
      unwritten = true;
      changed();
      if (clock.monotonic() - writtenAt >= checkpointEvery) await flush();
    },
  };
}
