import { expect } from 'chai';
import { getDeployment } from '../../src/projections/deployment-views.ts';
import { deploymentsProjection } from '../../src/projections/deployments.ts';
import { stageStarted } from '../domain/deployment/samples.ts';
import { dep, openFacts, type Facts } from './slot-facts.ts';

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
