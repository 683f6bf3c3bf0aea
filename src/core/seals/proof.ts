/** A proof that an event is in the log, for a stranger who has nothing but it and the platform's public key. */
import { z } from 'zod';
import type { RecordedEvent } from '../../ports/event-store.ts';
import type { SealLeaves, SignedHead } from '../../ports/seals.ts';
import { isSigned, SignedHeadShape } from './head.ts';
import { contentOf, hashOfContent, hashOfLeaf, leafOf } from './leaf.ts';
import { checkInclusion, equal, inclusionProof } from './merkle.ts';
import { subtreesOf } from './tree.ts';

const hex = z.string().regex(/^[0-9a-f]{64}$/);

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
});
export type InclusionProof = Readonly<z.output<typeof InclusionProof>>;

/** The log is not what was sealed there, so that nothing can be proven of it. */
export class NotAsSealed extends Error {
  override readonly name = 'NotAsSealed';
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
    path: path.map((step) => Buffer.from(step).toString('hex')),
    head,
  };
}

/** @returns what does not hold, in a sentence; null: all holds. @param publicKey the key that must have signed; null: any */
export function objectionTo(proof: InclusionProof, publicKey: string | null): string | null {
  const { stream, revision, at, index, head } = proof;
  if (!isSigned(head)) return 'The head is not signed by the key that it names.';
  if (publicKey !== null && head.key !== publicKey) return `The head is signed by another key: ${head.key}.`;
  const claim = {
    ...{ index, size: head.size, root: Buffer.from(head.root, 'hex') },
    leaf: hashOfLeaf({ stream, revision, at, content: hashOfContent(proof.content) }),
  };
  const path = proof.path.map((step) => Buffer.from(step, 'hex'));
  return checkInclusion(claim, path) ? null : 'The event is not in the log that the head has sealed.';
}
