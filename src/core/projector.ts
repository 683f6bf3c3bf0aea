/**
 * Keeps every read model up with the log: in batches, documents and checkpoint in one transaction, so each event counts
 * exactly once at any crash. Each projection goes its own way: one that fails holds up no other, and each may be led by another process.
 */
import type { Clock } from '../ports/clock.ts';
import type { EventStore, Position } from '../ports/event-store.ts';
import type { Log } from '../ports/log.ts';
import type { ReadModels } from '../ports/read-models.ts';
import { leadAlone, LedElsewhere, type Leadership } from './leadership.ts';
import type { Parked } from './projection-bookmark.ts';
import { createProjectionLoop } from './projection-loop.ts';
import type { ProjectionLoop } from './projection-loop.ts';
import type { Comparison } from './projection-rebuild.ts';
import { createSight, type Seen } from './projection-sight.ts';
import type { Projection } from './projection.ts';
import type { Schemas } from './schemas.ts';
import { backoff, sleep } from './waiting.ts';

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
  /** Begins to follow the log where it leads; resolves once the log's end is known, long before everything has caught up. */
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
  /** As of when a projection was last waited for or asked about, where another process leads it. */
  parked(): readonly (Parked & { readonly projection: string })[];
  /** Tries what a projection has parked again. @returns how many streams were healed. @throws {LedElsewhere} */
  retry(projection: string): Promise<number>;
  /** What a projection's documents are beside what the log makes of them now. @throws {LedElsewhere}, and as {@link ProjectionLoop.compare} does */
  compare(projection: string): Promise<Comparison>;
  /** Makes them what the log makes of them, at once, and tells what was different. @throws as `compare` does */
  rebuild(projection: string): Promise<Comparison>;
}

const countedLag = 1_000;
/** Milliseconds after which standing still is no longer a moment's rest. */
const patience = 10_000;

/** @param options.leadership default: this process leads all; null: it leads none, and only looks how far others are */
export function createProjector(options: {
  readonly store: EventStore;
  readonly models: ReadModels;
  readonly schemas: Schemas;
  readonly projections: readonly Projection[];
  readonly clock: Clock;
  readonly log: Log;
  readonly leadership?: Leadership | null;
}): Projector {
  const { store, projections, clock, log, leadership = leadAlone(options) } = options;
  const sight = createSight(options);
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
  const started = Promise.withResolvers<Position>();
  let running: Promise<unknown> = Promise.resolve();

  /** What is known of it here. */
  function standing(loop: ProjectionLoop): Seen {
    return loop.leads ? loop : (sight.of(loop.projection.name) ?? loop);
  }

  function isThere(loop: ProjectionLoop, position: Position): boolean {
    const { live, position: reached } = standing(loop);
    return live && reached !== null && store.compare(reached, position) >= 0;
  }

  /** Of what others lead. */
  async function look(among: readonly ProjectionLoop[], wanted: Position | null): Promise<void> {
    if (leadership?.isAlone === true) return;
    const led = among.filter(({ leads }) => !leads);
    try {
      await sight.look(
        led.map(({ projection }) => projection),
        wanted,
      );
    } catch (error) {
      log.warn({ err: error }, 'how far read models are could not be found out; it is asked again');
    }
  }

  /** Looks again and again, until the signal aborts. */
  async function watch(
    among: readonly ProjectionLoop[],
    wanted: Position,
    check: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    if (leadership?.isAlone === true) return;
    for (let looks = 1; !signal.aborted; looks += 1) {
      await look(
        among.filter((loop) => !isThere(loop, wanted)),
        wanted,
      );
      check();
      // Who waits for a rebuild need not know it to the tenth of a second.
      await sleep(clock, backoff(looks, 10, looks < 40 ? 100 : 1_000), signal);
    }
  }

  function loopOf(name: string): ProjectionLoop {
    const loop = loops.get(name);
    if (!loop) throw new Error(`there is no projection ${name}`);
    return loop;
  }

  function ledHere(name: string): ProjectionLoop {
    const loop = loopOf(name);
    if (loop.leads || leadership?.isAlone === true) return loop;
    throw new LedElsewhere(`${name} is written by another process`);
  }

  async function lagOf({ projection }: ProjectionLoop, position: Position | null): Promise<number | null> {
    const filter = { types: Object.keys(projection.on) };
    const { events, end } = await store.readAll({ after: position, filter, limit: countedLag });
    return end ? events.length : null;
  }

  function standsStill(
    { projection, failingSince, leads }: ProjectionLoop,
    position: Position | null,
    lag: number | null,
  ): boolean {
    const now = clock.monotonic();
    const seen = behind.get(projection.name);
    if (lag === 0) behind.delete(projection.name);
    else if (seen?.position !== position) behind.set(projection.name, { position, since: now });
    if (lag === 0) return false;
    const since = behind.get(projection.name)?.since ?? now;
    return now - Math.min(since, (leads ? failingSince : null) ?? now) >= patience;
  }

  async function statusOf(loop: ProjectionLoop): Promise<ProjectionStatus> {
    const { name, version } = loop.projection;
    const { position, live, parked } = standing(loop);
    const lagEvents = await lagOf(loop, position);
    const moving = live ? 'live' : 'building';
    const state = standsStill(loop, position, lagEvents) ? 'stalled' : moving;
    return { name, version, position, lagEvents, state, parked: parked.length };
  }

  async function waitFor(
    names: readonly string[] | 'all',
    position: Position,
    timeoutMs: number,
  ): Promise<boolean> {
    const waited = names === 'all' ? [...loops.values()] : names.map(loopOf);
    const areThere = (): boolean => waited.every((loop) => isThere(loop, position));
    store.compare(position, position);
    if (areThere()) return true;
    if (stopping.signal.aborted) return false;
    if (timeoutMs <= 0) {
      await look(waited, position);
      return areThere();
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const check = (): void => {
      if (areThere()) resolve(true);
      else if (stopping.signal.aborted) resolve(false);
    };
    const over = new AbortController();
    waiting.add(check);
    const cancel = clock.after(timeoutMs, () => resolve(false));
    check();
    void watch(waited, position, check, over.signal);
    return promise.finally(() => {
      cancel();
      over.abort();
      waiting.delete(check);
    });
  }

  return {
    async start() {
      const head = await store.head();
      started.resolve(head);
      if (!leadership) return;
      const lead = (loop: ProjectionLoop) =>
        leadership.lead(`projection ${loop.projection.name}`, stopping.signal, (term) =>
          loop.run(head, term),
        );
      running = Promise.all([...loops.values()].map(lead));
    },
    async stop() {
      stopping.abort();
      changed();
      await running;
    },
    async ready() {
      await waitFor('all', await started.promise, Number.MAX_SAFE_INTEGER);
    },
    waitFor,
    async status() {
      const all = [...loops.values()];
      await look(all, await store.head());
      return Promise.all(all.map(statusOf));
    },
    parked: () =>
      [...loops].flatMap(([projection, loop]) =>
        standing(loop).parked.map((entry) => ({ ...entry, projection })),
      ),
    retry: async (projection) => ledHere(projection).retry(),
    compare: async (projection) => ledHere(projection).compare(false),
    rebuild: async (projection) => ledHere(projection).compare(true),
  };
}

function refuseClashes(projections: readonly Projection[]): void {
  const collections = projections.flatMap((projection) => projection.collections);
  for (const names of [projections, collections].map((named) => named.map(({ name }) => name))) {
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw new Error(`two projections or collections are called ${twice}`);
  }
}
