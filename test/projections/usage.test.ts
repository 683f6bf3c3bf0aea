import { expect } from 'chai';
import { createTenant } from '../../src/commands/create-tenant.ts';
import { Environment, PluginId, type SlotKey, TenantId } from '../../src/domain/ids.ts';
import { quotaEvents } from '../../src/domain/quota.ts';
import { reservationEvents } from '../../src/domain/reservation.ts';
import { NewTenant, tenantEvents } from '../../src/domain/tenant.ts';
import { quotaKeeper } from '../../src/processes/quota-keeper.ts';
import { getTenant, listTenants, tenantsProjection } from '../../src/projections/tenants.ts';
import { usageOfTenants, usageProjection } from '../../src/projections/usage.ts';
import { readableSeals } from '../commands/support.ts';
import { claimRollback, dep, openFacts, slotSchemas, type Facts } from './slot-facts.ts';

const [one, two] = [dep('one'), dep('two')];
const acme = TenantId.parse('tenant-acme');
const platform = { kind: 'platform' } as const;

describe('usage', () => {
  let facts: Facts;
  beforeEach(async () => (facts = await openFacts([usageProjection], [...slotSchemas, quotaEvents])));
  afterEach(() => facts.world.close());

  /** Lets the reservations follow the slot. */
  async function keep(key: SlotKey): Promise<void> {
    const { world } = facts;
    const keeper = quotaKeeper({ ...world, questions: { slots: async () => [key] } });
    await keeper.handle(key, { event: null, correlationId: 'test', command: () => world.context() });
  }

  /** Plugins, instances, processors and gigabytes. */
  async function used(tenant = acme) {
    await facts.world.caughtUp();
    const { pluginCount, resourceUsage } = (await usageOfTenants(facts.world.models, platform, [tenant]))(
      tenant,
    );
    const { currentInstances, currentCpu, currentMemoryGB } = resourceUsage;
    return [pluginCount, currentInstances, currentCpu, currentMemoryGB];
  }

  it('is nothing before the first deployment', async () => {
    expect(await used()).to.deep.equal([0, 0, 0, 0]);
  });

  it('is the peak of every rollout: what is new beside what it replaces', async () => {
    const key = await facts.deploy(one, { reserves: { cpu: 0.1, memoryMB: 512 } }, { totalInstances: 3 });
    await keep(key);
    expect(await used()).to.deep.equal([0, 3, 0.3, 1.5]);
    await facts.turn(key, one, 'Completed', one);
    await keep(key);
    expect(await used()).to.deep.equal([1, 3, 0.3, 1.5]);
    await facts.deploy(two, { reserves: { cpu: 0.7, memoryMB: 1024 } }, { totalInstances: 1 });
    await keep(key);
    expect(await used()).to.deep.equal([1, 4, 1, 2.5]);
    await facts.turn(key, two, 'Completed', two);
    await keep(key);
    expect(await used()).to.deep.equal([1, 1, 0.7, 1]);
    await facts.slot(key, claimRollback(two, one));
    await keep(key);
    expect(await used(), 'the old one starts beside it').to.deep.equal([1, 4, 1, 2.5]);
    await facts.turn(key, two, 'RolledBack', one);
    await keep(key);
    expect(await used()).to.deep.equal([1, 3, 0.3, 1.5]);
    await facts.turn(key, one, 'Undeployed', null);
    await keep(key);
    expect(await used()).to.deep.equal([0, 0, 0, 0]);
  });

  it('counts a plugin once, in however many environments it is current', async () => {
    const staging = Environment.parse('Staging');
    const keys = [
      await facts.deploy(one),
      await facts.deploy(two, { environment: staging }),
      await facts.deploy(dep('three'), { plugin: PluginId.parse('mail') }),
    ] as const;
    await facts.turn(keys[0], one, 'Completed', one);
    await facts.turn(keys[1], two, 'Completed', two);
    expect((await used())[0]).to.equal(1);
    await facts.turn(keys[2], dep('three'), 'Completed', dep('three'));
    expect((await used())[0]).to.equal(2);
    await facts.turn(keys[0], one, 'Undeployed', null);
    expect((await used())[0]).to.equal(2);
    await facts.turn(keys[1], two, 'Undeployed', null);
    expect((await used())[0]).to.equal(1);
    expect(await used(TenantId.parse('other'))).to.deep.equal([0, 0, 0, 0]);
  });

  it('is part of a tenant for whoever may see the tenant', async () => {
    await facts.world.close();
    facts = await openFacts(
      [usageProjection, tenantsProjection],
      [...slotSchemas, quotaEvents, tenantEvents, reservationEvents],
    );
    const { world } = facts;
    const vault = readableSeals();
    const sent = NewTenant.parse({ tenantId: acme, name: 'Acme' });
    await createTenant({ executor: world.executor, vault, clock: world.clock }, world.context(), sent);
    const key = await facts.deploy(one, { reserves: { cpu: 0.5, memoryMB: 256 } });
    await facts.turn(key, one, 'Completed', one);
    await keep(key);
    await world.caughtUp();
    const own = { kind: 'tenant', tenant: acme } as const;
    const expected = {
      pluginCount: 1,
      resourceUsage: { currentCpu: 5, currentMemoryGB: 2.5, currentInstances: 10 },
    };
    expect(await getTenant({ models: world.models, vault }, own, acme)).to.deep.include(expected);
    const { tenants } = await listTenants(world.models, platform, { limit: 20, offset: 0 });
    expect(tenants[0]).to.deep.include(expected);
  });
});
