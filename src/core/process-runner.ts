/**
 * Runs process managers. They are level-triggered: an event or a due time only wakes a key; its handler loads from the log,
 * decides what should happen next and sends commands whose ids derive from their cause. Delivery is at least once, and
 * nothing is kept here: at start, whatever is in flight is woken.
 */
import type { Clock } from '../ports/clock.ts';
import type { EventStore, Position, RecordedEvent } from '../ports/event-store.ts';
import type { Log } from '../ports/log.ts';
import { processContext } from './context.ts';
import type { CommandContext } from './executor.ts';
import { createKeyRunner } from './key-runner.ts';
import type { KeyRunner, ParkedKey, Wake } from './key-runner.ts';
import type { Projector } from './projector.ts';
import type { Schemas } from './schemas.ts';
import { backoff, sleep } from './waiting.ts';

/** Why a handler runs now. Several causes may have become one: it must look at the state, not at the cause. */
export interface Cause {
  /** The latest event that woke the key; null at start, when due, or retried. */
  readonly event: RecordedEvent | null;
  readonly correlationId: string;
  /** The context for a command. @param purpose what for and as of when (`advance @12`): the same twice is one command */
  command(purpose: string): CommandContext;
}

export interface ProcessManager {
  /** `^[a-z][a-z0-9-]*$` */
  readonly name: string;
  /** Events of these types wake keys. */
  readonly types: readonly string[];
  readonly keysOf: (event: RecordedEvent) => readonly string[];
  /** Keys to wake at start, from a projection that is caught up. */
  readonly inFlight: () => Promise<readonly string[]>;
  /** At most `limit` keys that are due at wall time `nowMs`, the longest due first, from a projection. */
  readonly due: (nowMs: number, limit: number) => Promise<readonly string[]>;
  /** Loads from the log, decides, sends commands. Throwing means again later; after 5 times in a row it is parked. */
  readonly handle: (key: string, cause: Cause) => Promise<void>;
}

export interface ProcessRunner {
  /** Resolves once every process listens; what is in flight is woken as soon as the projections have caught up. */
  start(): Promise<void>;
  /** Starts nothing more; resolves when what runs has ended. */
  stop(): Promise<void>;
  /** Resolves when every event of the log has been seen and nothing is queued or running (what failed may wait). */
  idle(): Promise<void>;
  parked(): readonly (ParkedKey & { readonly process: string })[];
  /** Wakes a parked key, with its failures forgotten. */
  retry(process: string, key: string): void;
}

interface Running {
  readonly process: ProcessManager;
  readonly keys: KeyRunner;
  position: Position;
  woken: boolean;
}

const pollEveryMs = 1_000;
const dueAtOnce = 1_000;
/** Milliseconds after which projections that are not there yet are waited for again. */
const projectionsWithinMs = 30_000;

