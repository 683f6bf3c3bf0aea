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
import { leadAlone, type Leadership, type Term } from './leadership.ts';
import { createKeyRunner } from './key-runner.ts';
import type { KeyRunner, ParkedKey, Wake } from './key-runner.ts';
import type { Projector } from './projector.ts';
import type { Schemas } from './schemas.ts';
import { backoff, sleep, unlessAborted } from './waiting.ts';

/** Why a handler runs now. Several causes may have become one: it must look at the state, not at the cause. */
export interface Cause {
  /** The latest event that woke the key; null at start, when due, or retried. */
  readonly event: RecordedEvent | null;
  readonly correlationId: string;
  /** The context for a command. @param purpose what for and as of when (`advance @12`): the same twice is one command */
  command(purpose: string): CommandContext;
}

/** How a process manager comes to be: anew in every term in which this process leads it, so that it remembers nothing of another. */
export interface Process {
  /** `^[a-z][a-z0-9-]*$` */
  readonly name: string;
  readonly begin: (term: Term) => ProcessManager;
}

export interface ProcessManager {
  /** Events of these types wake keys. */
  readonly types: readonly string[];
  readonly keysOf: (event: RecordedEvent) => readonly string[];
  /** Keys to wake at start, from a projection that is caught up. */
  readonly inFlight: () => Promise<readonly string[]>;
  /** At most `limit` keys that are due at wall time `nowMs`, the longest due first, from a projection. */
  readonly due: (nowMs: number, limit: number) => Promise<readonly string[]>;
  /** Loads from the log, decides, sends commands. Throwing means again later; after 5 times in a row it is parked. */
  readonly handle: (key: string, cause: Cause) => Promise<void>;
  /** Ends what it does by itself, when the term is over. */
  readonly end?: () => Promise<void>;
}

export interface ProcessRunner {
  /**
   * Resolves once it is known where the log ends: every process that is led here listens from there on, and what is in flight is woken as
   * soon as the projections have caught up.
   */
  start(): Promise<void>;
  /** Starts nothing more; resolves when what runs has ended. */
  stop(): Promise<void>;
  /** Resolves when every event of the log has been seen and nothing is queued or running (what failed may wait), of what is led here. */
  idle(): Promise<void>;
  parked(): readonly (ParkedKey & { readonly process: string })[];
  /** Wakes a parked key, with its failures forgotten. */
  retry(process: string, key: string): void;
}

interface Running {
  readonly name: string;
  readonly process: ProcessManager;
  readonly keys: KeyRunner;
  readonly signal: AbortSignal;
  /** Null: where the log ends is yet to be found out. */
  position: Position | null;
  woken: boolean;
}

const pollEveryMs = 1_000;
const dueAtOnce = 1_000;
/** Milliseconds after which projections that are not there yet are waited for again. */
const projectionsWithinMs = 30_000;

/**
 * @param options.concurrency handlers of one process at once, default 16
 * @param options.leadership default: this process leads all
 */
