import { expect } from 'chai';
import { registerPlugin } from '../../src/commands/register-plugin.ts';
import { TenantId } from '../../src/domain/ids.ts';
import type { Publisher } from '../../src/domain/publisher.ts';
import { developer, registration } from '../support/plugin-facts.ts';
import { fixture, refusalOf, someContext, type Fixture } from './support.ts';

const admin: Publisher = { tenant: TenantId.parse('platform'), role: 'PlatformAdmin' };

describe('registerPlugin', () => {
  let world: Fixture;
  beforeEach(() => (world = fixture()));

  const register = (
    sent: Parameters<typeof registration>,
    { context = someContext(), publisher = developer } = {},
  ) => registerPlugin(world, { ...context, publisher }, registration(...sent));
  const requires = (dependencyId: string, versionConstraint = '*') => ({
    dependencies: [{ dependencyId, versionConstraint }],
  });

  it('answers with what it registered, in one append', async () => {
    const { position, ...answer } = await register([{}, { state: 'Stable' }]);
    expect(answer).to.deep.equal({
      pluginId: 'plugin-a',
      name: 'Plugin A',
      status: 'Active',
      version: '1.0.0',
      isNew: true,
      createdAt: '2026-01-01T00:00:00.000Z',
    });
    expect(position).to.be.a('string');
    expect(await world.total()).to.equal(2);
    expect(await world.types('plugin-plugin-a')).to.deep.equal(['PluginRegistered', 'VersionPublished']);
  });

  it('mints ids that a repetition mints again, and answers it alike', async () => {
    const context = someContext();
    const first = await register([], { context });
    await register([{}, { semanticVersion: '1.1.0' }]);
    const [stored] = await world.events('plugin-plugin-a');
    expect(await register([], { context: { ...context, mayRepeat: true } })).to.deep.equal(first);
    expect(await world.types('plugin-plugin-a')).to.have.length(3);
    expect(JSON.stringify(stored)).to.match(/"plg_[0-9a-f]{20}"/);
  });

  it('adds a version for a PlatformAdmin as a fact of the owner', async () => {
    await register([]);
    const { version, status } = await register([{}, { semanticVersion: '1.1.0' }], { publisher: admin });
    expect({ version, status }).to.deep.equal({ version: '1.1.0', status: 'Registered' });
    expect((await world.events('plugin-plugin-a')).map(({ metadata }) => metadata.tenant)).to.deep.equal([
      'acme',
      'acme',
      'acme',
    ]);
  });

  it('seals the author, and knows the same author again', async () => {
    const author = { name: 'Ada', email: 'ada@acme.com' };
    await register([{ author }]);
    expect(JSON.stringify(await world.events('plugin-plugin-a'))).to.contain('sealed:v1:1:tenant:acme|');
    await register([{ author }, { semanticVersion: '1.1.0' }]);
    const { refused, details } = await refusalOf(
      register([{ author: { name: 'Eve' } }, { semanticVersion: '1.2.0' }]),
    );
    expect(refused).to.equal('Conflict');
    expect(details.map(({ field }) => field)).to.deep.equal(['author']);
  });

  it('looks at what is known of dependencies, transitively', async () => {
    await register([{ pluginId: 'plugin-b' }, requires('plugin-c')]);
    await register([{ pluginId: 'plugin-c' }, requires('plugin-a')]);
    const cycle = await refusalOf(register([{}, requires('plugin-b')]));
    expect(cycle.refused).to.equal('DependencyConflict');
    expect(cycle.details[0]!.field).to.equal('version.dependencies[0].dependencyId');
    const unmatched = await refusalOf(register([{}, requires('plugin-b', '^2')]));
    expect(unmatched.details[0]!.field).to.equal('version.dependencies[0].versionConstraint');
    expect(await world.types('plugin-plugin-a')).to.deep.equal([]);
  });

  describe('with a package name of its own', () => {
    const name = { packageName: '@acme/plugin' };

    it('claims it first; another plugin cannot have it', async () => {
      await register([name]);
      expect(await world.types('packagename-@acme/plugin')).to.deep.equal(['NameReserved']);
      const { refused, details } = await refusalOf(register([{ ...name, pluginId: 'plugin-b' }]));
      expect([refused, details[0]?.field]).to.deep.equal(['Conflict', 'packageName']);
      expect(await world.types('plugin-plugin-b')).to.deep.equal([]);
    });

    it('completes what a crash left at the claim', async () => {
      world.before('plugin-plugin-a', () => Promise.reject(new Error('crash')));
      await register([name]).catch(() => null);
      expect(await world.types('packagename-@acme/plugin')).to.deep.equal(['NameReserved']);
      await register([name]);
      expect(await world.types('plugin-plugin-a')).to.have.length(2);
    });

    it('claims nothing for what is refused anyway', async () => {
      await refusalOf(register([name, requires('plugin-a')]));
      expect(await world.total()).to.equal(0);
    });

    it('gives it back when another was faster with the slug, but not when that other has the name', async () => {
      world.before('plugin-plugin-a', () => register([], { publisher: admin }));
      await refusalOf(register([name]));
      expect(await world.types('packagename-@acme/plugin')).to.deep.equal(['NameReserved', 'NameReleased']);

      const twin = { ...name, pluginId: 'twin', packageName: '@acme/twin' };
      world.before('plugin-twin', () => register([twin]));
      expect((await refusalOf(register([twin]))).refused).to.equal('Conflict');
      expect(await world.types('packagename-@acme/twin')).to.deep.equal(['NameReserved']);
    });
  });
});
