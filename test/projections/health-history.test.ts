/** What people are shown of a deployment's health, at a moment and over a while. */
import { expect } from 'chai';
import { slotsToSummarise } from '../../src/domain/health/record.ts';
import {
  healthSummary,
  healthSummaryEvents,
  summarise,
  type HealthSummarised,
  type HealthSummaryEvent,
} from '../../src/domain/health/summary.ts';
import type { DeploymentId } from '../../src/domain/ids.ts';
import type { Decision } from '../../src/domain/refusal.ts';
import { getHealth, getHealthHistory } from '../../src/projections/deployment-health-views.ts';
import { dueSummaries, getKnownHealth } from '../../src/projections/deployment-health.ts';
import { getDeployment } from '../../src/projections/deployment-views.ts';
import { deploymentsProjection } from '../../src/projections/deployments.ts';
import { request, stageStarted } from '../domain/deployment/samples.ts';
import { dep, openFacts, slotSchemas, type Facts } from './slot-facts.ts';

const one = dep('one');
const epoch = 2 ** 20 + 1;
const { tenant } = request();
const platform = { kind: 'platform' } as const;
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

describe('the health of a deployment', () => {
  let facts: Facts;
  beforeEach(async () => {
    facts = await openFacts([deploymentsProjection], [...slotSchemas, healthSummaryEvents]);
    await facts.deploy(one, {}, { healthCheck: { failureThreshold: 2 } });
    await facts.deployment(one, stageStarted(1, 3, 1));
  });
  afterEach(() => facts.world.close());

  const now = () => facts.world.clock.now();
  const pass = (ms: number) => facts.world.clock.advance(ms);
  const report = (i: number, sequence: number, more: object = {}) => ({
    ...{ instance: `i${i}`, sequence, latencyMs: 10 * i },
    ...more,
  });
  async function health(scope: Parameters<typeof getHealth>[1] = platform) {
    await facts.world.caughtUp();
    return getHealth(facts.world.models, scope, one, now());
  }
  /** Healthy, unhealthy, starting, unknown. */
  async function state() {
    const seen = (await health())!;
    const { healthyInstances, unhealthyInstances, startingInstances, unknownInstances } = seen;
    return [seen.status, healthyInstances, unhealthyInstances, startingInstances, unknownInstances];
  }
  async function history(windowMs = day) {
    await facts.world.caughtUp();
    return (await getHealthHistory(facts.world.models, platform, one, windowMs, now()))!.points;
  }

  it('is unknown before the first report', async () => {
    expect(await state()).to.deep.equal(['Unknown', 0, 0, 0, 3]);
    expect(await health()).to.deep.include({
      ...{ deploymentId: one, runtime: 'simulated', totalInstances: 10, expectedInstances: 3 },
      lastHealthCheck: null,
    });
    expect((await health())?.metrics).to.include({ avgResponseTime: null, errorRate: null, cpuUsage: null });
    expect(await history()).to.deep.equal([]);
  });

  it('is Healthy with all that are to run, Degraded with some, Unhealthy with none', async () => {
    await facts.reports(one, epoch, report(1, 0), report(2, 0));
    expect(await state()).to.deep.equal(['Degraded', 2, 0, 0, 1]);
    await facts.reports(one, epoch, report(3, 0, { outcome: 'fail' }));
    expect(await state()).to.deep.equal(['Degraded', 2, 0, 1, 0]);
    await facts.reports(one, epoch, report(3, 1));
    expect(await state()).to.deep.equal(['Healthy', 3, 0, 0, 0]);
    const sick = { outcome: 'fail' } as const;
    const failing = [1, 2, 3].flatMap((i) => [report(i, 7, sick), report(i, 8, sick)]);
    await facts.reports(one, epoch, ...failing.slice(0, 2));
    expect(await state()).to.deep.equal(['Degraded', 2, 1, 0, 0]);
    await facts.reports(one, epoch, ...failing);
    expect(await state()).to.deep.equal(['Unhealthy', 0, 3, 0, 0]);
  });

  it('becomes unknown by time alone, instance by instance, in all that is shown', async () => {
    await facts.reports(one, epoch, report(1, 0), report(2, 0), report(3, 0));
    await pass(20_000);
    await facts.reports(one, epoch, report(1, 1));
    const last = now();
    await pass(9_999);
    expect(await state()).to.deep.equal(['Healthy', 3, 0, 0, 0]);
    await pass(2);
    expect(await state()).to.deep.equal(['Degraded', 1, 0, 0, 2]);
    await pass(21_000);
    expect(await state()).to.deep.equal(['Unknown', 0, 0, 0, 3]);
    const seen = (await health())!;
    expect(seen.lastHealthCheck).to.equal(new Date(last).toISOString());
    expect(seen.metrics).to.include({ avgResponseTime: null, errorRate: null });
    const view = await getDeployment(facts.world.models, platform, one, now());
    expect(view).to.include({ healthyInstances: 0, unhealthyInstances: 0, progress: 0 });
    await facts.reports(one, epoch, report(1, 2), report(2, 1), report(3, 1));
    expect(await state()).to.deep.equal(['Healthy', 3, 0, 0, 0]);
  });

  it('is not kept fresh by who cannot ask', async () => {
    await facts.reports(one, epoch, report(1, 0), report(2, 0), report(3, 0));
    for (let sequence = 1; sequence <= 4; sequence += 1) {
      await pass(9_000);
      await facts.reports(one, epoch, ...[1, 2, 3].map((i) => report(i, sequence, { outcome: 'error' })));
    }
    expect((await state())[0]).to.equal('Unknown');
  });

  it('has the averages of the last five minutes', async () => {
    await facts.reports(one, epoch, report(1, 0, { latencyMs: 900 }));
    await pass(6 * minute);
    await facts.reports(one, epoch, report(1, 1), report(2, 1), report(3, 1));
    await facts.reports(one, epoch, report(1, 2, { outcome: 'fail', latencyMs: 60 }));
    expect((await health())?.metrics).to.deep.equal({
      ...{ avgResponseTime: 30, avgResponseTimeOf: 'probes', errorRate: 0.25, errorRateOf: 'probes' },
      ...{ cpuUsage: null, memoryUsage: null, requestsPerSecond: null },
    });
  });

  it('counts requests a second over all instances, from one report of each to the next', async () => {
    const told = (i: number, sequence: number, requests: number) =>
      report(i, sequence, {
        metrics: { requests, errors: 1, responseTime: 50, cpuUsage: 10 * i, memoryUsage: 20 },
      });
    await facts.reports(one, epoch, told(1, 0, 5_000), told(2, 0, 5_000));
    expect((await health())?.metrics.requestsPerSecond).to.equal(null);
    await pass(9_000);
    await facts.reports(one, epoch, told(1, 1, 1_000), told(2, 1, 500), told(1, 2, 200));
    expect((await health())?.metrics).to.deep.equal({
      ...{ avgResponseTime: 50, avgResponseTimeOf: 'requests' },
      ...{ errorRate: 0.000427, errorRateOf: 'requests' },
      ...{ cpuUsage: 14, memoryUsage: 20, requestsPerSecond: 170 },
    });
  });

  it('is no concern of other tenants', async () => {
    await facts.reports(one, epoch, report(1, 0));
    const other = { kind: 'tenant', tenant: 'tenant-globex' } as const;
    expect(await health(other)).to.equal(null);
    expect(await getHealthHistory(facts.world.models, other, one, day, now())).to.equal(null);
    expect(await health({ kind: 'tenant', tenant: 'tenant-acme' })).not.to.equal(null);
  });

  it('is unknown once it has no place in its slot any more', async () => {
    await facts.reports(one, epoch, report(1, 0), report(2, 0), report(3, 0));
    await facts.deployment(one, { type: 'DeploymentFailed', data: { reason: 'it died' } });
    expect(await state()).to.deep.equal(['Unknown', 0, 0, 0, 0]);
  });

  describe('over a while', () => {
    /** A report of each instance every ten seconds. */
    async function live(minutes: number, from = 0) {
      for (let i = 0; i < minutes * 6; i += 1) {
        await pass(9_000);
        await facts.reports(one, epoch, ...[1, 2, 3].map((name) => report(name, from + i)));
      }
    }
    const ends = async (windowMs?: number) =>
      (await history(windowMs)).map(({ until }) => new Date(until).toISOString().slice(11, 19));
    const record = (
      id: DeploymentId,
      decide: (state: { readonly through: number }) => Decision<HealthSummaryEvent>,
    ) =>
      facts.world.executor.execute({
        ...{ aggregate: healthSummary, id, tenant, context: facts.world.context(), decide },
      });
    const summaryAt = (more: Partial<HealthSummarised>) => {
      const at = (ms: number) => new Date(ms).toISOString();
      const data: HealthSummarised = {
        ...{ deploymentId: one, tenant, measured: { failed: { count: 90, sum: 9 } } },
        ...{ from: at(now() - (now() % (5 * minute))), until: at(now()), lastReportAt: at(now()) },
        ...{ after: -1, through: 0, healthyInstances: 3, unhealthyInstances: 0, leastHealthyInstances: 2 },
        ...more,
      };
      return record(data.deploymentId, () => [{ type: 'HealthSummarised', data }] as const);
    };

    it('shows minutes of a deployment that has just begun', async () => {
      await live(2);
      const points = await history();
      expect(points).to.have.length(3);
      expect(points.at(-1)).to.include({ healthy: 3, unhealthy: 0, silent: false, until: now() });
      expect(points[0]?.tally.failed).to.deep.equal({ count: 15, sum: 0 });
    });

    it('waits for a summary, and shows the same with it as without', async () => {
      await live(6);
      const before = await history();
      const due = await dueSummaries(facts.world.models, now(), 10);
      expect(due).to.deep.equal([one]);
      const known = (await getKnownHealth(facts.world.models, platform, one))!;
      expect(known.tenant).to.equal(tenant);
      const slots = slotsToSummarise(known.record, now());
      expect(slots).to.have.length(1);
      await record(one, (state) => summarise(state, slots, { deploymentId: one, tenant }));
      const after = await history();
      const probes = (points: typeof after) =>
        points.reduce((sum, { tally }) => sum + (tally.failed?.count ?? 0), 0);
      expect(probes(after)).to.equal(probes(before));
      expect(await ends()).to.deep.equal(['00:05:00', ...(await ends(minute))]);
      expect(await dueSummaries(facts.world.models, now(), 10)).to.deep.equal([]);
    });

    it('shows what summaries said, also when the reports they were made of are gone', async () => {
      await summaryAt({ through: 40 });
      await pass(12 * hour);
      await summaryAt({ after: 40, through: 80, healthyInstances: 1, unhealthyInstances: 2 });
      expect((await history(minute)).at(-1)).to.include({ healthy: 1, unhealthy: 2, leastHealthy: 2 });
      const points = await history();
      expect(points.filter(({ silent }) => !silent)).to.have.length(2);
      expect(points.filter(({ silent }) => silent)).to.have.length(12 * 12 - 1);
      expect((await getKnownHealth(facts.world.models, platform, one))?.record.summarisedThrough).to.equal(
        80,
      );
    });

    it('forgets what is older than 90 days, of whichever deployment', async () => {
      const two = dep('two');
      await facts.deploy(two);
      await summaryAt({ through: 40, healthyInstances: 0 });
      await summaryAt({ deploymentId: two, through: 40 });
      const blocks = async () => {
        await facts.world.caughtUp();
        return facts.world.models.count('health_blocks', { scope: platform });
      };
      await pass(90 * day);
      await summaryAt({ after: 40, through: 41 });
      expect(await blocks()).to.equal(3);
      expect(await history(90 * day)).to.have.length(1);
      await pass(6 * hour);
      await summaryAt({ after: 41, through: 42 });
      expect(await blocks()).to.equal(2);
    });
  });
});
