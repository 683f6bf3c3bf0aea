import { expect } from 'chai';
import { pluginRoutes } from '../../../src/api/plugin-manager/plugins.ts';
import { pluginEvents } from '../../../src/domain/plugin.ts';
import { reservationEvents } from '../../../src/domain/reservation.ts';
import { slotEvents } from '../../../src/domain/slot.ts';
import { pluginsProjection } from '../../../src/projections/plugins.ts';
import { readableSeals } from '../../commands/support.ts';
import { registerStripe, responses } from '../../fixtures/plugin-manager.ts';
import { openWorld, type World } from '../../projections/support.ts';
import { expectShape } from '../../support/shape.ts';
import { refusalIn, withFace, type Ask } from './face.ts';

describe('Plugins API', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld([pluginEvents, reservationEvents, slotEvents], [pluginsProjection]);
  });
  afterEach(() => world.close());

  const served = (use: (ask: Ask) => Promise<void>) =>
    withFace(world, pluginRoutes({ ...world, vault: readableSeals() }), use);
  const nullable = { nullable: ['averageRating'] };

  it('registers a plugin, and shows it to everybody', () =>
    served(async (ask) => {
      const registered = await ask('developer', 'POST', '/plugins', registerStripe);
      expect(registered.status).to.equal(201);
      expect(registered.headers.get('X-Position')).to.be.a('string');
      expectShape(registered.body, responses.registered);
      const list = await ask('viewer', 'GET', '/plugins?category=PaymentGateway&status=Registered');
      expect(list.status).to.equal(200);
      expectShape(list.body, responses.plugins, nullable);
      expect(list.body).to.include({ total: 1, limit: 20, offset: 0 });
      const shown = await ask('globex', 'GET', '/plugins/payment-stripe');
      expect(shown.status).to.equal(200);
      expectShape(shown.body, responses.plugin, nullable);
      const version = await ask('viewer', 'GET', '/plugins/payment-stripe/versions/2.0.0');
      expect(version.status).to.equal(200);
      expectShape(version.body, responses.version);
    }));

  it('lets only developers and the platform register, and only its owner add versions', () =>
    served(async (ask) => {
      for (const who of ['acme', 'viewer'] as const)
        expect((await ask(who, 'POST', '/plugins', registerStripe)).status, who).to.equal(403);
      expect((await ask(null, 'POST', '/plugins', registerStripe)).status).to.equal(401);
      await ask('developer', 'POST', '/plugins', registerStripe);
      const next = { ...registerStripe, version: { ...registerStripe.version, semanticVersion: '2.1.0' } };
      expect((await ask('otherDeveloper', 'POST', '/plugins', next)).status).to.equal(403);
      expect((await ask('admin', 'POST', '/plugins', next)).status).to.equal(201);
      expect((await ask('developer', 'POST', '/plugins', next)).status).to.equal(409);
    }));

  it('refuses a slug that is none in a body, and does not find it in a path', () =>
    served(async (ask) => {
      const refused = refusalIn(
        await ask('developer', 'POST', '/plugins', { ...registerStripe, pluginId: 'No Slug' }),
      );
      expect(refused).to.include({ status: 400, code: 'VALIDATION_ERROR' });
      expect(refused.details[0]?.field).to.equal('pluginId');
      await ask('developer', 'POST', '/plugins', registerStripe);
      for (const path of [
        ...['/plugins/unknown', '/plugins/No%20Slug', '/plugins/install', `/plugins/${'a'.repeat(200)}`],
        ...['/plugins/payment-stripe/versions/9.9.9', '/plugins/payment-stripe/versions/latest'],
        ...['/plugins/No%20Slug/versions/2.0.0', '/plugins/unknown/versions/2.0.0'],
      ])
        expect(refusalIn(await ask('viewer', 'GET', path)), path).to.include({
          status: 404,
          code: 'NOT_FOUND',
        });
    }));
});
