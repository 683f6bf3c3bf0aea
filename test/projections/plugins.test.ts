import { expect } from 'chai';
import { registerPlugin } from '../../src/commands/register-plugin.ts';
import { PluginId } from '../../src/domain/ids.ts';
import { plugin, pluginEvents } from '../../src/domain/plugin.ts';
import { changeVersionState } from '../../src/domain/plugin-changes.ts';
import { reservationEvents } from '../../src/domain/reservation.ts';
import { slotEvents } from '../../src/domain/slot.ts';
import type { VersionState } from '../../src/domain/version.ts';
import { listPlugins, type PluginQuery } from '../../src/projections/plugin-lists.ts';
import { getPlugin, getPluginVersion, pluginsProjection } from '../../src/projections/plugins.ts';
import { readableSeals } from '../commands/support.ts';
import { developer, registration } from '../support/plugin-facts.ts';
import { openWorld, type World } from './support.ts';

const anyTenant = { kind: 'tenant', tenant: 'someone-else' } as const;
const a = PluginId.parse('plugin-a');

describe('plugins', () => {
  let world: World;
  const vault = readableSeals();
  beforeEach(
    async () => (world = await openWorld([pluginEvents, reservationEvents, slotEvents], [pluginsProjection])),
  );
  afterEach(() => world.close());

  async function register(...sent: Parameters<typeof registration>): Promise<void> {
    await world.clock.advance(1_000);
    await registerPlugin(
      { ...world, vault },
      { ...world.context(), publisher: developer },
      registration(...sent),
    );
  }
  async function change(semanticVersion: string, state: VersionState): Promise<void> {
    const asked = { semanticVersion, state, publisher: developer, at: '2030-02-01T00:00:00.000Z' };
    const decide = (known: Parameters<typeof changeVersionState>[0]) => changeVersionState(known, asked);
    const context = world.context();
    await world.executor.execute({ aggregate: plugin, id: a, tenant: developer.tenant, context, decide });
  }
  async function list(query: Partial<PluginQuery> = {}): Promise<readonly [number, ...string[]]> {
    await world.caughtUp();
    const page = await listPlugins(world.models, anyTenant, { limit: 20, offset: 0, ...query });
    return [page.total, ...page.plugins.map(({ pluginId }) => pluginId)];
  }
  async function details() {
    await world.caughtUp();
    return (await getPlugin({ models: world.models, vault }, anyTenant, a))!;
  }

  it('hold all that was said of a plugin, its author in the clear, for every tenant', async () => {
    await register({
      author: { name: 'Ada' },
      tags: ['x'],
      packageName: '@acme/a',
      price: { model: 'free' },
    });
    expect(await details()).to.deep.include({
      pluginId: 'plugin-a',
      packageName: '@acme/a',
      ownerTenant: 'acme',
      author: { name: 'Ada' },
      tags: ['x'],
      price: { model: 'free', amount: 0, currency: 'USD' },
      status: 'Registered',
      latestVersion: '1.0.0',
      installationCount: 0,
      averageRating: null,
      createdAt: '2030-01-01T00:00:01.000Z',
      updatedAt: '2030-01-01T00:00:01.000Z',
    });
    const nobody = PluginId.parse('nobody');
    expect(await getPlugin({ models: world.models, vault }, anyTenant, nobody)).to.equal(null);
  });

  it('follow their versions', async () => {
    const capability = (name: string) => ({ capabilities: [{ capabilityId: 'I', name }] });
    await register(capability('old'));
    await register(capability('new'), { semanticVersion: '1.10.0', state: 'Stable' });
    await register({}, { semanticVersion: '1.9.0', state: 'Stable' });
    const three = await details();
    expect(three).to.include({
      status: 'Active',
      latestVersion: '1.10.0',
      updatedAt: '2030-01-01T00:00:03.000Z',
    });
    expect(three.capabilities.map(({ name }) => name)).to.deep.equal(['new']);
    expect(three.versions.map(({ semanticVersion }) => semanticVersion)).to.deep.equal([
      '1.10.0',
      '1.9.0',
      '1.0.0',
    ]);

    await change('1.10.0', 'Yanked');
    await change('1.9.0', 'Deprecated');
    expect(await details()).to.include({
      status: 'Active',
      latestVersion: '1.9.0',
      updatedAt: '2030-02-01T00:00:00.000Z',
    });
    await change('1.0.0', 'Deprecated');
    expect((await details()).status).to.equal('Deprecated');
  });

  it('have versions of which every field can be read', async () => {
    await register({}, { configurationSchema: { type: 'object' }, dependencies: [{ dependencyId: 'b' }] });
    await change('1.0.0', 'Stable');
    await world.caughtUp();
    const version = await getPluginVersion(world.models, anyTenant, a, '1.0.0');
    expect(version).to.deep.include({
      state: 'Stable',
      checksumVerified: false,
      configurationSchema: { type: 'object' },
      dependencies: [{ dependencyId: 'b', type: 'Plugin', versionConstraint: '*', required: true }],
      createdAt: '2030-01-01T00:00:01.000Z',
    });
    expect(await getPluginVersion(world.models, anyTenant, a, '2.0.0')).to.equal(null);
  });

  it('count the tenants in which they are current, and are Active from their first completed deployment', async () => {
    await register();
    const after = async (...turn: Parameters<World['turn']>) => {
      await world.turn(...turn);
      const { installationCount, status } = await details();
      return [installationCount, status];
    };
    expect(await after('acme.production.plugin-a', null, 'RolledBack')).to.deep.equal([0, 'Registered']);
    expect(await after('acme.production.plugin-a', 'dep-1', 'Completed')).to.deep.equal([1, 'Active']);
    expect(await after('acme.staging.plugin-a', 'dep-1', 'Completed')).to.deep.equal([1, 'Active']);
    expect(await after('other.production.plugin-a', 'dep-1', 'Completed')).to.deep.equal([2, 'Active']);
    expect(await after('acme.production.plugin-a', null, 'Undeployed')).to.deep.equal([2, 'Active']);
    expect(await after('acme.staging.plugin-a', null, 'Undeployed')).to.deep.equal([1, 'Active']);
    expect(await after('other.production.plugin-a', 'dep-1', 'RolledBack')).to.deep.equal([1, 'Active']);
  });

  it('are listed newest first, by page and by what they are', async () => {
    await register({ category: 'Payment', tags: ['x', 'y'] }, { state: 'Stable' });
    await register({ pluginId: 'plugin-b', category: 'Payment', tags: ['x'] });
    await register({ pluginId: 'plugin-c', category: 'Reporting' });
    expect(await list()).to.deep.equal([3, 'plugin-c', 'plugin-b', 'plugin-a']);
    expect(await list({ limit: 1, offset: 1 })).to.deep.equal([3, 'plugin-b']);
    expect(await list({ category: 'Payment' })).to.deep.equal([2, 'plugin-b', 'plugin-a']);
    expect(await list({ category: 'Payment', status: 'Active' })).to.deep.equal([1, 'plugin-a']);
    expect(await list({ tags: ['x'] })).to.deep.equal([2, 'plugin-b', 'plugin-a']);
    expect(await list({ tags: ['x', 'y'] })).to.deep.equal([1, 'plugin-a']);
    expect(await list({ tags: ['z'] })).to.deep.equal([0]);
  });

  it('are searched by name and description, the best match first', async () => {
    await register({ name: 'Reports', description: 'On payments by Stripe', category: 'Reporting' });
    await register({ pluginId: 'plugin-b', name: 'Stripe Payments', category: 'Payment' });
    await register({ pluginId: 'plugin-c', name: 'Something else' });
    expect(await list({ search: 'stripe' })).to.deep.equal([2, 'plugin-b', 'plugin-a']);
    expect(await list({ search: 'stripe', category: 'Reporting' })).to.deep.equal([1, 'plugin-a']);
    expect(await list({ search: 'stripe', limit: 1, offset: 1 })).to.deep.equal([2, 'plugin-a']);
    expect(await list({ search: '???' })).to.deep.equal([0]);
  });
});
