import { expect } from 'chai';
import { createTenant } from '../../src/commands/create-tenant.ts';
import { NewTenant } from '../../src/domain/tenant.ts';
import { fixture, refusalOf, someContext, type Fixture } from './support.ts';

describe('createTenant', () => {
  let world: Fixture;
  beforeEach(() => (world = fixture()));

  const create = (more: object = {}, context = someContext()) =>
    createTenant(world, context, NewTenant.parse({ tenantId: 'acme', name: 'Acme', ...more }));

  it('answers with what it created, in a namespace of its own', async () => {
    const { position, ...answer } = await create({ namespace: 'acme-prod' });
    expect(answer).to.deep.equal({
      tenantId: 'acme',
      name: 'Acme',
      namespace: 'acme-prod',
      status: 'Active',
      createdAt: '2026-01-01T00:00:00.000Z',
    });
    expect(position).to.be.a('string');
    expect(await world.types('namespace-acme-prod')).to.deep.equal(['NameReserved']);
    expect((await world.events('tenant-acme'))[0]!.metadata.tenant).to.equal('acme');
  });

  it('seals the address of the contact', async () => {
    await create({ contactEmail: 'admin@acme.com' });
    expect(JSON.stringify(await world.events('tenant-acme'))).to.contain(
      '"contactEmail":"sealed:v1:1:tenant:acme|admin@acme.com"',
    );
  });

  it('answers a repetition alike', async () => {
    const context = someContext();
    const again = { ...context, mayRepeat: true };
    expect(await create({}, context)).to.deep.equal(await create({}, again));
    expect(await world.types('tenant-acme')).to.have.length(1);
  });

  it('refuses a known tenant without claiming another namespace for it', async () => {
    await create();
    const { refused, details } = await refusalOf(create({ namespace: 'second' }));
    expect([refused, details[0]?.field]).to.deep.equal(['Conflict', 'tenantId']);
    expect(await world.types('namespace-second')).to.deep.equal([]);
    await refusalOf(create({ tenantId: 'platform' }));
    expect(await world.types('namespace-platform')).to.deep.equal([]);
  });

  it('refuses a namespace that is taken', async () => {
    await create({ namespace: 'shared' });
    const { refused, details } = await refusalOf(create({ tenantId: 'other', namespace: 'shared' }));
    expect([refused, details[0]?.field]).to.deep.equal(['Conflict', 'namespace']);
    expect(await world.types('tenant-other')).to.deep.equal([]);
  });

  it('completes what a crash left at the claim', async () => {
    world.before('tenant-acme', () => Promise.reject(new Error('crash')));
    await create().catch(() => null);
    expect(await world.types('namespace-acme')).to.deep.equal(['NameReserved']);
    expect((await create()).namespace).to.equal('acme');
  });

  it('gives the namespace back when another created the tenant meanwhile', async () => {
    world.before('tenant-acme', () => create({ namespace: 'first' }));
    await refusalOf(create({ namespace: 'second' }));
    expect(await world.types('namespace-second')).to.deep.equal(['NameReserved', 'NameReleased']);
    expect(await world.types('namespace-first')).to.deep.equal(['NameReserved']);
  });
});
