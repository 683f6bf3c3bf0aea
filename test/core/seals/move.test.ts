/** Which logs a log continues, by the word of who signed it. */
import { expect } from 'chai';
import { lineageOf, type Move } from '../../../src/core/seals/move.ts';
import { testSigner } from './world.ts';

const at = '2030-01-01T00:00:00.000Z';
const move = (from: string, to: string, rest: Partial<Move> = {}): Move => ({
  ...{ from, to, size: 10, left: [], at },
  ...rest,
});

describe('the lineage of a log', () => {
  it('is the log itself where it never moved', () => {
    const lineage = lineageOf('a', [], null);
    expect([lineage.includes('a'), lineage.includes('b')]).to.deep.equal([true, false]);
    expect(lineage.objections).to.deep.equal([]);
  });

  it('goes back over all moves, and no further than they lead', async () => {
    const signer = await testSigner();
    const moves = [move('a', 'b'), move('x', 'y'), move('b', 'c')].map((one) => signer.signMove(one));
    const lineage = lineageOf('c', moves, signer.publicKey);
    expect(['a', 'b', 'c', 'x', 'y'].filter((log) => lineage.includes(log))).to.deep.equal(['a', 'b', 'c']);
    const former = lineageOf('b', moves, signer.publicKey);
    expect(['a', 'b', 'c'].filter((log) => former.includes(log))).to.deep.equal(['a', 'b']);
  });

  it('tells what was left behind: up to the revision, and among the leaves that moved alone', async () => {
    const signer = await testSigner();
    const left = [{ stream: 'health-1', through: 4 }];
    const lineage = lineageOf('b', [signer.signMove(move('a', 'b', { left }))], null);
    const leaf = { index: 9, stream: 'health-1', revision: 4 };
    expect(lineage.leftBehind(leaf)).to.equal(true);
    expect(lineage.leftBehind({ ...leaf, index: 10 }), 'begun anew').to.equal(false);
    expect(lineage.leftBehind({ ...leaf, revision: 5 })).to.equal(false);
    expect(lineage.leftBehind({ ...leaf, stream: 'health-2' })).to.equal(false);
  });

  it('takes no word that was changed, and none of another key', async () => {
    const [signer, other] = [await testSigner(), await testSigner()];
    const signed = signer.signMove(move('a', 'b', { left: [{ stream: 'health-1', through: 4 }] }));
    const changes: readonly Partial<Move>[] = [
      ...[{ from: 'x' }, { size: 11 }, { at: '2030-01-01T00:00:00.001Z' }, { left: [] }],
      { left: [{ stream: 'health-1', through: 5 }] },
      { left: [...signed.left, { stream: 'tenant-acme', through: 99 }] },
    ];
    for (const change of changes) {
      const lineage = lineageOf('b', [{ ...signed, ...change }], null);
      expect(lineage.includes('a'), JSON.stringify(change)).to.equal(false);
      expect(lineage.objections).to.have.length(1);
      expect(lineage.leftBehind({ index: 0, stream: 'tenant-acme', revision: 0 })).to.equal(false);
    }
    const foreign = lineageOf('b', [signed], other.publicKey);
    expect(foreign.includes('a')).to.equal(false);
    expect(foreign.objections[0]).to.include('signed by another key');
  });

  it('ends where moves go in a circle', async () => {
    const signer = await testSigner();
    const moves = [move('a', 'b'), move('b', 'a')].map((one) => signer.signMove(one));
    expect(lineageOf('a', moves, null).includes('b')).to.equal(true);
  });
});
