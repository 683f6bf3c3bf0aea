import { expect } from 'chai';
import fc from 'fast-check';
import { relevance, searchWords } from '../../src/core/search.ts';
import { matchLikenesses, matchPlaces, type TextMatch } from '../../src/ports/read-models.ts';

/** All there are, the best first, as the port sorts them. */
const allMatches: readonly TextMatch[] = matchPlaces.flatMap((place) =>
  matchLikenesses.flatMap((likeness): readonly TextMatch[] =>
    place === 'title'
      ? [1, 2, 3, 4, 5, 6, 7, 8].map((length) => ({ place, likeness, length }))
      : [{ place, likeness }],
  ),
);

describe('a search', () => {
  it('takes what was typed apart into at most eight different words of at most 64 letters', () => {
    expect(searchWords('  Größe: payment-STRIPE, Stripe! ﬁn 支付 ')).to.deep.equal([
      'große',
      'payment',
      'stripe',
      'fin',
      '支付',
    ]);
    expect(searchWords('')).to.deep.equal([]);
    expect(searchWords('a b c d e f g h i j')).to.have.length(8);
    expect(searchWords('x'.repeat(1000))).to.deep.equal(['x'.repeat(64)]);
  });

  it('scores between 0 and 1, and never a better match below a worse one', () => {
    const asked = fc.integer({ min: 1, max: 8 });
    fc.assert(
      fc.property(asked, (words) => {
        const scores = allMatches.map((match) => relevance(match, words));
        for (const score of scores) expect(score).to.be.greaterThan(0).and.at.most(1);
        expect(scores).to.deep.equal(scores.toSorted((a, b) => b - a));
      }),
    );
  });

  it('tells places and likenesses apart whatever the length of a title', () => {
    const worst = relevance({ place: 'title', likeness: 'typo', length: 8 }, 1);
    expect(relevance({ place: 'partly', likeness: 'exact' }, 8)).to.be.below(worst);
    expect(relevance({ place: 'title', likeness: 'prefix', length: 1 }, 1)).to.be.below(
      relevance({ place: 'title', likeness: 'exact', length: 8 }, 1),
    );
  });

  it('gives 1 to the title that says exactly what was asked, and less to one that says more', () => {
    const title = (length: number): TextMatch => ({ place: 'title', likeness: 'exact', length });
    expect(relevance(title(1), 1)).to.equal(1);
    expect(relevance(title(3), 3)).to.equal(1);
    expect(relevance(title(3), 1)).to.equal(0.9333);
  });
});
