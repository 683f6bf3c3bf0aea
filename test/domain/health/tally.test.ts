import { expect } from 'chai';
import fc from 'fast-check';
import type { Report } from '../../../src/domain/deployment/evidence.ts';
import { metricsOf, minus, noTally, plus, type Tally, tallyOf } from '../../../src/domain/health/tally.ts';
import { tallies } from './samples.ts';

const report = (more: Partial<Report> = {}): Report => ({
  ...{ instance: 'i-1', sequence: 0, outcome: 'pass', latencyMs: 10, replaces: null },
  ...more,
});
const nothing = {
  ...{ avgResponseTime: null, avgResponseTimeOf: null, errorRate: null, errorRateOf: null },
  ...{ cpuUsage: null, memoryUsage: null, requestsPerSecond: null },
};
const of = (...reports: readonly Report[]) =>
  metricsOf(reports.map((one) => tallyOf([{ report: one, started: true }])).reduce(plus, noTally));

describe('what is measured of health', () => {
  it('is what probes say where nobody tells of requests', () => {
    const failed = report({ outcome: 'fail', latencyMs: 30 });
    const unasked = report({ outcome: 'error', latencyMs: 999 });
    expect(of(report(), report(), failed, report({ latencyMs: null }), unasked)).to.deep.equal({
      ...nothing,
      ...{ avgResponseTime: 16.666667, avgResponseTimeOf: 'probes', errorRate: 0.25, errorRateOf: 'probes' },
    });
  });

  it('leaves out how an instance fares that has never passed', () => {
    expect(metricsOf(tallyOf([{ report: report({ outcome: 'fail' }), started: false }]))).to.deep.equal(
      nothing,
    );
  });

  it('is what the requests say where reports tell of them, each as heavy as it had requests', () => {
    const busy = report({ metrics: { requests: 90, errors: 0, responseTime: 40 } });
    const idle = report({ metrics: { requests: 10, errors: 5, responseTime: 140 } });
    const resting = report({ metrics: { requests: 0, errors: 0, responseTime: 0 } });
    const asked = { avgResponseTimeOf: 'requests', errorRateOf: 'requests' } as const;
    expect(of(busy, idle, resting)).to.deep.equal({
      ...nothing,
      ...{ ...asked, avgResponseTime: 50, errorRate: 0.05 },
    });
    expect(of(report({ metrics: { requests: 10 } }))).to.include({
      ...{ avgResponseTime: 10, avgResponseTimeOf: 'probes', errorRate: 0, errorRateOf: 'probes' },
    });
  });

  it('has the means of processor and memory', () => {
    const one = report({ metrics: { cpuUsage: 30, memoryUsage: 50 } });
    expect(of(one, report({ metrics: { cpuUsage: 40 } }), report())).to.include({
      ...{ cpuUsage: 35, memoryUsage: 50 },
    });
  });

  it('ignores what no instance can mean', () => {
    const wild = { requests: 1e308, errors: -1, responseTime: Infinity, cpuUsage: -5, memoryUsage: 1e10 };
    expect(of(report({ latencyMs: 1e300, metrics: wild }))).to.deep.equal({
      ...nothing,
      ...{ errorRate: 0, errorRateOf: 'probes' },
    });
    expect(of(report({ metrics: { requests: 2, errors: 9 } })).errorRate).to.equal(1);
  });

  it('can be put together in any order, and taken apart again', () => {
    fc.assert(
      fc.property(tallies, tallies, tallies, (a, b, c) => {
        expect(plus(a, b)).to.deep.equal(plus(b, a));
        expect(plus(plus(a, b), c)).to.deep.equal(plus(a, plus(b, c)));
        expect(minus(plus(a, b), b)).to.deep.equal(a);
        const [mean, one, other] = [plus(a, b), a, b].map((tally: Tally) => metricsOf(tally).errorRate);
        if (mean !== null && one !== null && other !== null)
          expect(mean).to.be.within(Math.min(one!, other!) - 1e-6, Math.max(one!, other!) + 1e-6);
      }),
    );
  });
});
