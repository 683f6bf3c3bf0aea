/**
 * Keeps every read model up with the log: in batches, documents and checkpoint in one transaction, so each event counts
 * exactly once at any crash. Each projection goes its own way: one that fails holds up no other.
 */
import type { Clock } from '../ports/clock.ts';
import type { EventStore, Position } from '../ports/event-store.ts';
import type { Log } from '../ports/log.ts';
import type { ReadModels } from '../ports/read-models.ts';
import type { Parked } from './projection-bookmark.ts';
import { createProjectionLoop } from './projection-loop.ts';
import type { ProjectionLoop } from './projection-loop.ts';
import type { Comparison } from './projection-rebuild.ts';
import type { Projection } from './projection.ts';
import type { Schemas } from './schemas.ts';

export interface ProjectionStatus {
  readonly name: string;
  readonly version: number;
  readonly position: Position | null;
  /** How many events of its types wait; null: more than can be counted cheaply. */
  readonly lagEvents: number | null;
  /** `building`: this version does not answer yet. `stalled`: it stands still while the log moves. */
  readonly state: 'building' | 'live' | 'stalled';
  /** How many streams are parked. */
  readonly parked: number;
}

export interface Projector {
  /** Begins to follow the log; resolves once the log's end is known, long before everything has caught up. */
  start(): Promise<void>;
  /** Finishes what is being handled, writes the last checkpoints. */
  stop(): Promise<void>;
  /** Resolves once every projection stands where the log ended at start. */
  ready(): Promise<void>;
  /**
   * Whether the projections (by name) contain everything up to `position` within `timeoutMs`.
   * @throws {ForeignPosition} when it is of another log
   */
  waitFor(names: readonly string[] | 'all', position: Position, timeoutMs: number): Promise<boolean>;
  status(): Promise<readonly ProjectionStatus[]>;
  parked(): readonly (Parked & { readonly projection: string })[];
  /** Tries what a projection has parked again. @returns how many streams were healed */
  retry(projection: string): Promise<number>;
  /** What a projection's documents are beside what the log makes of them now. @throws as {@link ProjectionLoop.compare} does */
  compare(projection: string): Promise<Comparison>;
  /** Makes them what the log makes of them, at once, and tells what was different. @throws as `compare` does */
  rebuild(projection: string): Promise<Comparison>;
}

const countedLag = 1_000;
/** Milliseconds after which standing still is no longer a moment's rest. */
const patience = 10_000;

export function createProjector(options: {
  readonly store: EventStore;
  readonly models: ReadModels;
  readonly schemas: Schemas;
  readonly projections: readonly Projection[];
  readonly clock: Clock;
  readonly log: Log;
}): Projector {
  const { store, projections, clock } = options;
  refuseClashes(projections);
  const stopping = new AbortController();
  const waiting = new Set<() => void>();
  const changed = (): void => [...waiting].forEach((check) => check());
  const loops = new Map(
    projections.map((projection) => [
      projection.name,
      createProjectionLoop({ ...options, projection, changed }),
    ]),
  );
  /** Where a projection stood, and since when, when it was last seen to be behind. */
  const behind = new Map<string, { readonly position: Position | null; readonly since: number }>();
  let running: Promise<unknown> = Promise.resolve();

  function loopOf(name: string): ProjectionLoop {
    const loop = loops.get(name);
    if (!loop) throw new Error(`there is no projection ${name}`);
    return loop;
  }

  async function lagOf({ projection, position }: ProjectionLoop): Promise<number | null> {
    const filter = { types: Object.keys(projection.on) };
    const { events, end } = await store.readAll({ after: position, filter, limit: countedLag });
    return end ? events.length : null;
  }

  function standsStill({ projection, position, failingSince }: ProjectionLoop, lag: number | null): boolean {
    const now = clock.monotonic();
    const seen = behind.get(projection.name);
    if (lag === 0) behind.delete(projection.name);
    else if (seen?.position !== position) behind.set(projection.name, { position, since: now });
    if (lag === 0) return false;
    const since = behind.get(projection.name)?.since ?? now;
    return now - Math.min(since, failingSince ?? now) >= patience;
  }

  async function statusOf(loop: ProjectionLoop): Promise<ProjectionStatus> {
    const { name, version } = loop.projection;
    const lagEvents = await lagOf(loop);
    const moving = loop.live ? 'live' : 'building';
    const state = standsStill(loop, lagEvents) ? 'stalled' : moving;
    return { name, version, position: loop.position, lagEvents, state, parked: loop.parked.length };
  }

  return {
    async start() {
      const head = await store.head();
      running = Promise.all([...loops.values()].map((loop) => loop.run(head, stopping.signal)));
    },
    async stop() {
      stopping.abort();
      changed();
      await running;
    },
    async ready() {
      await Promise.all([...loops.values()].map((loop) => loop.caughtUp));
    },
    async waitFor(names, position, timeoutMs) {
      const waited = names === 'all' ? [...loops.values()] : names.map(loopOf);
      const there = (loop: ProjectionLoop): boolean =>
        loop.live && loop.position !== null && store.compare(loop.position, position) >= 0;
      store.compare(position, position);
      if (waited.every(there)) return true;
      if (timeoutMs <= 0 || stopping.signal.aborted) return false;
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const check = (): void => {
        if (waited.every(there)) resolve(true);
        else if (stopping.signal.aborted) resolve(false);
      };
      waiting.add(check);
      const cancel = clock.after(timeoutMs, () => resolve(false));
      check();
      return promise.finally(() => {
        cancel();
        waiting.delete(check);
      });
    },
    status: () => Promise.all([...loops.values()].map(statusOf)),
    parked: () =>
      [...loops].flatMap(([projection, { parked }]) => parked.map((entry) => ({ ...entry, projection }))),
    retry: (projection) => loopOf(projection).retry(),
    compare: (projection) => loopOf(projection).compare(false),
    rebuild: (projection) => loopOf(projection).compare(true),
  };
}

function refuseClashes(projections: readonly Projection[]): void {
  const collections = projections.flatMap((projection) => projection.collections);
  for (const names of [projections, collections].map((named) => named.map(({ name }) => name))) {
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw new Error(`two projections or collections are called ${twice}`);
  }
}
