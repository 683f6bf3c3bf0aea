import { expect } from 'chai';
import type { DeploymentEvent } from '../../src/domain/deployment/events.ts';
import { Environment, PluginId, TenantId } from '../../src/domain/ids.ts';
import {
  getDeployment,
  listDeployments,
  type DeploymentQuery,
} from '../../src/projections/deployment-views.ts';
import { deploymentsProjection, dueSlots, inFlightDeployments } from '../../src/projections/deployments.ts';
import { stageReached, stageStarted, user } from '../domain/deployment/samples.ts';
import { claimRollback, dep, openFacts, type Facts } from './slot-facts.ts';

const platform = { kind: 'platform' } as const;
const [one, two] = [dep('one'), dep('two')];
const epoch = (fence: number): number => fence * 2 ** 20;
const completed: DeploymentEvent = { type: 'DeploymentCompleted', data: {} };
const goesBack = (more: object = {}): DeploymentEvent => ({
  type: 'RollbackStarted',
  data: {
    ...{ cause: 'user', reason: 'It is slow', evidence: [], to: one, outcome: 'RolledBack', by: user },
    ...{ wasCompleted: false, fence: 9, dueAt: '2030-01-01T01:00:00.000Z', ...more },
  },
});

describe('deployments', () => {
  let facts: Facts;
  beforeEach(async () => (facts = await openFacts([deploymentsProjection])));
  afterEach(() => facts.world.close());

  async function view(id = one) {
    await facts.world.caughtUp();
    return (await getDeployment(facts.world.models, platform, id, facts.world.clock.now()))!;
  }
  async function counts(id = one): Promise<readonly number[]> {
    const { healthyInstances, unhealthyInstances } = await view(id);
    return [healthyInstances, unhealthyInstances];
  }
  async function list(query: Partial<DeploymentQuery> = {}, tenant?: string) {
    await facts.world.caughtUp();
    const scope = tenant === undefined ? platform : ({ kind: 'tenant', tenant } as const);
    const page = await listDeployments(facts.world.models, scope, { limit: 20, offset: 0, ...query }, 0);
    return [page.total, ...page.deployments.map(({ deploymentId }) => deploymentId)];
  }
  async function complete(id = one, previousDeploymentId: typeof one | null = null) {
    const key = await facts.deploy(id, { previousDeploymentId });
    await facts.deployment(id, stageStarted(0, 1, 1), { type: 'PromotionStarted', data: {} });
    await facts.turn(key, id, 'Completed', id);
    await facts.deployment(id, completed);
    return key;
  }

  it('show what was asked for, verbatim, and how far it is', async () => {
    await facts.deploy(one);
    expect(await view()).to.deep.include({
      deploymentId: one,
      pluginId: 'payment-stripe',
      pluginVersion: '2.0.0',
      tenantId: 'tenant-acme',
      environment: 'Production',
      strategy: 'Canary',
      status: 'Pending',
      phase: 'Pending',
      stage: 0,
      stages: 4,
      reason: null,
      progress: 0,
      totalInstances: 10,
      configuration: { apiKey: '${secret:stripe-api-key}' },
      deployedBy: 'usr_ada',
      runtime: 'simulated',
      startedAt: '2030-01-01T00:00:02.000Z',
      completedAt: null,
      rolledBackAt: null,
      dueAt: null,
      // Four stages of five minutes, and ten seconds each until their instances answer.
      estimatedCompletionAt: '2030-01-01T00:20:42.000Z',
    });
    await facts.deployment(one, stageStarted(0, 1, 1));
    await facts.reports(one, epoch(1) + 1, {});
    expect(await view()).to.include({ status: 'InProgress', stage: 1, progress: 10, healthyInstances: 1 });
    expect(await getDeployment(facts.world.models, platform, two, 0)).to.equal(null);
  });

  it('complete, and count nothing any more once another took their place', async () => {
    await complete();
    await facts.reports(one, epoch(2), {});
    const done = { status: 'Completed', progress: 100, healthyInstances: 1 };
    expect(await view()).to.include({ ...done, completedAt: '2030-01-01T00:00:05.000Z' });
    await complete(two, one);
    expect(await view()).to.include({ ...done, healthyInstances: 0 });
    await facts.reports(one, epoch(3), { sequence: 1 });
    expect(await counts(), 'a late report').to.deep.equal([0, 0]);
  });

  it('tell when a rollback was accepted, and what was rolled back has no instances', async () => {
    await complete();
    const key = await complete(two, one);
    await facts.reports(two, epoch(4), {});
    await facts.slot(key, claimRollback(two, one));
    const acceptedAt = new Date(facts.world.clock.now()).toISOString();
    await facts.deployment(two, goesBack({ wasCompleted: true }));
    await facts.reports(one, epoch(5) + 9, { instance: 'again' });
    expect(await view(two)).to.include({
      status: 'RollingBack',
      rolledBackAt: acceptedAt,
      reason: 'It is slow',
    });
    expect(await counts(one), 'started again beside it').to.deep.equal([1, 0]);
    await facts.reports(two, epoch(5) + 9, { sequence: 1 });
    expect(await counts(two)).to.deep.equal([1, 0]);
    await facts.turn(key, two, 'RolledBack', one);
    await facts.deployment(two, { type: 'DeploymentRolledBack', data: { to: one, reason: 'It is slow' } });
    expect(await view(two)).to.include({
      status: 'RolledBack',
      rolledBackAt: acceptedAt,
      healthyInstances: 0,
    });
    await facts.reports(one, epoch(6), { instance: 'again', sequence: 1 });
    expect(await counts(one)).to.deep.equal([1, 0]);
  });

  it('leave their instances as soon as they go back, and name no rollback when they were aborted', async () => {
    await facts.deploy(one);
    await facts.deployment(one, stageStarted(0, 1, 1));
    await facts.reports(one, epoch(1) + 1, {});
    await facts.deployment(one, goesBack({ outcome: 'Cancelled', cause: 'abort', to: null }));
    expect(await view()).to.include({ status: 'RollingBack', rolledBackAt: null, healthyInstances: 0 });
  });

  it('are listed newest first, by every filter, each for its tenant', async () => {
    await facts.deploy(one);
    await facts.deploy(two, { tenant: TenantId.parse('other'), plugin: PluginId.parse('mail') });
    const three = dep('three');
    await facts.deploy(three, { environment: Environment.parse('Staging') });
    await facts.deployment(three, stageStarted(0, 1, 1));
    expect(await list()).to.deep.equal([3, three, two, one]);
    expect(await list({ limit: 1, offset: 1 })).to.deep.equal([3, two]);
    expect(await list({ tenantId: 'other' })).to.deep.equal([1, two]);
    expect(await list({ pluginId: 'payment-stripe', status: 'Pending' })).to.deep.equal([1, one]);
    expect(await list({ environment: 'STAGING' })).to.deep.equal([1, three]);
    expect(await list({}, 'other')).to.deep.equal([1, two]);
    const seen = await getDeployment(facts.world.models, { kind: 'tenant', tenant: 'other' }, one, 0);
    expect(seen).to.equal(null);
  });

  it('are found by what still has to be done', async () => {
    await complete();
    const key = await facts.deploy(two, { environment: Environment.parse('Staging') });
    await facts.deployment(two, stageStarted(0, 1, 1), stageReached(0, 1, 10));
    const inFlight = async () => {
      await facts.world.caughtUp();
      return (await Array.fromAsync(inFlightDeployments(facts.world.models))).map(({ slot, ...rest }) => ({
        ...slot,
        id: rest.deploymentId,
      }));
    };
    const parts = { tenant: 'tenant-acme', environment: 'Staging', plugin: 'payment-stripe' };
    expect(await inFlight()).to.deep.equal([{ ...parts, id: two }]);
    const due = (await view(two)).dueAt!;
    const ask = async (ms: number, after: string | null = null) => {
      const found = await dueSlots(facts.world.models, { after, nowMs: Date.parse(due) + ms }, 10);
      return found.map(({ key }) => key);
    };
    expect([await ask(-1), await ask(0), await ask(0, due)]).to.deep.equal([[], [key], []]);

    await facts.deployment(two, { type: 'RolloutPaused', data: { cause: 'User', reason: 'wait', by: user } });
    expect((await view(two)).dueAt).to.equal(null);
    await facts.deployment(two, { type: 'DeploymentFailed', data: { reason: 'it died' } });
    expect(await inFlight()).to.deep.equal([]);
  });
});
