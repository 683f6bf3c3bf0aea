/** One projection, followed for as long as the server runs. projector.ts starts one of these for each. */
import type { Clock } from '../ports/clock.ts';
import type { EventStore, Position, RecordedEvent, SubscriptionBatch } from '../ports/event-store.ts';
import type { Log } from '../ports/log.ts';
import { StaleFence, type ReadModels } from '../ports/read-models.ts';
import type { Term } from './leadership.ts';
import type { Parked } from './projection-bookmark.ts';
import { openBatchDocuments } from './projection-documents.ts';
import type { BatchDocuments } from './projection-documents.ts';
import { heal } from './projection-healing.ts';
import { openLedger } from './projection-ledger.ts';
import { compareWithLog, type Comparison } from './projection-rebuild.ts';
import type { Documents, Projection } from './projection.ts';
import type { Decoded, Schemas } from './schemas.ts';
import { backoff, createQueues, sleep } from './waiting.ts';

export interface ProjectionLoop {
  readonly projection: Projection;
  /** Up to where everything is in the documents; null before the first event. */
  readonly position: Position | null;
  /** Whether this version answers, with everything up to where the log ended at start. */
  readonly live: boolean;
  /** Whether this process leads it: of what another does, nothing is known here. */
  readonly leads: boolean;
  readonly parked: readonly Parked[];
  /** Since when (monotonic) it has failed without getting on; null when it gets on. */
  readonly failingSince: number | null;
  /** Runs until the term is over, or another process has taken over. Never throws. @param head the log's end at start */
  run(head: Position, term: Term): Promise<void>;
  /** Tries what is parked again. @returns how many streams were healed */
  retry(): Promise<number>;
  /**
   * What answers beside what the log makes of it now.
   * @param mend whether the one becomes the other
   * @throws {StillBuilding} before it is live; {TooMuchToReplay}
   */
  compare(mend: boolean): Promise<Comparison>;
}

/** This version does not answer yet. The caller may try again. */
export class StillBuilding extends Error {
  override readonly name = 'StillBuilding';
}

/** Events of a batch: fewer ask for their documents one by one. */
const worthForeseeing = 8;
const mostTries = 5;
const mostParked = 1_000;
/** Milliseconds between lines of progress while it catches up. */
const progressEvery = 5_000;

class Stopped extends Error {}

