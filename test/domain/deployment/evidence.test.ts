import { expect } from 'chai';
import fc from 'fast-check';
import {
  foldReports,
  noEvidence,
  present,
  reportsKept,
  restarts,
  type Evidence,
  type Report,
} from '../../../src/domain/deployment/evidence.ts';
import { health, observe, type InstanceHealthObserved } from '../../../src/domain/health.ts';
import { spec } from '../../support/given-when-then.ts';
import { newId, request } from './samples.ts';
import { shows } from '../../support/rollout-rows.ts';

const { healthCheck, tenant, environment, plugin } = request();
const report = (sequence: number, outcome: Report['outcome'] = 'pass', instance = 'i-1'): Report => ({
  instance,
  sequence,
  outcome,
  latencyMs: null,
  replaces: null,
});
const fold = (reports: readonly Report[], from: Evidence = noEvidence, epoch = 1): Evidence =>
  reports.reduce((evidence, one) => foldReports(evidence, { epoch, reports: [one] }, 0), from);
const observed = (epoch: number, ...reports: Report[]): InstanceHealthObserved => ({
  deploymentId: newId,
  tenant,
  environment,
  plugin,
  epoch,
  reports,
});

describe('evidence', () => {
  it('counts failures in a row only once an instance has passed', () => {
    const starting = fold([report(1, 'fail'), report(2, 'fail'), report(3, 'fail')]);
    expect(present(starting, 1, healthCheck)[0]).to.deep.include({ unhealthy: false, ready: false });
    const sick = fold([report(1), report(2, 'fail'), report(3, 'fail'), report(4, 'fail')]);
    expect(present(sick, 1, healthCheck)[0]).to.deep.include({ unhealthy: true, ready: false });
  });

  it(shows('Evidence: errors say nothing', 'takes an error for neither a pass nor a failure'), () => {
    const [one] = present(
      fold([report(1), report(2, 'fail'), report(3, 'error'), report(4, 'fail')]),
      1,
      healthCheck,
    );
    expect(one).to.deep.include({ ready: true, failuresInARow: 2, passesInARow: 0 });
  });

  it(shows('Evidence: old epochs', 'counts anew at a new epoch, and takes nothing of an old one'), () => {
    const before = fold([report(1), report(2)]);
    const after = fold([report(3, 'fail')], before, 2);
    expect(present(after, 2, healthCheck)[0]).to.deep.include({ passes: 0, failuresInARow: 1 });
    expect(present(after, 1, healthCheck)).to.deep.equal([]);
    expect(fold([report(4)], after, 1)).to.equal(after);
    expect(fold([report(2)], after, 2), 'a sequence of the epoch before').to.equal(after);
  });

  it('calls it a restart when an instance that had passed is replaced', () => {
    const replacing = { ...report(0, 'pass', 'i-2'), replaces: 'i-1' };
    expect(restarts(fold([report(1), replacing]), 1)).to.deep.equal(['i-1']);
    expect(restarts(fold([report(1, 'fail'), replacing]), 1)).to.deep.equal([]);
  });

  it('is bounded however long an instance reports', () => {
    const long = fold(Array.from({ length: 500 }, (_, i) => report(i)));
    expect(long.instances['i-1']!.recent).to.have.length(reportsKept);
    expect(long.instances['i-1']!.passes).to.equal(500);
  });

  it(
    shows(
      'Evidence: repetitions and order',
      'is the same whatever the order of the reports and however often they come',
    ),
    () => {
      const reports = fc.uniqueArray(
        fc.record({
          instance: fc.constantFrom('i-1', 'i-2', 'i-3'),
          sequence: fc.integer({ min: 0, max: 15 }),
          outcome: fc.constantFrom('pass' as const, 'fail' as const, 'error' as const),
          latencyMs: fc.constant(null),
          replaces: fc.constantFrom(null, null, 'i-0'),
        }),
        { selector: ({ instance, sequence }) => `${instance} ${sequence}`, maxLength: 40 },
      );
      const shuffled = reports.chain((list) =>
        fc.tuple(
          fc.constant(list),
          fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2, maxLength: list.length * 2 }),
        ),
      );
      fc.assert(
        fc.property(shuffled, ([list, again]) => {
          const [x, y] = [fold(list), fold(again)];
          expect(y.instances).to.deep.equal(x.instances);
        }),
        { numRuns: 300 },
      );
    },
  );

  it('its stream takes what is new at the present epoch, and nothing else', () => {
    const first = observed(7, report(1), report(1), report(2));
    const kept = { type: 'InstanceHealthObserved' as const, data: observed(7, report(1), report(2)) };
    spec(health)
      .given()
      .when((known) => observe(known, first, 7))
      .then(kept);
    spec(health)
      .given(kept)
      .when((known) => observe(known, first, 7))
      .then();
    spec(health)
      .given()
      .when((known) => observe(known, first, 8))
      .then();
    spec(health)
      .given()
      .when((known) => observe(known, first, 6))
      .then();
  });
});
