/** Walks over log, leaves and signed heads side by side, and says where they differ. */
import { mayHaveExpired } from '../../domain/retention.ts';
import { DamagedEvent, type EventStore, type Position, type RecordedEvent } from '../../ports/event-store.ts';
import type { Hash, Leaf, SealHeads, SealLeaves, SignedHead, SignedMove } from '../../ports/seals.ts';
import type { Finding } from './findings.ts';
import { isSigned } from './head.ts';
import { hashOfLeaf, leafOf } from './leaf.ts';
import { equal } from './merkle.ts';
import { lineageOf, type Lineage } from './move.ts';
import { growingTree, subtreesOf } from './tree.ts';

export interface Verification {
  /** The first thousand; `found` counts all. */
  readonly findings: readonly Finding[];
  readonly found: number;
  /** Those among `found` that concern nothing that a head has sealed: a torn end. */
  readonly foundUnsealed: number;
  /** Events looked at. */
  readonly events: number;
  /** By the last head. */
  readonly sealed: number;
  readonly unsealed: number;
  /** Sealed events that retention has removed, as it may, with those that a move had to leave behind for it. */
  readonly expired: number;
  readonly lastHead: SignedHead | null;
  /** Public keys that signed heads. */
  readonly keys: readonly string[];
}

export interface VerifyDeps {
  readonly log: Pick<EventStore, 'logId' | 'readAll' | 'compare'>;
  readonly leaves: Pick<SealLeaves, 'size' | 'page' | 'hashAt'>;
  readonly heads: Pick<SealHeads, 'read'>;
  /** Of the log from store to store. Default: none. */
  readonly moves?: readonly SignedMove[];
  readonly nowMs: number;
}

export interface VerifyOptions {
  /** The key that all heads must be signed with; null: any, and `keys` tells which. */
  readonly publicKey?: string | null;
  /** Looks at leaves from this index on alone. Default: all. */
  readonly from?: number;
  /** Ends before the leaf of this index. Default: none. */
  readonly to?: number;
  /** Ends behind the last leaf and head: events behind them are not counted. */
  readonly sealedAlone?: boolean;
  readonly onProgress?: (events: number) => void;
}

const mostFindings = 1000;
const page = 500;

export async function verifyLog(deps: VerifyDeps, options: VerifyOptions = {}): Promise<Verification> {
  const { log, leaves, moves = [], nowMs } = deps;
  const { from = 0, to = Infinity, sealedAlone = false, publicKey = null, onProgress } = options;
  const report = reporter();
  const tree = growingTree(from === 0 ? null : { size: from, subtree: subtreesOf(leaves) });
  const lineage = lineageOf(log.logId, moves, publicKey);
  for (const why of lineage.objections) report.add({ kind: 'head', why }, true);
  const heads = headCursor(deps, lineage, { publicKey, from }, report.add);
  const next = leafCursor(leaves, from, to);
  let leaf = next();
  let at: Position | null = from === 0 ? null : (leaves.page(from - 1, 1)[0]?.position ?? null);
  let events = 0;
  let expired = 0;
  const recorded = leaves.size();

  async function push(hash: Hash, position: Position, damagedRecord: boolean): Promise<void> {
    const index = tree.size;
    const sealed = await heads.seals(index);
    tree.push(hash);
    const isRecorded = index < recorded;
    const wrongNode =
      isRecorded && tree.completed().some((node) => !holds(leaves, node.level, node.index, node.hash));
    if (damagedRecord || wrongNode) report.add({ kind: 'record', position }, sealed);
    await heads.compare(tree.size, () => tree.root(), position);
  }

  /** The leaf goes into the tree as it was recorded, whatever became of the event. */
  async function take(taken: Leaf): Promise<void> {
    await push(taken.hash, taken.position, !equal(hashOfLeaf(taken), taken.hash));
    leaf = next();
  }

  async function miss(missed: Leaf): Promise<void> {
    const { position, stream, revision, index } = missed;
    const whole = equal(hashOfLeaf(missed), missed.hash);
    const mayBeGone = mayHaveExpired(stream, missed.at, nowMs) || lineage.leftBehind(missed);
    if (whole && mayBeGone) expired += 1;
    else report.missing({ position, stream, revision }, index, await heads.seals(index));
    await take(missed);
  }

  for await (const found of entries(log, at, Math.min(page, to - from))) {
    if ('why' in found) {
      const { position, why } = found;
      if (position === null) {
        report.add({ kind: 'unreadable', after: at, why }, true);
        leaf = null;
        await heads.skip();
        break;
      }
      while (leaf && log.compare(leaf.position, position) < 0) await miss(leaf);
      report.add({ kind: 'damaged', position, why }, await heads.seals(tree.size));
      at = position;
      if (leaf?.position === position) await take(leaf);
      continue;
    }
    if (!leaf && (tree.size >= to || (sealedAlone && !(await heads.seals(tree.size))))) break;
    const { position, stream, revision } = found;
    events += 1;
    if (events % page === 0) onProgress?.(events);
    while (leaf && log.compare(leaf.position, position) < 0) await miss(leaf);
    if (!leaf && tree.size >= to) break;
    at = position;
    if (leaf?.position === position) {
      const { hash } = leafOf(found);
      if (!equal(hash, leaf.hash))
        report.add({ kind: 'changed', position, stream, revision }, await heads.seals(tree.size));
      await take(leaf);
    } else if (leaf)
      report.add({ kind: 'inserted', position, stream, revision }, await heads.seals(tree.size));
    else await push(leafOf(found).hash, position, false);
  }
  while (leaf) await miss(leaf);
  const { last, keys, beyond } = await heads.end();
  if (beyond) report.add({ kind: 'cut', after: at, count: beyond.size - tree.size, at: beyond.at }, true);
  const sealed = last?.size ?? 0;
  return {
    ...report.told(),
    ...{ events, sealed, expired, keys, lastHead: last },
    unsealed: Math.max(0, tree.size - sealed),
  };
}

