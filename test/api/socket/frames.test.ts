/** What clients say and send back as `since`, read directly: a frame or a refusal, soon, whatever the bytes. */
import { expect } from 'chai';
import fc from 'fast-check';
import { formatCursor, hasRead, parseCursor } from '../../../src/api/socket/cursor.ts';
import { parseClientFrame } from '../../../src/api/socket/frames.ts';
import { Problem } from '../../../src/api/http/problem.ts';
import type { Position } from '../../../src/ports/event-store.ts';
import { within } from '../../support/thread-work.ts';

const numRuns = process.env['SLIPWAY_LONG'] === undefined ? 20_000 : 1_000_000;
/** No client may send more in a frame. */
const largest = 16 * 1024;

const words = fc.constantFrom(
  ...[
    'auth',
    'subscribe',
    'unsubscribe',
    'ping',
    'plugins',
    'token',
    'channels',
    'since',
    'filter',
    'type',
    'types',
  ],
  ...['__proto__', 'constructor', 'pluginId', '', '\u0000', '\ud800', '…'.repeat(300)],
);
const frame = fc.dictionary(
  words,
  fc.oneof(
    words,
    fc.array(words, { maxLength: 25 }),
    fc.jsonValue({ maxDepth: 3 }),
    fc.dictionary(words, words),
  ),
  { maxKeys: 5 },
);
const pieces = fc.constantFrom(
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '"',
  '\\',
  '"type":',
  '"ping"',
  '1e400',
  '\u0000',
);
const bytes = fc.oneof(
  { weight: 4, arbitrary: frame.map((value) => Buffer.from(JSON.stringify(value))) },
  { weight: 2, arbitrary: fc.array(pieces, { maxLength: 40 }).map((all) => Buffer.from(all.join(''))) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(pieces, fc.nat({ max: largest }))
      .map(([piece, size]) => Buffer.from(piece.repeat(size)).subarray(0, largest)),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)) },
);

describe('frames of clients', function () {
  this.timeout(numRuns * 5);

  it('are what they say, or refused in words, within 100 ms of this thread', () => {
    let understood = 0;
    fc.assert(
      fc.property(bytes, (sent) => {
        const read = within(100, sent.toString(), () => frameOrRefusal(sent));
        if (read instanceof Problem) {
          expect(read.message).to.match(/^The frame /);
          return;
        }
        expect(JSON.parse(sent.toString())).to.have.property('type', read.type);
        understood += 1;
      }),
      { numRuns },
    );
    // Or they would all have been refused for the same reason.
    expect(understood).to.be.greaterThan(0);
  });

  it('may send back any position that was told, and it says the same', () => {
    const place = fc.tuple(fc.uuid(), fc.nat()).map(([log, at]) => `${log}:${at}` as Position);
    fc.assert(
      fc.property(place, place, fc.integer({ min: 0, max: 999 }), (after, event, frames) => {
        for (const cursor of [
          { after, within: null },
          { after, within: { event, frames } },
        ])
          expect(parseCursor(formatCursor(cursor))).to.deep.equal(cursor);
      }),
      { numRuns: 1_000 },
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        const { after, within } = parseCursor(text);
        if (within === null) expect(after).to.equal(text);
        else expect(Number.isSafeInteger(within.frames)).to.equal(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('and who stands in the middle of an event has read what came before it, and so many of its frames', () => {
    const at = (place: number) => `log:${place}` as Position;
    const compare = (a: Position, b: Position) => Number(a.slice(4)) - Number(b.slice(4));
    const middle = { after: at(3), within: { event: at(7), frames: 2 } };
    const read = (place: number, index: number) => hasRead(middle, at(place), index, compare);
    expect([read(3, 0), read(5, 9), read(7, 0), read(7, 1)]).to.deep.equal([true, true, true, true]);
    expect([read(7, 2), read(8, 0)]).to.deep.equal([false, false]);
    const between = { after: at(3), within: null };
    expect([hasRead(between, at(3), 5, compare), hasRead(between, at(4), 0, compare)]).to.deep.equal([
      true,
      false,
    ]);
  });
});

function frameOrRefusal(sent: Uint8Array): ReturnType<typeof parseClientFrame> | Problem {
  try {
    return parseClientFrame(Buffer.from(sent));
  } catch (error) {
    if (error instanceof Problem && error.kind === 'Invalid') return error;
    throw error;
  }
}
