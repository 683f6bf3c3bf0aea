import { expect } from 'chai';
import fc from 'fast-check';
import {
  checkConsistency,
  checkInclusion,
  consistencyProof,
  inclusionProof,
  leafHash,
  nodeHash,
  rootOf,
  type SubtreeHash,
} from '../../../src/core/seals/merkle.ts';
import type { Hash } from '../../../src/ports/seals.ts';

/** The tests of the reference implementation of RFC 6962 (certificate-transparency, merkletree/merkle_tree_test.cc). */
const leaves = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const inclusions: readonly { index: number; size: number; proof: readonly string[] }[] = [
  { index: 0, size: 1, proof: [] },
  {
    index: 0,
    size: 8,
    proof: [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  },
  {
    index: 5,
    size: 8,
    proof: [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
  { index: 2, size: 3, proof: ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'] },
  {
    index: 1,
    size: 5,
    proof: [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  },
];
const consistencies: readonly { from: number; size: number; proof: readonly string[] }[] = [
  { from: 1, size: 1, proof: [] },
  {
    from: 1,
    size: 8,
    proof: [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  },
  {
    from: 6,
    size: 8,
    proof: [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
  {
    from: 2,
    size: 5,
    proof: [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  },
  {
    from: 6,
    size: 7,
    proof: [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
];

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Hash => Buffer.from(text, 'hex');

function treeOf(hashes: readonly Hash[]): SubtreeHash {
  const subtree: SubtreeHash = (level, index) => {
    if (level > 0) return nodeHash(subtree(level - 1, index * 2), subtree(level - 1, index * 2 + 1));
    const found = hashes[index];
    if (!found) throw new RangeError(`no leaf ${index}`);
    return found;
  };
  return subtree;
}

describe('the Merkle tree of RFC 6962', () => {
  const hashes = leaves.map((leaf) => leafHash(bytes(leaf)));
  const tree = treeOf(hashes);

  it('has the published heads for 0 to 8 leaves', () => {
    expect(roots.map((_, size) => hex(rootOf(tree, size)))).to.deep.equal(roots);
  });

  for (const { index, size, proof } of inclusions)
    it(`proves leaf ${index} of ${size} as published, and checks it`, () => {
      expect(inclusionProof(tree, index, size).map(hex)).to.deep.equal(proof);
      const claim = { index, size, leaf: hashes[index] ?? bytes(''), root: bytes(roots[size] ?? '') };
      expect(checkInclusion(claim, proof.map(bytes))).to.equal(true);
    });

  for (const { from, size, proof } of consistencies)
    it(`proves that ${size} continue ${from} as published, and checks it`, () => {
      expect(consistencyProof(tree, from, size).map(hex)).to.deep.equal(proof);
      const claim = { from, size, fromRoot: bytes(roots[from] ?? ''), root: bytes(roots[size] ?? '') };
      expect(checkConsistency(claim, proof.map(bytes))).to.equal(true);
    });

  it('checks every proof it makes, and none in which anything was changed', () => {
    const place = fc.integer({ min: 1, max: 70 });
    const flipped = (hashes: readonly Hash[], at: number, bit: number): Hash[] =>
      hashes.map((one, index) => {
        if (index !== at % hashes.length) return one;
        const copy = Buffer.from(one);
        copy[bit % 32] = (copy[bit % 32] ?? 0) ^ (1 << (bit % 8));
        return copy;
      });
    fc.assert(
      fc.property(place, fc.nat(), fc.nat(), fc.nat(), (size, a, at, bit) => {
        const many = treeOf(Array.from({ length: size }, (_, n) => leafHash(Buffer.from(String(n)))));
        const root = rootOf(many, size);
        const index = a % size;
        const claim = { index, size, leaf: many(0, index), root };
        const included = inclusionProof(many, index, size);
        expect(checkInclusion(claim, included)).to.equal(true);
        expect(checkInclusion({ ...claim, leaf: root }, included)).to.equal(size === 1);
        expect(checkInclusion({ ...claim, index: index + 1 }, included)).to.equal(false);
        expect(checkInclusion(claim, [...included, root])).to.equal(false);
        if (included.length > 0) {
          expect(checkInclusion(claim, flipped(included, at, bit))).to.equal(false);
          expect(checkInclusion(claim, included.slice(1))).to.equal(false);
        }
        const from = index + 1;
        const older = { from, size, fromRoot: rootOf(many, from), root };
        const proof = consistencyProof(many, from, size);
        expect(checkConsistency(older, proof)).to.equal(true);
        expect(checkConsistency(older, [...proof, root])).to.equal(false);
        if (proof.length > 0) {
          expect(checkConsistency({ ...older, fromRoot: root }, proof)).to.equal(false);
          expect(checkConsistency({ ...older, root: older.fromRoot }, proof)).to.equal(false);
          expect(checkConsistency(older, flipped(proof, at, bit))).to.equal(false);
          expect(checkConsistency(older, proof.slice(0, -1))).to.equal(false);
        }
      }),
    );
  });

  it('says nothing of what is out of range', () => {
    expect(() => inclusionProof(tree, 8, 8)).to.throw(RangeError);
    expect(() => consistencyProof(tree, 0, 8)).to.throw(RangeError);
    expect(() => consistencyProof(tree, 9, 8)).to.throw(RangeError);
    const root = bytes(roots[1] ?? '');
    for (const [index, size] of [
      [0, 0],
      [1, 0],
      [1, 1],
      [-1, 1],
      [0.5, 1],
    ] as const)
      expect(checkInclusion({ index, size, leaf: root, root }, [])).to.equal(false);
  });
});
