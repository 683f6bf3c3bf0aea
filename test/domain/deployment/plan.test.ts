import { expect } from 'chai';
import fc from 'fast-check';
import { planRollout, stagesOf, type Planned, type PlanInput } from '../../../src/domain/deployment/plan.ts';
import { isRefusal } from '../../../src/domain/refusal.ts';

function planned(input: PlanInput): Planned {
  const result = planRollout(input);
  if (isRefusal(result)) expect.fail(`${result.message} ${JSON.stringify(result.details)}`);
  return result;
}

function refusedFields(input: PlanInput): readonly string[] {
  const result = planRollout(input);
  if (!isRefusal(result)) expect.fail(`expected a refusal, got ${JSON.stringify(result)}`);
  expect(result.refused).to.equal('Invalid');
  return result.details.map(({ field }) => field);
}

const canary = (strategyConfig: Record<string, string>, rest: PlanInput = {}): PlanInput => ({
  strategy: 'Canary',
  strategyConfig,
  totalInstances: 10,
  ...rest,
});

describe('the plan of a rollout', () => {
  it("reads the document's own canary", () => {
    const { plan, healthCheck, totalInstances } = planned(
      canary(
        { canaryPercentage: '10', stages: '10,30,50,100', stageInterval: '300' },
        {
          healthCheck: {
            type: 'HttpEndpoint',
            httpEndpoint: '/health',
            intervalSeconds: 30,
            failureThreshold: 3,
          },
        },
      ),
    );
    expect(plan.stages.map(({ instances }) => instances)).to.deep.equal([1, 3, 5, 10]);
    expect(plan.stages.every(({ bakeMs }) => bakeMs === 300_000)).to.equal(true);
    expect(healthCheck).to.deep.include({ httpEndpoint: '/health', timeoutSeconds: 1, successThreshold: 1 });
    expect(totalInstances).to.equal(10);
  });

  it('has defaults: Direct, one instance, a minute of bake, heartbeats', () => {
    expect(planned({})).to.deep.equal({
      plan: {
        strategy: 'Direct',
        stages: [{ percent: 100, instances: 1, bakeMs: 60_000, approval: false }],
        onFailure: 'rollback',
        progressDeadlineMs: 600_000,
        analysis: [],
      },
      healthCheck: {
        type: 'Heartbeat',
        intervalSeconds: 10,
        timeoutSeconds: 1,
        failureThreshold: 3,
        successThreshold: 1,
      },
      totalInstances: 1,
    });
  });

  it('defaults the stages to canaryPercentage and those of 30, 50, 100 above it', () => {
    const percents = (config: Record<string, string>): readonly number[] =>
      planned(canary(config, { totalInstances: 100 })).plan.stages.map(({ percent }) => percent);
    expect(percents({})).to.deep.equal([10, 30, 50, 100]);
    expect(percents({ canaryPercentage: '30' })).to.deep.equal([30, 50, 100]);
    expect(percents({ canaryPercentage: '60' })).to.deep.equal([60, 100]);
    expect(percents({ canaryPercentage: '100' })).to.deep.equal([100]);
  });

  it('names the key that it cannot read', () => {
    expect(refusedFields(canary({ canaryPercentage: '20', stages: '10,100' }))).to.deep.equal([
      'strategyConfig.canaryPercentage',
    ]);
    for (const stages of [
      '',
      '10',
      '10,10,100',
      '50,30,100',
      '0,100',
      '10,101',
      '10, 100',
      '1e1,100',
      '-1,100',
    ])
      expect(refusedFields(canary({ stages })), stages).to.deep.equal(['strategyConfig.stages']);
    const many = Array.from({ length: 20 }, (_, i) => i + 1).join(',');
    expect(refusedFields(canary({ stages: `${many},100` }))).to.deep.equal(['strategyConfig.stages']);
    expect(refusedFields(canary({ colour: 'blue' }))).to.deep.equal(['strategyConfig.colour']);
    expect(refusedFields({ strategyConfig: { stages: '100' } })).to.deep.equal(['strategyConfig.stages']);
    expect(refusedFields(canary({ onFailure: 'ignore' }))).to.deep.equal(['strategyConfig.onFailure']);
    expect(refusedFields(canary({ approval: '20' }))).to.deep.equal(['strategyConfig.approval']);
    expect(refusedFields(canary({ stageInterval: '29' }))).to.deep.equal(['strategyConfig.stageInterval']);
    expect(refusedFields(canary({}, { totalInstances: 1001 }))).to.deep.equal(['totalInstances']);
    expect(refusedFields(canary({}, { totalInstances: 0 }))).to.deep.equal(['totalInstances']);
  });

  it('names all that is wrong at once', () => {
    const fields = refusedFields(
      canary({ stageInterval: 'x', colour: 'blue' }, { totalInstances: 0, healthCheck: { type: 'Ping' } }),
    );
    expect(fields).to.have.members([
      ...['totalInstances', 'healthCheck.type', 'strategyConfig.colour', 'strategyConfig.stageInterval'],
    ]);
  });

  it('refuses strategies that do not exist yet', () => {
    for (const strategy of ['Rolling', 'BlueGreen']) {
      const result = planRollout({ strategy });
      expect(result)
        .to.have.property('message')
        .that.matches(/does not exist yet/);
    }
    expect(refusedFields({ strategy: 'Sideways' })).to.deep.equal(['strategy']);
  });

  it('asks instances by a path only', () => {
    for (const httpEndpoint of [
      ...['http://evil.example/health', '//evil.example', 'health', '/\\evil', '/a b', '/a#b', ''],
    ]) {
      const healthCheck = { type: 'HttpEndpoint', httpEndpoint };
      expect(refusedFields({ healthCheck }), httpEndpoint).to.deep.equal(['healthCheck.httpEndpoint']);
    }
    expect(refusedFields({ healthCheck: { type: 'HttpEndpoint' } })).to.deep.equal([
      'healthCheck.httpEndpoint',
    ]);
    expect(refusedFields({ healthCheck: { httpEndpoint: '/health' } })).to.deep.equal([
      'healthCheck.httpEndpoint',
    ]);
    expect(refusedFields({ healthCheck: { intervalSeconds: 3601 } })).to.deep.equal([
      'healthCheck.intervalSeconds',
    ]);
  });

  it('counts percentages that come to the same instances as one stage, which waits if any of them does', () => {
    expect(planned(canary({ approval: '10' }, { totalInstances: 1 })).plan.stages).to.deep.equal([
      { percent: 100, instances: 1, bakeMs: 300_000, approval: true },
    ]);
    expect(stagesOf([10, 30, 50, 100], 3, 0).map(({ percent }) => percent)).to.deep.equal([30, 50, 100]);
  });

  it('always grows strictly to all instances, never below max(1, ceil(total · p / 100))', () => {
    const percents = fc
      .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 19 })
      .map((list) => [...list.sort((x, y) => x - y), 100]);
    fc.assert(
      fc.property(percents, fc.integer({ min: 1, max: 1000 }), (list, total) => {
        const stages = stagesOf(list, total, 0);
        expect(stages.at(-1)?.instances).to.equal(total);
        stages.forEach(({ instances, percent }, i) => {
          expect(instances).to.equal(Math.max(1, Math.ceil((total * percent) / 100)));
          expect(instances).to.be.greaterThan(stages[i - 1]?.instances ?? 0);
        });
      }),
    );
  });
});
