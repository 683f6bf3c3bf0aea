import { expect } from 'chai';
import { slotMs, slotsToSummarise } from '../../src/domain/health/record.ts';
import { healthSummary, healthSummaryEvents, summarise } from '../../src/domain/health/summary.ts';
import { getKnownHealth } from '../../src/projections/deployment-health.ts';
import { getDeployment } from '../../src/projections/deployment-views.ts';
import { deploymentsProjection } from '../../src/projections/deployments.ts';
import { request, stageStarted } from '../domain/deployment/samples.ts';
import { span, summaryOf } from '../domain/health/samples.ts';
import { dep, openFacts, slotSchemas, type Facts } from './slot-facts.ts';

const one = dep('one');
const epoch = 2 ** 20 + 1;
const pass = (sequence: number, instance = 'i1') => ({ sequence, instance }) as const;
const fail = (sequence: number, instance = 'i1') => ({ sequence, instance, outcome: 'fail' }) as const;

describe('counts of instances', () => {
  let facts: Facts;
  beforeEach(async () => {
    facts = await openFacts([deploymentsProjection]);
    await facts.deploy(one, {}, { healthCheck: { failureThreshold: 2, successThreshold: 2 } });
    await facts.deployment(one, stageStarted(0, 1, 1));
  });
  afterEach(() => facts.world.close());

  const view = async () => {
    await facts.world.caughtUp();
    return (await getDeployment(facts.world.models, { kind: 'platform' }, one, 0))!;
  };
  /** Healthy and unhealthy. */
  async function counts(): Promise<readonly number[]> {
    const { healthyInstances, unhealthyInstances } = await view();
    return [healthyInstances, unhealthyInstances];
  }

  it('follow the thresholds: neither while starting, unhealthy only after it once passed', async () => {
    await facts.reports(one, epoch, fail(0), fail(1), fail(2));
    expect(await counts(), 'starting').to.deep.equal([0, 0]);
    await facts.reports(one, epoch, pass(3));
    expect(await counts(), 'one pass of two').to.deep.equal([0, 0]);
    await facts.reports(one, epoch, pass(4));
    expect(await counts()).to.deep.equal([1, 0]);
    await facts.reports(one, epoch, fail(5));
    expect(await counts(), 'one failure of two').to.deep.equal([1, 0]);
    await facts.reports(one, epoch, fail(6));
    expect(await counts()).to.deep.equal([0, 1]);
    await facts.reports(one, epoch, pass(7), pass(8));
    expect(await counts()).to.deep.equal([1, 0]);
  });

  it('bear repeated, shuffled and late reports', async () => {
    await facts.reports(one, epoch, pass(1), fail(0), pass(2), pass(2));
    expect(await counts()).to.deep.equal([1, 0]);
    await facts.reports(one, epoch, fail(1), fail(2), fail(0));
    expect(await counts()).to.deep.equal([1, 0]);
  });

  it('leave out who was replaced, also when it still speaks, and who stayed behind in an older epoch', async () => {
    await facts.reports(one, epoch, pass(0), pass(1), pass(0, 'i2'), pass(1, 'i2'));
    expect(await counts()).to.deep.equal([2, 0]);
    await facts.reports(one, epoch, { ...pass(0, 'i3'), replaces: 'i2' });
    await facts.reports(one, epoch, pass(2, 'i2'));
    expect(await counts()).to.deep.equal([1, 0]);
    await facts.reports(one, epoch + 1, pass(2));
    expect(await counts(), 'it runs on').to.deep.equal([1, 0]);
    await facts.reports(one, epoch, pass(9, 'i4'), pass(10, 'i4'));
    expect(await counts(), 'history').to.deep.equal([1, 0]);
  });

  it('tell when somebody last knew: an error says nothing', async () => {
    expect((await view()).lastHealthCheck).to.equal(null);
    await facts.reports(one, epoch, pass(0));
    const at = new Date(facts.world.clock.now()).toISOString();
    await facts.reports(one, epoch, { ...pass(1), outcome: 'error' });
    expect((await view()).lastHealthCheck).to.equal(at);
  });

  it('leave out who is gone without a word, and never exceed what was asked for', async () => {
    const all = (life: string) =>
      Array.from({ length: 10 }, (_, i) => [pass(0, `${life}${i}`), pass(1, `${life}${i}`)]).flat();
    await facts.reports(one, epoch, ...all('a'));
    await facts.reports(one, epoch, ...all('b'));
    expect(await counts()).to.deep.equal([10, 0]);
    await facts.world.clock.advance(60_000);
    await facts.reports(one, epoch, pass(2, 'b0'));
    expect(await counts()).to.deep.equal([1, 0]);
  });

  it('begin anew when the platform stopped the instances', async () => {
    await facts.reports(one, epoch, pass(0), pass(1));
    await facts.deployment(one, {
      type: 'StageInterrupted',
      data: { stage: 0, reason: 'The platform restarted', fence: 2, dueAt: '2030-01-01T01:00:00.000Z' },
    });
    await facts.reports(one, epoch, pass(2));
    expect(await counts()).to.deep.equal([0, 0]);
    await facts.reports(one, epoch + 1, pass(0, 'i2'), pass(1, 'i2'));
    expect(await counts()).to.deep.equal([1, 0]);
  });
});

describe('reports whose stream begins anew, since it could not move with its log', () => {
  it('are counted on behind what summaries, which did move, have named', async () => {
    const facts = await openFacts([deploymentsProjection], [...slotSchemas, healthSummaryEvents]);
    const { world } = facts;
    await facts.deploy(one);
    await facts.deployment(one, stageStarted(0, 1, 1));
    const before = { ...span(0), from: world.clock.now() - slotMs, until: world.clock.now(), through: 5_000 };
    const summaries = {
      aggregate: healthSummary,
      ...{ id: one, tenant: 'tenant-acme' },
    } as const;
    const { type, data } = summaryOf(before);
    await world.executor.execute({
      ...summaries,
      context: world.context(),
      decide: () => [{ type, data: { ...data, deploymentId: one } }],
    });
    const slots = async () => {
      await world.caughtUp();
      const known = await getKnownHealth(world.models, { kind: 'platform' }, one);
      return slotsToSummarise(known!.record, world.clock.now());
    };
    const report = async (from: number): Promise<void> => {
      for (let n = from; n < from + 12; n += 1) {
        await facts.reports(one, epoch, pass(n));
        await world.clock.advance(59_000);
      }
      await world.clock.advance(2 * slotMs);
    };
    await report(0);
    const first = await slots();
    expect([first[0]?.after, first.at(-1)?.through]).to.deep.equal([5_000, 5_012]);
    const { state } = await world.executor.execute({
      ...summaries,
      context: world.context(),
      decide: (known) => summarise(known, first, { deploymentId: one, tenant: request().tenant }),
    });
    expect(state.through).to.equal(5_012);
    expect(await slots()).to.deep.equal([]);
    await report(12);
    const second = await slots();
    expect([second[0]?.after, second.at(-1)?.through]).to.deep.equal([5_012, 5_024]);
    await world.close();
  });
});
