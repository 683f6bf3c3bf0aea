import { expect } from 'chai';
import * as answers from '../../../src/api/plugin-manager/plugin-schemas.ts';
import * as tenantAnswers from '../../../src/api/plugin-manager/tenant-schemas.ts';
import { createTenant } from '../../../src/commands/create-tenant.ts';
import { registerPlugin } from '../../../src/commands/register-plugin.ts';
import { pluginEvents } from '../../../src/domain/plugin.ts';
import { reservationEvents } from '../../../src/domain/reservation.ts';
import { slotEvents } from '../../../src/domain/slot.ts';
import { tenantEvents } from '../../../src/domain/tenant.ts';
import { listPlugins } from '../../../src/projections/plugin-lists.ts';
import { getPlugin, getPluginVersion, pluginsProjection } from '../../../src/projections/plugins.ts';
import { getTenant, listTenants, tenantsProjection } from '../../../src/projections/tenants.ts';
import { usageProjection } from '../../../src/projections/usage.ts';
import { readableSeals } from '../../commands/support.ts';
import { createAcme, registerStripe, responses } from '../../fixtures/plugin-manager.ts';
import { openWorld, type World } from '../../projections/support.ts';
import { developer } from '../../support/plugin-facts.ts';
import { expectShape } from '../../support/shape.ts';

const platform = { kind: 'platform' } as const;
const page = { limit: 20, offset: 0 };

describe('Answers of the Plugin Manager API', () => {
  const vault = readableSeals();
  let world: World;
  before(async () => {
    const events = [pluginEvents, tenantEvents, reservationEvents, slotEvents];
    world = await openWorld(events, [pluginsProjection, tenantsProjection, usageProjection]);
  });
  after(() => world.close());

  it('have every documented field of a plugin, and are what their schemas say', async () => {
    const body = answers.RegisterPluginBody.parse(registerStripe);
    const { pluginId } = body;
    const context = { ...world.context(), publisher: developer };
    const answer = await registerPlugin({ ...world, vault }, context, body);
    const { position: _position, isNew: _isNew, ...registered } = answer;
    expectShape(answers.RegisteredPluginAnswer.strict().parse(registered), responses.registered);
    await world.caughtUp();

    const { models } = world;
    const list = answers.pluginListAnswer(await listPlugins(models, platform, page));
    expectShape(answers.PluginListAnswer.strict().parse(list), responses.plugins, {
      nullable: ['averageRating'],
    });
    const details = answers.pluginDetailsAnswer((await getPlugin({ models, vault }, platform, pluginId))!);
    expectShape(answers.PluginDetailsAnswer.strict().parse(details), responses.plugin, {
      nullable: ['averageRating'],
    });
    expect(details.repositoryUrl).to.equal(registerStripe.repositoryUrl);
    const version = answers.pluginVersionAnswer(
      (await getPluginVersion(models, platform, pluginId, '2.0.0'))!,
    );
    expectShape(answers.PluginVersionAnswer.strict().parse(version), responses.version);
    expect(version.configurationSchema).to.equal(registerStripe.version.configurationSchema);
    expect(version.dependencies).to.deep.equal(registerStripe.version.dependencies);
  });

  it('have every documented field of a tenant, and are what their schemas say', async () => {
    const body = tenantAnswers.CreateTenantBody.parse(createAcme);
    const { position: _position, ...created } = await createTenant(
      { ...world, vault },
      world.context(),
      body,
    );
    expectShape(tenantAnswers.CreatedTenantAnswer.strict().parse(created), responses.tenantCreated);
    await world.caughtUp();

    const { models } = world;
    const list = tenantAnswers.tenantListAnswer(await listTenants(models, platform, page), page);
    expectShape(tenantAnswers.TenantListAnswer.strict().parse(list), responses.tenants);
    const details = tenantAnswers.tenantDetailsAnswer(
      (await getTenant({ models, vault }, platform, body.tenantId))!,
    );
    expectShape(tenantAnswers.TenantDetailsAnswer.strict().parse(details), responses.tenant);
    const { quotas, rateLimits, allowedCategories, contactEmail } = createAcme;
    expect(details).to.deep.include({ quotas, rateLimits, allowedCategories, contactEmail });
  });
});
