import { expect } from 'chai';
import { openTail, type Tail } from '../../../src/adapters/sqlite/event-store-tail.ts';

describe('the newest events in memory', () => {
  function push(tail: Tail, places: readonly number[], text = ''): void {
    const texts = ['id', 'Happened', JSON.stringify({ text }), '{}'];
    for (const place of places) tail.push(place, `stream-${place % 2}`, place, texts, 0);
  }
  const count = (from: number, to: number): number[] =>
    Array.from({ length: to - from + 1 }, (_, i) => from + i);

  it('serve a page that begins among them, filtered, and none that begins before', () => {
    const tail = openTail('log', 10);
    push(tail, count(11, 20));
    expect(tail.page(9, undefined, 5)).to.equal(null);
    const page = tail.page(10, { streamPrefixes: ['stream-1'] }, 2);
    expect(page?.events.map(({ position }) => position)).to.deep.equal(['log:11', 'log:13']);
    expect(page).to.include({ next: 13, end: false });
    expect(tail.page(13, { types: ['Other'] }, 2)).to.deep.equal({ events: [], next: 20, end: true });
    expect(tail.page(20, undefined, 2)).to.deep.equal({ events: [], next: 20, end: true });
  });

  it('are 10,000 at most, in the right order however many have gone', () => {
    const tail = openTail('log', 0);
    for (let at = 0; at < 50_000; at += 7000) {
      push(tail, count(at + 1, at + 7000));
      const first = Math.max(0, at + 7000 - 10_000);
      expect(first === 0 ? null : tail.page(first - 1, undefined, 1)).to.equal(null);
      expect(tail.page(first, undefined, 1)?.next).to.equal(first + 1);
    }
  });

  it('are fewer where they are large', () => {
    const tail = openTail('log', 0);
    push(tail, count(1, 100), 'x'.repeat(1024 * 1024));
    expect(tail.page(92, undefined, 1)).to.equal(null);
    expect(tail.page(93, undefined, 100)?.events).to.have.length(7);
  });

  it('begin anew behind a gap', () => {
    const tail = openTail('log', 0);
    push(tail, [1, 2, 5, 6]);
    expect(tail.page(2, undefined, 9)).to.equal(null);
    expect(tail.page(4, undefined, 9)).to.include({ next: 6, end: true });
  });
});
