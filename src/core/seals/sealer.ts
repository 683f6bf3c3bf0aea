/** The one follower that seals: a leaf for every event, and a signed head every second when there is something new. */
import type { Clock } from '../../ports/clock.ts';
import type { EventStore, Position } from '../../ports/event-store.ts';
import type { Log } from '../../ports/log.ts';
import type { LeafMaker, SealHeads, SealLeaves, SignedHead, SignedMove } from '../../ports/seals.ts';
import { createQueues, sleep } from '../waiting.ts';
import { sentenceOf } from './findings.ts';
import type { Signer } from './head.ts';
import { type ConsistencyProof, type InclusionProof, proveContinuation, proveInclusion } from './proof.ts';
import { verifyLog, type Verification, type VerifyOptions } from './verify.ts';

/** The log is not what was sealed. The message says where, and how to repair it. */
export class BrokenSeal extends Error {
  override readonly name = 'BrokenSeal';
}

export interface Sealer {
  /** Looks whether the end of the log is what was sealed, then seals every second. @throws {BrokenSeal} when it is not */
  start(): Promise<void>;
  /** Seals what is in the log now. @returns the newest head; null while the log is empty */
  seal(): Promise<SignedHead | null>;
  /**
   * That an event is in the log, by a head over all that is in it now; null when there is none.
   * @param since proves besides that this head continues one over so many events @throws {NotAsSealed} {@link NotSealed}
   */
  prove(place: EventPlace, since?: number): Promise<InclusionProof | null>;
  /** That the log of now continues the one of so many events; null: it is empty. @throws {NotSealed} */
  proveSince(size: number): Promise<ConsistencyProof | null>;
  /** Of the whole log, or of leaves from an index on. */
  verify(options?: VerifyOptions): Promise<Verification>;
  readonly publicKey: string;
  /** Seals once more, then ends. Idempotent. */
  stop(): Promise<void>;
}

export type EventPlace =
  { readonly position: Position } | { readonly stream: string; readonly revision: number };

export interface SealerDeps {
  readonly store: Pick<EventStore, 'logId' | 'readAll' | 'readStream' | 'subscribe' | 'compare'>;
  readonly leaves: SealLeaves;
  readonly leafMaker: LeafMaker;
  readonly heads: SealHeads;
  /** Of the log from store to store. Default: none. */
  readonly moves?: readonly SignedMove[];
  readonly signer: Signer;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether this process signs what nobody asked it to sign, default always: of several, each has leaves of its own, and one signs. */
  readonly leads?: () => boolean;
  /** Told of every head that was signed. */
  readonly signed?: (head: SignedHead) => void;
}

const everyMs = 1_000;
/** At start so many are looked at from the end, within some dozens of milliseconds; all of them are for `audit verify`. */
const checkedAtStart = 2_000;

export function createSealer(deps: SealerDeps): Sealer {
  const { store, leaves, leafMaker, heads, moves = [], signer, clock, log, signed } = deps;
  const leads = deps.leads ?? (() => true);
  const queues = createQueues();
  const ending = new AbortController();
  let running: Promise<void> | null = null;
  let last: SignedHead | null = null;

  async function check(): Promise<void> {
    last = await heads.last();
    const from = Math.max(0, Math.min(leaves.size(), last?.size ?? 0) - checkedAtStart);
    const only = last;
    const read = async function* () {
      if (only) yield only;
    };
    const verified = await verifyLog(
      { log: store, leaves, heads: { read }, moves, nowMs: clock.now() },
      { from, sealedAlone: true },
    );
    if (verified.found > verified.foundUnsealed) throw new BrokenSeal(repairOf(verified));
    if (verified.found === 0) return;
    const finding = verified.findings[0];
    log.warn(
      { sealed: verified.sealed },
      `the end of the log was torn behind its last sealed event: ${finding ? sentenceOf(finding) : ''} The server goes on from there`,
    );
    leaves.truncate(verified.sealed);
  }

  async function sealOnce(): Promise<SignedHead | null> {
    const tree = await leafMaker.make();
    if (!tree || last?.size === tree.size) return last;
    const head = signer.sign({ log: store.logId, ...tree, at: new Date(clock.now()).toISOString() });
    await heads.append(head);
    last = head;
    signed?.(head);
    return head;
  }

  /** Leaves alone: whoever signs next goes on from there. */
  async function growOnce(): Promise<null> {
    await leafMaker.make();
    return null;
  }

  /** One at a time. */
  const seal = (): Promise<SignedHead | null> => queues('seal', sealOnce);

  async function run(): Promise<void> {
    const { signal } = ending;
    while (!signal.aborted) {
      try {
        await follow(signal);
      } catch (error) {
        log.error({ err: error }, 'the log could not be followed to seal it; in a second again');
      }
      // Also where the log has ended: to ask it at once, again and again, would leave nobody else a turn.
      await sleep(clock, everyMs, signal);
    }
    await isSealed(null);
  }

  /** The subscription shows no event: it only wakes. What came within a second is sealed together. */
  async function follow(signal: AbortSignal): Promise<void> {
    const after = leaves.page(leaves.size() - 1, 1)[0]?.position ?? null;
    for await (const { checkpoint } of store.subscribe({ after, filter: { types: [] }, signal })) {
      while (!signal.aborted && !(await isSealed(checkpoint))) await sleep(clock, everyMs, signal);
      await sleep(clock, everyMs, signal);
    }
  }

  /** @returns whether all up to there is sealed now */
  async function isSealed(upTo: Position | null): Promise<boolean> {
    try {
      const head = await (leads() ? seal() : queues('seal', growOnce));
      return head === null || upTo === null || store.compare(head.position, upTo) >= 0;
    } catch (error) {
      log.warn({ err: error }, 'the log could not be sealed; in a second again');
      return false;
    }
  }

  return {
    async start() {
      await check();
      running = run();
    },
    seal,
    publicKey: signer.publicKey,
    async prove(place, since) {
      const head = await seal();
      const { stream, revision } = 'stream' in place ? place : (leaves.find(place.position) ?? {});
      if (!head || stream === undefined || revision === undefined) return null;
      const [event] = await store.readStream(stream, { from: revision, limit: 1 });
      const proof = event?.revision === revision ? proveInclusion(leaves, head, event) : null;
      if (!proof || since === undefined) return proof;
      return { ...proof, since: proveContinuation(leaves, head, since) };
    },
    async proveSince(size) {
      const head = await seal();
      if (!head) return null;
      return { kind: 'slipway consistency proof v1', since: proveContinuation(leaves, head, size), head };
    },
    verify: (verifying = {}) =>
      verifyLog({ log: store, leaves, heads, moves, nowMs: clock.now() }, verifying),
    async stop() {
      ending.abort();
      await running;
    },
  };
}

const mostSentences = 5;

function repairOf({ findings, found }: Verification): string {
  const more = found > mostSentences ? [`And ${found - mostSentences} findings more.`] : [];
  return [
    'The log is not what was sealed; the server does not start on it.',
    ...findings.slice(0, mostSentences).map(sentenceOf),
    ...more,
    'See all with: slipway audit verify. Repair it by restoring a backup: slipway restore (docs/backup.md).',
    'To go on with the log as it is, and without proof of what came before, move seals.db and seals.ndjson out of the data folder.',
  ].join('\n');
}
