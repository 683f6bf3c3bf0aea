import { expect } from 'chai';
import fc from 'fast-check';
import { retryAfterMs } from '../../../src/adapters/egress/retry-after.ts';

const now = Date.parse('1994-11-06T08:48:37.000Z');

describe('Retry-After', () => {
  it('is read as seconds, and as each of the three forms of a date', () => {
    const minute = [
      ...['60', ' 60 ', 'Sun, 06 Nov 1994 08:49:37 GMT'],
      ...['Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'],
    ];
    for (const text of minute) expect(retryAfterMs(text, now), text).to.equal(60_000);
    expect(retryAfterMs('0', now)).to.equal(0);
    expect(retryAfterMs('9'.repeat(400), now)).to.equal(Infinity);
  });

  it('takes a year of two digits for one of this century, unless that is more than fifty years ahead', () => {
    const at = Date.parse('2030-01-01T00:00:00.000Z');
    const year = 365.25 * 86_400_000;
    expect(retryAfterMs('Monday, 01-Jan-80 00:00:00 GMT', at)! / year).to.be.closeTo(50, 0.1);
    expect(retryAfterMs('Monday, 01-Jan-81 00:00:00 GMT', at)).to.equal(0);
  });

  it('is not read when it is anything else', () => {
    const wrong = [
      ...['', '-1', '1.5', '1e3', '0x10', 'soon', '١', '60, 70', '1994-11-06T08:49:37Z'],
      ...[
        'Sun, 06 Nov 1994 08:49:37 +0100',
        'Sun, 31 Jun 1994 08:49:37 GMT',
        'Sun, 06 nov 1994 08:49:37 GMT',
      ],
      ...['Sun, 06 Nov 1994 24:00:00 GMT', 'Sun, 06 Nov 1994 08:60:00 GMT', 'Sun, 00 Nov 1994 08:49:37 GMT'],
    ];
    for (const text of wrong) expect(retryAfterMs(text, now), text).to.equal(null);
  });

  it('reads back any time that a server writes, and throws at no text', () => {
    const times = fc.integer({ min: 0, max: 4e9 });
    fc.assert(
      fc.property(times, times, (at, asked) => {
        const text = new Date(asked * 1_000).toUTCString();
        expect(retryAfterMs(text, at * 1_000)).to.equal(Math.max(0, (asked - at) * 1_000));
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const read = retryAfterMs(text, now);
        expect(read === null || read >= 0).to.equal(true);
      }),
    );
  });
});