export function createProjectionLoop(options: {
  readonly store: EventStore;
  readonly models: ReadModels;
  readonly schemas: Schemas;
  readonly projection: Projection;
  readonly clock: Clock;
  readonly log: Log;
  /** Called whenever `position` or `live` changes. */
  readonly changed: () => void;
}): ProjectionLoop {
  const { store, models, schemas, projection, clock } = options;
  const generation = { projection: projection.name, version: projection.version };
  const log = options.log.child(generation);
  const types = Object.keys(projection.on);
  const queues = createQueues();
  /** The loop and `retry` write the same documents: one of them at a time. */
  const exclusive = <T>(task: () => Promise<T>): Promise<T> => queues('documents', task);
  /** For who does not go on from where the loop stands. */
  const certainly = <T>(task: () => Promise<T>): Promise<T> =>
    exclusive(async () => {
      if (ledger.uncertain) await resume();
      return task();
    });

  let failingSince: number | null = null;
  const changed = (): void => {
    failingSince = null;
    options.changed();
  };
  const ledger = openLedger({ ...options, log, changed });
  let target: Position;
  let signal: AbortSignal;
  let fence: Term['fence'] = null;
  let active = false;
  let live = false;
  let leads = false;
  /** Every try is counted before it is made: the last start got nowhere, so perhaps an event ends the process. */
  let careful = false;
  /** Of the batch, what has been decoded. */
  const foreseen = new Map<RecordedEvent, Decoded>();
  let toldAt = clock.monotonic();

  const open = (): BatchDocuments => openBatchDocuments(models, generation, projection);

  async function handle(batch: SubscriptionBatch): Promise<void> {
    // This batch may be handled already: where to go on is to be found out first.
    if (ledger.uncertain) throw new Error('how a commit ended is not known');
    if (batch.events.length === 0) await ledger.skip(batch.checkpoint);
    else await handleEvents(batch);
    await goLive();
    if (live || clock.monotonic() - toldAt < progressEvery) return;
    toldAt = clock.monotonic();
    log.info({ position: ledger.position, target }, 'catching up');
  }

  async function handleEvents({ events, checkpoint }: SubscriptionBatch): Promise<void> {
    let documents = open();
    let last: RecordedEvent | null = null;
    const settle = async (): Promise<void> => {
      const at = last?.position ?? ledger.position;
      // Before the log's very first event there is nothing to commit, and no place to name.
      if (at) await ledger.commit(documents, at, last);
      documents = open();
    };
    if (events.length >= worthForeseeing && !careful) await foresee(events, documents);
    for (const event of events) {
      await digest(event, () => documents, settle);
      last = event;
    }
    careful = false;
    await ledger.commit(documents, checkpoint, last);
  }

  async function foresee(events: readonly RecordedEvent[], documents: BatchDocuments): Promise<void> {
    foreseen.clear();
    const handlings = events.flatMap((event) => {
      const handle = projection.on[event.type];
      const decoded = schemas.decode(event);
      foreseen.set(event, decoded);
      return handle && decoded.ok ? [(probe: Documents) => handle(decoded.event, probe)] : [];
    });
    await documents.foresee(handlings);
  }

  /** Applies an event, or parks it: after five tries, or at once when it cannot be read. @param settle commits what came before it */
  async function digest(
    event: RecordedEvent,
    documents: () => BatchDocuments,
    settle: () => Promise<void>,
  ): Promise<void> {
    const { trying, parked } = ledger.troubles;
    if (parked.some(({ stream }) => stream === event.stream)) return;
    const decoded = foreseen.get(event) ?? schemas.decode(event);
    if (!decoded.ok) {
      // No try will change what this version of the program can read.
      park(event, 1, decoded.message);
      return;
    }
    let tries = trying?.eventId === event.id ? trying.tries : 0;
    let error: string | null = 'the process ended while it was handled';
    while (tries < mostTries) {
      if (careful || tries > 0) {
        tries += 1;
        ledger.troubles = { parked, trying: { eventId: event.id, tries } };
        await settle();
      }
      error = await attempt(decoded.event, documents());
      if (error === null) break;
      tries = Math.max(tries, 1);
      failingSince ??= clock.monotonic();
      log.warn({ event: event.id, type: event.type, stream: event.stream, tries, error }, 'an event failed');
      if (tries < mostTries) await sleep(clock, backoff(tries, 50, 1_000), signal);
      if (signal.aborted) throw new Stopped();
    }
    if (error !== null) park(event, tries, error);
    else if (ledger.troubles.trying) ledger.troubles = { parked, trying: null };
  }

  /** @returns what went wrong, null when nothing did. @throws when documents could not be read */
  async function attempt(event: RecordedEvent, documents: BatchDocuments): Promise<string | null> {
    try {
      await projection.on[event.type]?.(event, documents);
      documents.keep();
      return null;
    } catch (error) {
      documents.undo();
      if (documents.unreadable !== null) throw error;
      return error instanceof Error ? error.message : String(error);
    }
  }

  function park({ id, type, stream, revision }: RecordedEvent, tries: number, error: string): void {
    const { parked } = ledger.troubles;
    if (parked.length >= mostParked)
      throw new Error(`${mostParked} streams are parked: the projection is broken`);
    const parkedAt = new Date(clock.now()).toISOString();
    const entry = { stream, revision, eventId: id, type, error, tries, parkedAt };
    ledger.troubles = { trying: null, parked: [...parked, entry] };
    log.error({ event: id, type, stream, error }, 'an event was parked with everything later of its stream');
  }

  /** Once it stands where the log ended at start, this version answers. */
  async function goLive(): Promise<void> {
    if (live || ledger.position === null || store.compare(ledger.position, target) < 0) return;
    if (!active) {
      await ledger.flush();
      await ledger.activate();
      log.info({ position: ledger.position }, 'built: this version answers now');
    }
    live = active = true;
    changed();
  }

  function healOne(entry: Parked): Promise<boolean> {
    const documents = open();
    const decodeAndTry = async (recorded: RecordedEvent): Promise<string | null> => {
      const decoded = schemas.decode(recorded);
      return decoded.ok ? attempt(decoded.event, documents) : decoded.message;
    };
    return heal(entry, { store, ledger, types, documents, attempt: decodeAndTry });
  }

  async function resume(): Promise<void> {
    const resumed = await ledger.resume(fence);
    ({ active, inVain: careful } = resumed);
    log.info({ after: ledger.position, active, careful }, 'following the log');
  }

  async function follow(): Promise<void> {
    await exclusive(goLive);
    for await (const batch of store.subscribe({ after: ledger.position, filter: { types }, signal })) {
      await exclusive(() => handle(batch));
    }
  }

  return {
    projection,
    get position() {
      return ledger.position;
    },
    get live() {
      return live;
    },
    get leads() {
      return leads;
    },
    get parked() {
      return ledger.troubles.parked;
    },
    get failingSince() {
      return failingSince;
    },
    async run(head, term) {
      [target, signal, fence] = [head, term.signal, term.fence];
      [leads, live] = [true, false];
      let resumed = false;
      let failures = 0;
      while (!signal.aborted) {
        const before = ledger.position;
        try {
          if (!resumed || ledger.uncertain) await exclusive(resume);
          resumed = true;
          await follow();
        } catch (error) {
          if (error instanceof Stopped) break;
          if (error instanceof StaleFence) {
            log.warn({ fence: term.fence }, 'another process has taken the projection over');
            break;
          }
          failingSince ??= clock.monotonic();
          log.error({ err: error }, 'the projection failed; it is tried again');
        }
        failures = ledger.position === before ? failures + 1 : 1;
        await sleep(clock, backoff(failures, 100, 5_000), signal);
      }
      const flushed = exclusive(() => ledger.flush());
      await flushed.catch((error: unknown) =>
        log.warn({ err: error }, 'the last checkpoint was not written'),
      );
      leads = false;
    },
    async retry() {
      let healed = 0;
      for (const entry of ledger.troubles.parked) healed += Number(await certainly(() => healOne(entry)));
      return healed;
    },
    async compare(mend) {
      if (!live) throw new StillBuilding(`${projection.name} is still being built`);
      return compareWithLog(
        { store, models, schemas, projection, clock, ledger, exclusive: certainly },
        mend,
      );
    },
  };
}
