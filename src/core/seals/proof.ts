/** A proof that an event is in the log, for a stranger who has nothing but it and the platform's public key. */
import { z } from 'zod';
import type { RecordedEvent } from '../../ports/event-store.ts';
import type { Hash, SealLeaves, SignedHead } from '../../ports/seals.ts';
import { isSigned, SignedHeadShape } from './head.ts';
import { contentOf, hashOfContent, hashOfLeaf, leafOf } from './leaf.ts';
import { checkConsistency, checkInclusion, consistencyProof, equal, inclusionProof } from './merkle.ts';
import { subtreesOf } from './tree.ts';

const hex = z.string().regex(/^[0-9a-f]{64}$/);

/** That the log under a newer head continues the one of `size` events: for whoever kept a head over those. */
const Continuation = z.strictObject({ size: z.int().min(1), path: z.array(hex) });
export type Continuation = Readonly<z.output<typeof Continuation>>;

export const ConsistencyProof = z.strictObject({
  kind: z.literal('slipway consistency proof v1'),
  since: Continuation,
  head: SignedHeadShape,
});
export type ConsistencyProof = Readonly<z.output<typeof ConsistencyProof>>;

/** Hashes are hex. */
export const InclusionProof = z.strictObject({
  kind: z.literal('slipway inclusion proof v1'),
  /** The event: the JSON array of id, type, data and metadata, as a text, since every byte of it counts. */
  content: z.string(),
  stream: z.string(),
  revision: z.int().min(0),
  at: z.string(),
  index: z.int().min(0),
  path: z.array(hex),
  head: SignedHeadShape,
  since: Continuation.optional(),
});
export type InclusionProof = Readonly<z.output<typeof InclusionProof>>;

/** The log is not what was sealed there, so that nothing can be proven of it. */
export class NotAsSealed extends Error {
  override readonly name = 'NotAsSealed';
}

/** Nothing is sealed over so many events: whoever has a head over them has it of another log, or this one was taken back. */
export class NotSealed extends Error {
  override readonly name = 'NotSealed';
}

/** @throws {NotSealed} */
export function proveContinuation(
  leaves: Pick<SealLeaves, 'hashAt'>,
  head: SignedHead,
  size: number,
): Continuation {
  if (size > head.size)
    throw new NotSealed(
      `only ${head.size} events are sealed: a head over ${size} is of another log, or this one was taken back`,
    );
  return { size, path: inHex(consistencyProof(subtreesOf(leaves), size, head.size)) };
}

function inHex(path: readonly Hash[]): string[] {
  return path.map((step) => Buffer.from(step).toString('hex'));
}

function fromHex(path: readonly string[]): readonly Hash[] {
  return path.map((step) => Buffer.from(step, 'hex'));
}

/**
 * Null while the event is not sealed by the head: in a second it is.
 * @throws {NotAsSealed}
 */
export function proveInclusion(
  leaves: Pick<SealLeaves, 'find' | 'hashAt'>,
  head: SignedHead,
  event: RecordedEvent,
): InclusionProof | null {
  const leaf = leaves.find(event.position);
  if (!leaf || leaf.index >= head.size) return null;
  if (!equal(leafOf(event).hash, leaf.hash))
    throw new NotAsSealed(`the event at ${event.position} is not what was sealed`);
  const path = inclusionProof(subtreesOf(leaves), leaf.index, head.size);
  return {
    kind: 'slipway inclusion proof v1',
    content: contentOf(event),
    ...{ stream: event.stream, revision: event.revision, at: leaf.at, index: leaf.index },
    path: inHex(path),
    head,
  };
}

/** @returns what does not hold, in a sentence; null: all holds. @param publicKey the key that must have signed; null: any */
export function objectionTo(proof: InclusionProof, publicKey: string | null): string | null {
  const { stream, revision, at, index, head } = proof;
  const unsigned = objectionToHead('The head', head, publicKey);
  if (unsigned !== null) return unsigned;
  const claim = {
    ...{ index, size: head.size, root: Buffer.from(head.root, 'hex') },
    leaf: hashOfLeaf({ stream, revision, at, content: hashOfContent(proof.content) }),
  };
  return checkInclusion(claim, fromHex(proof.path))
    ? null
    : 'The event is not in the log that the head has sealed.';
}

function objectionToHead(name: string, head: SignedHead, publicKey: string | null): string | null {
  if (!isSigned(head)) return `${name} is not signed by the key that it names.`;
  if (publicKey !== null && head.key !== publicKey) return `${name} is signed by another key: ${head.key}.`;
  return null;
}

/**
 * Whether the log that the proof's head has sealed begins with all that a head has sealed which somebody kept.
 * @returns what does not hold, in a sentence; null: all holds @param publicKey as of {@link objectionTo}
 */
export function objectionToContinuation(
  { since, head }: Pick<ConsistencyProof, 'since' | 'head'>,
  kept: SignedHead,
  publicKey: string | null,
): string | null {
  const unsigned =
    objectionToHead('The head', head, publicKey) ?? objectionToHead('The head that you kept', kept, head.key);
  if (unsigned !== null) return unsigned;
  if (kept.size !== since.size)
    return `The head that you kept is over ${kept.size} events, the proof speaks of one over ${since.size}.`;
  const claim = {
    ...{ from: kept.size, fromRoot: Buffer.from(kept.root, 'hex') },
    ...{ size: head.size, root: Buffer.from(head.root, 'hex') },
  };
  // A log that was moved to another store has another name and the same tree.
  if (checkConsistency(claim, fromHex(since.path))) return null;
  return kept.log === head.log
    ? 'The log does not begin with what the head that you kept has sealed: it was rewritten since.'
    : `The head that you kept is of another log, ${kept.log}, than the proof, ${head.log}.`;
}
