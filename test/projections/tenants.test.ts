import { expect } from 'chai';
import { createTenant } from '../../src/commands/create-tenant.ts';
import { TenantId } from '../../src/domain/ids.ts';
import { reservationEvents } from '../../src/domain/reservation.ts';
import { NewTenant, tenantEvents } from '../../src/domain/tenant.ts';
import {
  getTenant,
  listTenants,
  tenantsProjection,
  type TenantQuery,
} from '../../src/projections/tenants.ts';
import { usageProjection } from '../../src/projections/usage.ts';
import { fixture } from '../commands/support.ts';
import { openWorld, type World } from './support.ts';

const platform = { kind: 'platform' } as const;

describe('tenants', () => {
  let world: World;
  const { vault } = fixture();
  beforeEach(
    async () =>
      (world = await openWorld([tenantEvents, reservationEvents], [tenantsProjection, usageProjection])),
  );
  afterEach(() => world.close());

  async function create(tenantId: string, more: object = {}): Promise<void> {
    const { executor, clock } = world;
    await clock.advance(1_000);
    const sent = NewTenant.parse({ tenantId, name: tenantId, ...more });
    await createTenant({ executor, vault, clock }, world.context(), sent);
    await world.caughtUp();
  }
  async function list(query: Partial<TenantQuery> = {}): Promise<readonly [number, ...string[]]> {
    const page = await listTenants(world.models, platform, { limit: 20, offset: 0, ...query });
    return [page.total, ...page.tenants.map(({ tenantId }) => tenantId)];
  }

  it('hold all that was said of them, the address in the clear', async () => {
    await create('acme', { contactEmail: 'admin@acme.com', quotas: { maxCpu: 8 } });
    expect(
      await getTenant({ models: world.models, vault }, platform, TenantId.parse('acme')),
    ).to.deep.include({
      tenantId: 'acme',
      namespace: 'acme',
      status: 'Active',
      subscriptionTier: 'Standard',
      contactEmail: 'admin@acme.com',
      quotas: { maxPlugins: null, maxCpu: 8, maxMemoryGB: null, maxStorageGB: null },
      resourceUsage: { currentCpu: 0, currentMemoryGB: 0, currentInstances: 0 },
      pluginCount: 0,
      createdAt: '2030-01-01T00:00:01.000Z',
      updatedAt: '2030-01-01T00:00:01.000Z',
    });
  });

  it('are seen by themselves and by the platform alone', async () => {
    await create('acme');
    const seen = (tenant: string) =>
      getTenant({ models: world.models, vault }, { kind: 'tenant', tenant }, TenantId.parse('acme'));
    expect(await seen('acme')).not.to.equal(null);
    expect(await seen('other')).to.equal(null);
  });

  it('are listed newest first, by page, status and tier', async () => {
    await create('a');
    await create('b', { subscriptionTier: 'Enterprise' });
    await create('c', { subscriptionTier: 'Enterprise' });
    expect(await list()).to.deep.equal([3, 'c', 'b', 'a']);
    expect(await list({ limit: 1, offset: 2 })).to.deep.equal([3, 'a']);
    expect(await list({ tier: 'Enterprise', status: 'Active' })).to.deep.equal([2, 'c', 'b']);
    expect(await list({ status: 'Suspended' })).to.deep.equal([0]);
  });
});
