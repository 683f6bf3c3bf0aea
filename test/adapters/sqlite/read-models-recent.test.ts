import { expect } from 'chai';
import { keepRecentAnswers } from '../../../src/adapters/sqlite/read-models-recent.ts';
import type { Table } from '../../../src/adapters/sqlite/read-models-schema.ts';

describe('recent answers of the SQLite read models', () => {
  const table = (number: number): Table => ({
    number,
    spec: { name: 'things', visibility: 'public', indexes: [], text: [] },
  });

  function counting(size = 1) {
    let reads = 0;
    const recent = keepRecentAnswers();
    const ask = (of: Table, ...question: unknown[]): number =>
      recent.answer(
        of,
        question,
        () => ({ read: (reads += 1) }),
        () => size,
      ).read;
    return { recent, ask };
  }

  it('are read once, and again after a change of their collection', () => {
    const { recent, ask } = counting();
    expect([ask(table(1), 'get', 'a'), ask(table(1), 'get', 'a')]).to.eql([1, 1]);
    recent.changed(table(1));
    expect(ask(table(1), 'get', 'a')).to.equal(2);
  });

  it('outlive a change of another collection', () => {
    const { recent, ask } = counting();
    ask(table(1), 'get', 'a');
    recent.changed(table(2));
    expect(ask(table(1), 'get', 'a')).to.equal(1);
  });

  it('are told apart by collection, kind and question', () => {
    const { ask } = counting();
    const asked = [
      ask(table(1), 'get', 'a'),
      ask(table(2), 'get', 'a'),
      ask(table(1), 'count', 'a'),
      ask(table(1), 'get', 'b'),
    ];
    expect(asked).to.eql([1, 2, 3, 4]);
  });

  it('are not kept when they hold more than a page', () => {
    const { ask } = counting(101);
    expect([ask(table(1), 'find'), ask(table(1), 'find')]).to.eql([1, 2]);
  });
});