function holds(leaves: VerifyDeps['leaves'], level: number, index: number, hash: Hash): boolean {
  try {
    return equal(leaves.hashAt(level, index), hash);
  } catch {
    return false;
  }
}

function leafCursor(leaves: VerifyDeps['leaves'], from: number, to: number): () => Leaf | null {
  let at = from;
  let buffer: readonly Leaf[] = [];
  let used = 0;
  return () => {
    if (used === buffer.length) {
      buffer = leaves.page(at, Math.min(page, to - at));
      used = 0;
      at += buffer.length;
    }
    const leaf = buffer[used] ?? null;
    used += 1;
    return leaf;
  };
}

interface Unreadable {
  /** Null: nothing behind can be read either. */
  readonly position: Position | null;
  readonly why: string;
}

/** Every event of the log, and a word on each that cannot be read. */
async function* entries(
  log: VerifyDeps['log'],
  start: Position | null,
  most: number,
): AsyncGenerator<RecordedEvent | Unreadable> {
  let after = start;
  let limit = most;
  for (;;) {
    try {
      const { events, next, end } = await log.readAll({ after, limit });
      yield* events;
      after = next;
      if (end) return;
    } catch (error) {
      if (!(error instanceof DamagedEvent)) {
        yield { position: null, why: error instanceof Error ? error.message : String(error) };
        return;
      }
      // A page fails whole: what stands before the damage is read one by one.
      if (limit > 1) limit = 1;
      else {
        yield { position: error.position, why: error.message };
        after = error.position;
        limit = most;
      }
    }
  }
}

function reporter() {
  const findings: Finding[] = [];
  let found = 0;
  let foundUnsealed = 0;
  let lastMissing = -1;

  function add(finding: Finding, sealed: boolean): void {
    found += 1;
    if (!sealed) foundUnsealed += 1;
    if (findings.length < mostFindings) findings.push(finding);
  }

  return {
    add,
    /** Those in a row are one finding. */
    missing(
      leaf: { readonly position: Position; readonly stream: string; readonly revision: number },
      index: number,
      sealed: boolean,
    ): void {
      const before = findings.at(-1);
      const continues = before?.kind === 'missing' && lastMissing === index - 1;
      lastMissing = index;
      // What is sealed must not hide in a finding about what is not, nor the other way round.
      if (continues && sealed)
        findings[findings.length - 1] = { ...before, through: leaf.position, count: before.count + 1 };
      else add({ kind: 'missing', ...leaf, through: leaf.position, count: 1 }, sealed);
    },
    told: () => ({ findings, found, foundUnsealed }),
  };
}

/** The heads in order, each compared when the tree is as large as it says. */
function headCursor(
  { heads, log }: VerifyDeps,
  lineage: Lineage,
  { publicKey, from }: { readonly publicKey: string | null; readonly from: number },
  report: (finding: Finding, sealed: boolean) => void,
) {
  const lines = heads.read()[Symbol.asyncIterator]();
  const keys = new Set<string>();
  let last: SignedHead | null = null;
  let ahead: SignedHead | null = null;
  let done = false;
  let comparedAt: Position | null = null;

  function objection(head: SignedHead): string | null {
    const named = `The head of ${head.at} over ${head.size} events`;
    if (!lineage.includes(head.log)) return `${named} is of another log (${head.log}).`;
    if (!isSigned(head)) return `${named} is not signed by the key that it names.`;
    if (publicKey !== null && head.key !== publicKey)
      return `${named} is signed by another key (${head.key}).`;
    if (last && head.size < last.size) return `${named} comes behind one over ${last.size}.`;
    return null;
  }

  /** Reads on to the next head that can be compared. */
  async function advance(): Promise<void> {
    ahead = null;
    while (!done && !ahead) {
      const line = await lines.next();
      if (line.done === true) {
        done = true;
        return;
      }
      const { value } = line;
      if ('unreadableLine' in value)
        report({ kind: 'head', why: `Line ${value.unreadableLine} of the heads is no signed head.` }, false);
      else {
        const why = objection(value);
        if (why !== null) report({ kind: 'head', why }, true);
        else {
          keys.add(value.key);
          last = value;
          if (value.size > from) ahead = value;
        }
      }
    }
  }

  let begun: Promise<void> | null = null;
  const begin = (): Promise<void> => (begun ??= advance());

  return {
    /** Whether some head seals the event of this index. */
    async seals(index: number): Promise<boolean> {
      await begin();
      return ahead !== null && ahead.size > index;
    },
    async compare(size: number, root: () => Hash | null, position: Position): Promise<void> {
      await begin();
      while (ahead !== null && ahead.size <= size) {
        const computed = root();
        const isSame = computed !== null && Buffer.from(computed).toString('hex') === ahead.root;
        // Positions are those of its own log.
        if (!isSame || (ahead.log === log.logId && ahead.position !== position))
          report({ kind: 'rewritten', after: comparedAt, position, at: ahead.at }, true);
        else comparedAt = position;
        await advance();
      }
    },
    /** Nothing is compared any more. */
    async skip(): Promise<void> {
      await begin();
      while (ahead) await advance();
    },
    /** @returns the last head, and it again where the tree has not come as far */
    async end() {
      await begin();
      let beyond: SignedHead | null = null;
      while (ahead !== null) {
        beyond = ahead;
        await advance();
      }
      return { last, beyond, keys: [...keys] };
    },
  };
}
