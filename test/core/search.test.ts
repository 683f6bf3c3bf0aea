import { expect } from 'chai';
import fc from 'fast-check';
import { rank, searchWords } from '../../src/core/search.ts';
import type { Document } from '../../src/ports/read-models.ts';

const weights = [
  { path: 'name', weight: 1 },
  { path: 'description', weight: 0.4 },
  { path: 'tags', weight: 0.4 },
];

function plugin(id: string, name: string, description = '', tags: readonly string[] = []): Document<object> {
  return { id, tenant: null, data: { name, description, tags } };
}

function order(query: string, ...candidates: readonly Document<object>[]): readonly string[] {
  return rank(query, candidates, weights).map(({ document }) => document.id);
}

describe('ranking a search', () => {
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

  it('puts names before descriptions', () => {
    const inName = plugin('z', 'Payment gateway for shops and more');
    const inDescription = plugin('a', 'Gateway', 'payment');
    expect(order('payment', inDescription, inName)).to.deep.equal(['z', 'a']);
  });

  it('puts the word itself before words that begin with it, and those before typos', () => {
    const typo = plugin('a', 'Paymant');
    const prefix = plugin('b', 'Payments');
    const exact = plugin('c', 'Payment');
    expect(order('payment', typo, prefix, exact)).to.deep.equal(['c', 'b', 'a']);
  });

  it('gives 1 to the name that says exactly what was asked, and less to one that says more', () => {
    const [best, next] = rank(
      'stripe',
      [plugin('a', 'Stripe Payment Processor'), plugin('b', 'Stripe')],
      weights,
    );
    expect(best).to.deep.include({ score: 1 });
    expect(next?.document.id).to.equal('a');
    expect(next?.score).to.be.within(0.9, 0.99);
  });

  it('leaves out candidates that lack a word', () => {
    expect(
      order('payment stripe', plugin('a', 'Payment'), plugin('b', 'Payment', 'by Stripe')),
    ).to.deep.equal(['b']);
  });

  it('searches the elements of arrays', () => {
    expect(order('credit', plugin('a', 'Cards', '', ['credit-card']))).to.deep.equal(['a']);
  });

  it('orders equals by id, whatever the order of the candidates', () => {
    const candidates = fc.shuffledSubarray(['a', 'b', 'c', 'd'], { minLength: 4 });
    fc.assert(
      fc.property(candidates, (ids) => {
        expect(order('pay', ...ids.map((id) => plugin(id, 'Pay')))).to.deep.equal(['a', 'b', 'c', 'd']);
      }),
    );
  });

  it('scores anything between 0 and 1', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.array(fc.string({ unit: 'grapheme' })),
        (query, names) => {
          const candidates = names.map((name, at) => plugin(String(at), name, `${query} ${name}`));
          for (const { score } of rank(query, candidates, weights)) expect(score).to.be.within(0, 1);
        },
      ),
    );
  });
});