export function createProcessRunner(options: {
  readonly store: EventStore;
  readonly schemas: Schemas;
  readonly processes: readonly Process[];
  readonly clock: Clock;
  readonly log: Log;
  readonly projector: Pick<Projector, 'waitFor'>;
  /** A fresh UUID, for what no event has caused. */
  readonly newId: () => string;
  readonly concurrency?: number;
  /** How often due keys are asked for, default 1,000: a simulation of days takes longer steps. */
  readonly pollMs?: number;
  readonly leadership?: Leadership;
}): ProcessRunner {
  const { store, schemas, processes, projector, clock, leadership = leadAlone(options) } = options;
  const stopping = new AbortController();
  const waiting = new Set<() => void>();
  const changed = (): void => [...waiting].forEach((check) => check());
  const all = new Map<string, Running>();
  let leading: Promise<unknown> = Promise.resolve();

  /** As long as the term lasts. @param known where the log ended, when that is known; or it is asked for first of all */
  async function lead({ name, begin }: Process, term: Term, known: Position | null): Promise<void> {
    const { signal } = term;
    const log = options.log.child({ process: name });
    const process = begin(term);
    const handle = (key: string, wake: Wake): Promise<void> =>
      process.handle(key, causeOf(name, key, wake, options.newId));
    const concurrency = options.concurrency ?? 16;
    const keys = createKeyRunner({ handle, concurrency, clock, log, changed });
    const running: Running = { name, process, keys, signal, position: known, woken: false };
    all.set(name, running);
    const stopKeys = (): void => void keys.stop();
    signal.addEventListener('abort', stopKeys, { once: true });
    try {
      await persist(running, log, 'beginning', async () => {
        // Before anything asks what is in flight: what happens after it is heard, what happened before it is found.
        running.position ??= await store.head();
        return 'done';
      });
      const head = running.position;
      if (head === null) return;
      await Promise.all([
        persist(running, log, 'listening', () => listen(running, head, log)),
        persist(running, log, 'waking', () => wakeInFlight(running, head)).then(() => poll(running, log)),
      ]);
    } finally {
      signal.removeEventListener('abort', stopKeys);
      await keys.stop();
      await process.end?.();
      all.delete(name);
      changed();
    }
  }

  /** Again after a while until it ends by itself or the term is over. */
  async function persist(
    { signal }: Running,
    log: Log,
    doing: string,
    work: () => Promise<'done' | 'ended'>,
  ): Promise<void> {
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        if ((await work()) === 'done') return;
      } catch (error) {
        log.error({ err: error, doing }, 'a process is held up; it is tried again');
      }
      await sleep(clock, backoff(Math.min(failures, 8), 100, 5_000), signal);
    }
  }

  async function listen(running: Running, head: Position, log: Log): Promise<'ended'> {
    const { signal } = running;
    const filter = { types: running.process.types };
    for await (const batch of store.subscribe({ after: running.position ?? head, filter, signal })) {
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
    if (!(await unlessAborted(there, running.signal))) return 'ended';
    for (const key of await running.process.inFlight()) running.keys.wake(key, { by: 'start' });
    running.woken = true;
    changed();
    return 'done';
  }

  async function poll({ process, keys, signal }: Running, log: Log): Promise<void> {
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
      ({ keys, position, woken }) =>
        woken && keys.quiet && position !== null && store.compare(position, head) >= 0,
    );

  return {
    async start() {
      const head = await store.head();
      leading = Promise.all(
        processes.map((process) =>
          leadership.lead(`process ${process.name}`, stopping.signal, (term) =>
            // Where others can lead, a term may begin much later.
            lead(process, term, leadership.isAlone ? head : null),
          ),
        ),
      );
    },
    async stop() {
      stopping.abort();
      changed();
      await leading;
    },
    async idle() {
      for (let head = await store.head(), at = head; ; at = head) {
        await new Promise<void>((resolve) => {
          const check = (): void => {
            if (!stopping.signal.aborted && !settled(at)) return;
            waiting.delete(check);
            resolve();
          };
          waiting.add(check);
          check();
        });
        head = await store.head();
        if (stopping.signal.aborted || (head === at && settled(head))) return;
      }
    },
    parked: () =>
      [...all].flatMap(([process, { keys }]) => keys.parked.map((parked) => ({ ...parked, process }))),
    retry(process, key) {
      const running = all.get(process);
      if (!running) throw new Error(`there is no process ${process} here`);
      running.keys.wake(key, { by: 'retry' });
    },
  };
}

function causeOf(name: string, key: string, wake: Wake, newId: () => string): Cause {
  const event = wake.by === 'event' ? wake.event : null;
  const correlationId = event?.metadata.correlationId ?? newId();
  return {
    event,
    correlationId,
    command: (purpose) => processContext({ process: name, key, purpose, correlationId }),
  };
}
