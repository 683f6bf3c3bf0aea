import { expect } from 'chai';
import fc from 'fast-check';
import { downsample, type HealthPoint, historyOf } from '../../../src/domain/health/history.ts';
import { minuteMs, slotMs } from '../../../src/domain/health/record.ts';
import { metricsOf, noTally, plus } from '../../../src/domain/health/tally.ts';
import { span, start, tallies } from './samples.ts';

const points: fc.Arbitrary<readonly HealthPoint[]> = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 0, max: 30 * minuteMs }),
      length: fc.integer({ min: 1, max: slotMs }),
      healthy: fc.integer({ min: 0, max: 10 }),
      silent: fc.boolean(),
      tally: tallies,
    }),
    { maxLength: 300 },
  )
  .map((all) => {
    let at = start;
    return all.map(({ gap, length, healthy, silent, tally }) => {
      const from = at + gap;
      at = from + length;
      const counts = { healthy, unhealthy: 10 - healthy, leastHealthy: healthy };
      return { from, until: at, ...counts, silent, tally };
    });
  });
const most = fc.integer({ min: 2, max: 40 });
const total = (all: readonly HealthPoint[]) => all.map(({ tally }) => tally).reduce(plus, noTally);

describe('points of a history', () => {
  it('are put together: few enough, in order, within the same time, and lose nothing that was measured', () => {
    fc.assert(
      fc.property(points, most, (all, limit) => {
        const fewer = downsample(all, limit);
        expect(fewer.length).to.be.at.most(limit);
        if (all.length > 0) expect(fewer).not.to.have.length(0);
        for (const [index, { until }] of fewer.entries())
          expect(until).to.be.greaterThan(fewer[index - 1]?.until ?? 0);
        expect(fewer[0]?.from).to.equal(all[0]?.from);
        expect(fewer.at(-1)?.until).to.equal(all.at(-1)?.until);
        expect(total(fewer)).to.deep.equal(total(all));
        expect(metricsOf(total(fewer))).to.deep.equal(metricsOf(total(all)));
        const least = (of: readonly HealthPoint[]) => Math.min(...of.map(({ leastHealthy }) => leastHealthy));
        expect(least(fewer)).to.equal(least(all));
      }),
    );
  });

  it('stay as they are where they are few enough, also when asked again', () => {
    fc.assert(
      fc.property(points, most, (all, limit) => {
        expect(downsample(all, Math.max(2, all.length))).to.equal(all);
        const once = downsample(all, limit);
        expect(downsample(once, limit)).to.equal(once);
      }),
    );
  });

  it('count instances by how long they were so, and measurements by how many they are', () => {
    const point = (from: number, minutes: number, healthy: number, tally: HealthPoint['tally']) => ({
      ...{ from: start + from * minuteMs, until: start + (from + minutes) * minuteMs, healthy },
      ...{ unhealthy: 4 - healthy, leastHealthy: healthy, silent: false, tally },
    });
    const [one, two] = downsample(
      [
        point(0, 4, 4, { failed: { count: 100, sum: 0 } }),
        point(4, 1, 0, { failed: { count: 25, sum: 25 } }),
        point(5, 4, 4, noTally),
      ],
      2,
    );
    expect(one).to.deep.include({ healthy: 3, unhealthy: 1, leastHealthy: 0 });
    expect(one && metricsOf(one.tally).errorRate).to.equal(0.2);
    expect(two && metricsOf(two.tally).errorRate).to.equal(null);
  });
});

describe('the history of a deployment', () => {
  const ask = (question: Partial<Parameters<typeof historyOf>[0]>) =>
    historyOf({
      ...{ spans: [], staleAfterMs: 31_000, stoppedAt: null, from: start, now: start + 60 * minuteMs },
      ...{ most: 500, ...question },
    });
  const ends = (all: readonly HealthPoint[]) => all.map(({ until }) => (until - start) / minuteMs);
  const silent = (all: readonly HealthPoint[]) => ends(all.filter((point) => point.silent));

  it('is empty before the first report', () => {
    expect(ask({})).to.deep.equal([]);
  });

  it('shows the first minutes, and nothing that has not been yet', () => {
    const now = start + 1.5 * minuteMs;
    const shown = ask({ spans: [span(0), span(1)], now });
    expect(ends(shown)).to.deep.equal([1, 1.5]);
    expect(shown[0]).to.include({ healthy: 2, unhealthy: 0, silent: false });
  });

  it('shows only what ends within the window, by time, also where a clock went back', () => {
    const spans = [span(0), span(58), span(59), span(40, { after: 59, through: 60 }), span(90)];
    const shown = ask({ spans, from: start + minuteMs, now: start + 60 * minuteMs });
    expect(ends(shown)).to.deep.equal(
      [5, 10, 15, 20, 25, 30, 35, 40, 41, 50, 55, 59, 60].slice(-shown.length),
    );
    expect(ends(shown).filter((end) => end <= 1 || end > 60)).to.deep.equal([]);
  });

  it('shows silence as a point without any instance for every five minutes, until somebody speaks or time ends', () => {
    const spans = [span(0), span(1), span(23), span(24)];
    const shown = ask({ spans, now: start + 37 * minuteMs });
    expect(ends(shown)).to.deep.equal([1, 2, 10, 15, 20, 24, 25, 30, 35]);
    expect(silent(shown)).to.deep.equal([10, 15, 20, 30, 35]);
    const { healthy, tally } = shown.find((point) => point.silent)!;
    expect([healthy, tally]).to.deep.equal([0, noTally]);
  });

  it('counts nobody at the end of a point at which the last report was no longer good', () => {
    const counts = (seconds: number, now = start + minuteMs) => {
      const [point] = ask({ spans: [span(0, { lastReportAt: start + seconds * 1000 })], now });
      return [point?.healthy, point?.leastHealthy, point?.silent, point?.tally];
    };
    const { tally } = span(0);
    expect(counts(29)).to.deep.equal([2, 2, false, tally]);
    expect(counts(28)).to.deep.equal([0, 0, false, tally]);
    expect(counts(28, start + 59_000)).to.deep.equal([2, 2, false, tally]);
  });

  it('shows silence that began before the window', () => {
    const shown = ask({ spans: [span(0)], from: start + 42 * minuteMs });
    expect(ends(shown)).to.deep.equal([45, 50, 55, 60]);
    expect(silent(shown)).to.deep.equal([45, 50, 55, 60]);
  });

  it('shows none while the last report is still good, nor once the instances were stopped', () => {
    const hourly = 3 * 3_600_000;
    expect(silent(ask({ spans: [span(0)], staleAfterMs: hourly }))).to.deep.equal([]);
    expect(silent(ask({ spans: [span(0)], stoppedAt: start + 12 * minuteMs }))).to.deep.equal([10]);
    const gone = span(1, { healthy: 0, leastHealthy: 0 });
    expect(silent(ask({ spans: [span(0), gone, span(50)], stoppedAt: null }))).to.deep.equal([60]);
  });

  it('has at most as many points as were asked for, whatever the window', () => {
    const spans = [span(0), span(90 * 24 * 60 - 1)];
    const now = start + 90 * 24 * 60 * minuteMs;
    expect(ask({ spans, now }).length).to.be.within(400, 500);
  });
});