/** @param options.concurrency handlers of one process at once, default 16 */
export function createProcessRunner(options: {
  readonly store: EventStore;
  readonly schemas: Schemas;
  readonly processes: readonly ProcessManager[];
  readonly clock: Clock;
  readonly log: Log;
  readonly projector: Pick<Projector, 'waitFor'>;
  /** A fresh UUID, for what no event has caused. */
  readonly newId: () => string;
  readonly concurrency?: number;
  /** How often due keys are asked for, default 1,000: a simulation of days takes longer steps. */
  readonly pollMs?: number;
}): ProcessRunner {
  const { store, schemas, processes, projector, clock } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const stopped = Promise.withResolvers<false>();
  const waiting = new Set<() => void>();
  const changed = (): void => [...waiting].forEach((check) => check());
  const all = new Map<string, Running>();
  const loops: Promise<void>[] = [];

  function begin(process: ProcessManager, head: Position): Running {
    const log = options.log.child({ process: process.name });
    const handle = (key: string, wake: Wake): Promise<void> =>
      process.handle(key, causeOf(process, key, wake, options.newId));
    const concurrency = options.concurrency ?? 16;
    const keys = createKeyRunner({ handle, concurrency, clock, log, changed });
    const running: Running = { process, keys, position: head, woken: false };
    loops.push(
      persist(log, 'listening', () => listen(running, log)),
      persist(log, 'waking', () => wakeInFlight(running, head)).then(() => poll(running, log)),
    );
    return running;
  }

  /** Again after a while until it ends by itself or everything stops. */
  async function persist(log: Log, doing: string, work: () => Promise<'done' | 'ended'>): Promise<void> {
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        if ((await work()) === 'done') return;
      } catch (error) {
        log.error({ err: error, doing }, 'a process is held up; it is tried again');
      }
      await sleep(clock, backoff(Math.min(failures, 8), 100, 5_000), signal);
    }
  }

  async function listen(running: Running, log: Log): Promise<'ended'> {
    const filter = { types: running.process.types };
    for await (const batch of store.subscribe({ after: running.position, filter, signal })) {
      for (const event of batch.events) wakeBy(event, running, log);
      running.position = batch.checkpoint;
      changed();
    }
    return 'ended';
  }

  function wakeBy(recorded: RecordedEvent, { process, keys }: Running, log: Log): void {
    const decoded = schemas.decode(recorded);
    const { id, type, stream } = recorded;
    if (!decoded.ok) {
      log.error({ event: id, type, stream, error: decoded.message }, 'an event wakes nobody');
      return;
    }
    try {
      const { event } = decoded;
      for (const key of process.keysOf(event)) keys.wake(key, { by: 'event', event });
    } catch (error) {
      log.error({ event: id, type, stream, err: error }, 'an event wakes nobody');
    }
  }

  async function wakeInFlight(running: Running, head: Position): Promise<'done' | 'ended'> {
    const there = projector.waitFor('all', head, projectionsWithinMs);
    if (!(await Promise.race([there, stopped.promise]))) return 'ended';
    for (const key of await running.process.inFlight()) running.keys.wake(key, { by: 'start' });
    running.woken = true;
    changed();
    return 'done';
  }

  async function poll({ process, keys }: Running, log: Log): Promise<void> {
    while (!signal.aborted) {
      try {
        // Parked keys stay due: they must not crowd out the others.
        const limit = dueAtOnce + keys.parked.length;
        for (const key of await process.due(clock.now(), limit)) keys.wake(key, { by: 'due' });
      } catch (error) {
        log.warn({ err: error }, 'due times could not be read; they are asked for again');
      }
      await sleep(clock, options.pollMs ?? pollEveryMs, signal);
    }
  }

  const settled = (head: Position): boolean =>
    [...all.values()].every(
      ({ keys, position, woken }) => woken && keys.quiet && store.compare(position, head) >= 0,
    );

  return {
    async start() {
      // Taken before anything asks what is in flight: what happens after it is heard, what happened before it is found.
      const head = await store.head();
      for (const process of processes) all.set(process.name, begin(process, head));
    },
    async stop() {
      stopping.abort();
      stopped.resolve(false);
      changed();
      await Promise.all([...loops, ...[...all.values()].map(({ keys }) => keys.stop())]);
    },
    async idle() {
      for (let head = await store.head(), at = head; ; at = head) {
        await new Promise<void>((resolve) => {
          const check = (): void => {
            if (!signal.aborted && !settled(at)) return;
            waiting.delete(check);
            resolve();
          };
          waiting.add(check);
          check();
        });
        head = await store.head();
        if (signal.aborted || (head === at && settled(head))) return;
      }
    },
    parked: () =>
      [...all].flatMap(([process, { keys }]) => keys.parked.map((parked) => ({ ...parked, process }))),
    retry(process, key) {
      const running = all.get(process);
      if (!running) throw new Error(`there is no process ${process}`);
      running.keys.wake(key, { by: 'retry' });
    },
  };
}

function causeOf({ name }: ProcessManager, key: string, wake: Wake, newId: () => string): Cause {
  const event = wake.by === 'event' ? wake.event : null;
  const correlationId = event?.metadata.correlationId ?? newId();
  return {
    event,
    correlationId,
    command: (purpose) => processContext({ process: name, key, purpose, correlationId }),
  };
}
