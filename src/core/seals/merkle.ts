/**
 * The Merkle tree of RFC 6962, 2.1, over SHA-256: heads, inclusion proofs and consistency proofs. The tree is asked for hashes of
 * complete subtrees, wherever these are kept; checking a proof needs nothing but the proof (RFC 9162, 2.1.3.2 and 2.1.4.2).
 */
import { hash } from 'node:crypto';
import type { Hash } from '../../ports/seals.ts';

/** The hash of the complete subtree over the leaves `index * 2^level` to `(index + 1) * 2^level`; level 0 are the leaves themselves. */
export type SubtreeHash = (level: number, index: number) => Hash;

const leafPrefix = Uint8Array.of(0);
const nodePrefix = Uint8Array.of(1);

/** By way of hex: a buffer that `hash` makes itself costs more than the hashing. */
export function sha256(bytes: string | Uint8Array): Hash {
  return Buffer.from(hash('sha256', bytes, 'hex'), 'hex');
}

export function leafHash(bytes: Uint8Array): Hash {
  return sha256(Buffer.concat([leafPrefix, bytes]));
}

/** The same of its UTF-8, in one call: every event goes through here. */
export function leafHashOfText(text: string): Hash {
  return sha256(`\0${text}`);
}

export function nodeHash(left: Hash, right: Hash): Hash {
  return sha256(Buffer.concat([nodePrefix, left, right]));
}

export function equal(a: Hash, b: Hash): boolean {
  return Buffer.compare(a, b) === 0;
}

/** The largest power of two below `size`: where the RFC splits a tree of two leaves or more. */
function split(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

/** Of the leaves from `start` to before `end`; `start` is a multiple of the split, as the RFC's recursion has it. */
function hashOfRange(subtree: SubtreeHash, start: number, end: number): Hash {
  const size = end - start;
  const level = Math.log2(size);
  if (Number.isInteger(level)) return subtree(level, start / size);
  const k = split(size);
  return nodeHash(hashOfRange(subtree, start, start + k), hashOfRange(subtree, start + k, end));
}

/** The head of the tree over the first `size` leaves. */
export function rootOf(subtree: SubtreeHash, size: number): Hash {
  return size === 0 ? sha256('') : hashOfRange(subtree, 0, size);
}

/** PATH(m, D[n]): proves that the leaf at `index` is in the tree of `size`. @throws {RangeError} when it is not */
export function inclusionProof(subtree: SubtreeHash, index: number, size: number): readonly Hash[] {
  if (index < 0 || index >= size) throw new RangeError(`leaf ${index} is not in a tree of ${size}`);
  const path: Hash[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + split(end - start);
    if (index < middle) {
      path.push(hashOfRange(subtree, middle, end));
      end = middle;
    } else {
      path.push(hashOfRange(subtree, start, middle));
      start = middle;
    }
  }
  return path.reverse();
}

/** PROOF(m, D[n]): proves that the tree of `size` continues the one of `from`. @throws {RangeError} unless 0 < from <= size */
export function consistencyProof(subtree: SubtreeHash, from: number, size: number): readonly Hash[] {
  if (from < 1 || from > size) throw new RangeError(`a tree of ${size} does not continue one of ${from}`);
  const proof: Hash[] = [];
  let [start, end] = [0, size];
  while (from !== end) {
    const middle = start + split(end - start);
    if (from <= middle) {
      proof.push(hashOfRange(subtree, middle, end));
      end = middle;
    } else {
      proof.push(hashOfRange(subtree, start, middle));
      start = middle;
    }
  }
  // Whoever checks knows the hash of the older tree, which is what remains when it is a whole subtree.
  if (start > 0) proof.push(hashOfRange(subtree, start, end));
  return proof.reverse();
}

/** Whether a leaf of this hash is at `index` in the tree of `size` with this head. */
export function checkInclusion(
  claim: { readonly index: number; readonly size: number; readonly leaf: Hash; readonly root: Hash },
  proof: readonly Hash[],
): boolean {
  const { index, size, leaf, root } = claim;
  if (!areWhole(index, size) || index >= size) return false;
  let [fn, sn, computed] = [index, size - 1, leaf];
  for (const step of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      computed = nodeHash(step, computed);
      [fn, sn] = climbLeft(fn, sn);
    } else computed = nodeHash(computed, step);
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && equal(computed, root);
}

/** Whether the tree of `size` with head `root` continues the one of `from` with head `fromRoot`. */
export function checkConsistency(
  claim: { readonly from: number; readonly fromRoot: Hash; readonly size: number; readonly root: Hash },
  proof: readonly Hash[],
): boolean {
  const { from, fromRoot, size, root } = claim;
  if (!areWhole(from, size) || from > size) return false;
  if (from === size) return proof.length === 0 && equal(fromRoot, root);
  // Every tree continues the empty one, of which there is nothing to prove.
  if (from === 0) return proof.length === 0;
  const isSubtree = Number.isInteger(Math.log2(from));
  const [first, ...rest] = isSubtree ? [fromRoot, ...proof] : proof;
  if (!first || proof.length === 0) return false;
  let [fn, sn] = [from - 1, size - 1];
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)];
  let [older, newer] = [first, first];
  for (const step of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      [older, newer] = [nodeHash(step, older), nodeHash(step, newer)];
      [fn, sn] = climbLeft(fn, sn);
    } else newer = nodeHash(newer, step);
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && equal(older, fromRoot) && equal(newer, root);
}

/** Skips the levels at which a last, incomplete subtree has no sibling. */
function climbLeft(fn: number, sn: number): [number, number] {
  while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
  return [fn, sn];
}

/** Not a shift: places beyond 2^31 are counted too. */
function half(number: number): number {
  return Math.floor(number / 2);
}

function areWhole(...numbers: readonly number[]): boolean {
  return numbers.every((number) => Number.isSafeInteger(number) && number >= 0);
}
