import { expect } from 'chai';
import fc from 'fast-check';
import { parseIsoDuration } from '../../src/domain/iso-duration.ts';

const hour = 3_600_000;

describe('ISO 8601 durations', () => {
  it('are read', () => {
    const read: Readonly<Record<string, number>> = {
      ...{ PT24H: 24 * hour, P1D: 24 * hour, PT90M: 1.5 * hour, PT1S: 1_000, P2W: 14 * 24 * hour },
      ...{ P1DT12H: 36 * hour, PT1H30M15S: 5_415_000, P3M: 90 * 24 * hour, P1Y: 365 * 24 * hour },
      ...{ 'PT0.5H': hour / 2, 'PT0,5H': hour / 2, 'P0.5D': 12 * hour, 'PT1H0.5M': hour + 30_000 },
      ...{ P0D: 0, P1Y2M3W4DT5H6M7S: (365 + 60 + 21 + 4) * 24 * hour + 5 * hour + 367_000, PT36H: 36 * hour },
    };
    for (const [text, ms] of Object.entries(read)) expect(parseIsoDuration(text), text).to.equal(ms);
  });

  it('are nothing else', () => {
    const others = [
      ...['', 'P', 'PT', 'P1', 'T1H', '24H', '1d', 'p1d', 'PT24h', 'P1DT', 'P1H', 'PT1D', 'P1D1H', 'PT1M1H'],
      ...['-P1D', '+P1D', 'P-1D', 'P1.D', 'P.5D', 'PT0.5H1M', 'P1.5DT1H', ' P1D', 'P1D ', 'P1D\n', 'PxD'],
      ...['P1D1D', 'P٣D', 'PT1e3H', `P${'9'.repeat(10)}D`, 'P0001-00-00T00:00:00', 'NaN', 'PT24H/P1D'],
    ];
    for (const text of others) expect(parseIsoDuration(text), JSON.stringify(text)).to.equal(null);
    fc.assert(fc.property(fc.string(), (text) => parseIsoDuration(`x${text}`) === null));
  });
});
