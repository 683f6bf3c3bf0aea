/**
 * The tree over the leaves that are kept. Of the nodes above them every eighth level is kept too: 1 in 256, so that a head or a proof
 * of a million events reads a few hundred hashes.
 */
import type { Hash, NewLeaf, SealLeaves, TreeNode } from '../../ports/seals.ts';
import { nodeHash, type SubtreeHash } from './merkle.ts';

const levelsApart = 8;
const fanOut = 2 ** levelsApart;

/** @returns the hash of any complete subtree */
export function subtreesOf(leaves: Pick<SealLeaves, 'hashAt'>): SubtreeHash {
  const subtree: SubtreeHash = (level, index) =>
    level % levelsApart === 0
      ? leaves.hashAt(level, index)
      : nodeHash(subtree(level - 1, index * 2), subtree(level - 1, index * 2 + 1));
  return subtree;
}

/** Adds leaves behind those that are there, with the nodes that they complete. */
export function grow(leaves: SealLeaves, added: readonly NewLeaf[]): void {
  const nodes: TreeNode[] = [];
  let known = leaves.size();
  let fresh: readonly Hash[] = added.map(({ hash }) => hash);
  for (let level = 0; fresh.length > 0; level += levelsApart) {
    const before = known;
    const children = fresh;
    const childAt = (index: number): Hash => children[index - before] ?? leaves.hashAt(level, index);
    const first = Math.floor(before / fanOut);
    const end = Math.floor((before + children.length) / fanOut);
    const parents: Hash[] = [];
    for (let index = first; index < end; index += 1) {
      const parent = fold(Array.from({ length: fanOut }, (_, n) => childAt(index * fanOut + n)));
      parents.push(parent);
      nodes.push({ level: level + levelsApart, index, hash: parent });
    }
    known = first;
    fresh = parents;
  }
  leaves.append(added, nodes);
}

/** Of a power of two of hashes. */
function fold(hashes: readonly Hash[]): Hash {
  const [first, second] = hashes;
  if (first && hashes.length === 1) return first;
  if (first && second && hashes.length === 2) return nodeHash(first, second);
  const half = hashes.length / 2;
  return nodeHash(fold(hashes.slice(0, half)), fold(hashes.slice(half)));
}

/** A tree that grows leaf by leaf, of which only the edge is kept: for who walks over all leaves and asks for heads in between. */
export interface GrowingTree {
  readonly size: number;
  push(leaf: Hash): void;
  root(): Hash | null;
  /** The complete subtrees of the kept levels that the last leaf has ended. */
  completed(): readonly TreeNode[];
}

/** @param begun the leaves that are in it at first; null: none */
export function growingTree(
  begun: { readonly size: number; readonly subtree: SubtreeHash } | null = null,
): GrowingTree {
  let size = begun?.size ?? 0;
  /** Complete subtrees from left to right, each larger than the next. */
  let edge = begun ? edgeOf(begun.size, begun.subtree) : [];
  let ended: TreeNode[] = [];
  return {
    get size() {
      return size;
    },
    push(leaf) {
      let node: TreeNode = { level: 0, index: size, hash: leaf };
      ended = [];
      for (let left = edge.at(-1); left?.level === node.level; left = edge.at(-1)) {
        edge = edge.slice(0, -1);
        node = { level: node.level + 1, index: left.index / 2, hash: nodeHash(left.hash, node.hash) };
        if (node.level % levelsApart === 0) ended.push(node);
      }
      edge.push(node);
      size += 1;
    },
    root: () =>
      edge.reduceRight<Hash | null>((right, { hash }) => (right ? nodeHash(hash, right) : hash), null),
    completed: () => ended,
  };
}

function edgeOf(size: number, subtree: SubtreeHash): TreeNode[] {
  const edge: TreeNode[] = [];
  for (let start = 0; start < size;) {
    const level = Math.floor(Math.log2(size - start));
    const index = start / 2 ** level;
    edge.push({ level, index, hash: subtree(level, index) });
    start += 2 ** level;
  }
  return edge;
}
