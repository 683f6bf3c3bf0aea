import { expect } from 'chai';
import { tenantRoutes } from '../../../src/api/plugin-manager/tenants.ts';
import { reservationEvents } from '../../../src/domain/reservation.ts';
import { slotEvents } from '../../../src/domain/slot.ts';
import { tenantEvents } from '../../../src/domain/tenant.ts';
import { tenantsProjection } from '../../../src/projections/tenants.ts';
import { usageProjection } from '../../../src/projections/usage.ts';
import { readableSeals } from '../../commands/support.ts';
import { createAcme, responses } from '../../fixtures/plugin-manager.ts';
import { openWorld, type World } from '../../projections/support.ts';
import { expectShape } from '../../support/shape.ts';
import { refusalIn, withFace, type Ask } from './face.ts';

describe('Tenants API', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld(
      [tenantEvents, reservationEvents, slotEvents],
      [tenantsProjection, usageProjection],
    );
  });
  afterEach(() => world.close());

  const served = (use: (ask: Ask) => Promise<void>) =>
    withFace(world, tenantRoutes({ ...world, vault: readableSeals() }), use);

  it('creates a tenant, and shows it to the platform and to itself', () =>
    served(async (ask) => {
      const created = await ask('admin', 'POST', '/tenants', createAcme);
      expect(created.status).to.equal(201);
      expectShape(created.body, responses.tenantCreated);
      const list = await ask('admin', 'GET', '/tenants?status=Active&tier=Enterprise');
      expect(list.status).to.equal(200);
      expectShape(list.body, responses.tenants);
      expect(list.body).to.include({ total: 1, limit: 20, offset: 0 });
      for (const who of ['admin', 'acme'] as const) {
        const shown = await ask(who, 'GET', '/tenants/tenant-acme-corp');
        expect(shown.status).to.equal(200);
        expectShape(shown.body, responses.tenant);
        expect(shown.body).to.include({ contactEmail: createAcme.contactEmail });
      }
      expect((await ask('admin', 'POST', '/tenants', createAcme)).status).to.equal(409);
    }));

  it('answers a TenantAdmin the same for every other tenant, real or not', () =>
    served(async (ask) => {
      await ask('admin', 'POST', '/tenants', createAcme);
      const refusals = await Promise.all(
        ['tenant-acme-corp', 'tenant-unknown', 'platform', 'No%20Id'].map(async (name) =>
          refusalIn(await ask('globex', 'GET', `/tenants/${name}`)),
        ),
      );
      for (const refusal of refusals) expect(refusal).to.deep.equal(refusals[0]);
      expect(refusals[0]).to.include({ status: 403, code: 'FORBIDDEN' });
    }));

  it('does not find what is no tenant', () =>
    served(async (ask) => {
      for (const name of ['tenant-unknown', 'No%20Id', 'platform'])
        expect((await ask('admin', 'GET', `/tenants/${name}`)).status, name).to.equal(404);
      expect((await ask('globex', 'GET', '/tenants/tenant-globex')).status).to.equal(404);
    }));

  it('says of the platform what it is, instead of denying where its own staff belongs', () =>
    served(async (ask) => {
      const shown = refusalIn(await ask('admin', 'GET', '/tenants/platform'));
      expect(shown).to.include({ status: 404, code: 'NOT_FOUND' });
      expect(shown.message).to.match(/^platform is where .* staff belongs; .* tenantId=platform$/);
      const changed = refusalIn(await ask('admin', 'PATCH', '/tenants/platform', { status: 'Suspended' }));
      expect(changed).to.deep.equal(shown);
      const made = refusalIn(await ask('admin', 'POST', '/tenants', { ...createAcme, tenantId: 'platform' }));
      expect(made).to.include({
        status: 409,
        message: "platform belongs to the platform's own staff already",
      });
    }));

  it('is closed to other roles', () =>
    served(async (ask) => {
      for (const who of ['acme', 'developer', 'viewer'] as const) {
        expect((await ask(who, 'POST', '/tenants', createAcme)).status, who).to.equal(403);
        expect((await ask(who, 'GET', '/tenants')).status, who).to.equal(403);
      }
      for (const who of ['developer', 'viewer'] as const)
        expect((await ask(who, 'GET', '/tenants/tenant-acme-corp')).status, who).to.equal(403);
      expect((await ask(null, 'GET', '/tenants')).status).to.equal(401);
    }));
});
