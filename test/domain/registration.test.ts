import { expect } from 'chai';
import { Registration } from '../../src/domain/registration.ts';

const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });

/** Paths that are refused in a registration that is right but for what is given. */
function refused(plugin: object, version: object = {}): readonly string[] {
  const { error } = Registration.safeParse({
    pluginId: 'plugin-a',
    name: 'Plugin A',
    ...plugin,
    version: { semanticVersion: '1.0.0', runtime: { type: 'Node' }, ...version },
  });
  return (error?.issues ?? []).map(({ path }) => path.join('.'));
}

describe('A registration', () => {
  it('needs no more than a pluginId, a name, a version number and the type of its runtime', () => {
    expect(refused({})).to.deep.equal([]);
  });

  const wrong: readonly (readonly [path: string, plugin: object, version?: object])[] = [
    ['pluginId', { pluginId: 'Payment_Stripe' }],
    ['pluginId', { pluginId: 'install' }],
    ['name', { name: '  ' }],
    ['', { surprise: 1 }],
    ['iconUrl', { iconUrl: 'javascript:alert(1)' }],
    ['documentationUrl', { documentationUrl: 'docs.example.com' }],
    ['repositoryUrl', { repositoryUrl: 'git@github.com:acme/plugin' }],
    ['tags.0', { tags: ['x'.repeat(51)] }],
    ['tags', { tags: Array.from({ length: 51 }, (_, index) => String(index)) }],
    ['packageName', { packageName: '@Acme/Plugin' }],
    ['price.model', { price: { model: 'barter' } }],
    ['version.semanticVersion', {}, { semanticVersion: '1.0' }],
    ['version.state', {}, { state: 'Deprecated' }],
    ['version.runtime.type', {}, { runtime: {} }],
    ['version.resources.minCpu', {}, { resources: { minCpu: 2, maxCpu: 1 } }],
    ['version.resources.maxCpu', {}, { resources: { maxCpu: 0 } }],
    ['version.resources.minMemoryMB', {}, { resources: { minMemoryMB: 2, maxMemoryMB: 1 } }],
    ['version.binaryUrl', {}, { binaryUrl: 'plugin.dll' }],
    ['version.checksum', {}, { checksum: 'abc' }],
    ['version.configurationSchema', {}, { configurationSchema: 'object' }],
    ['version.configurationSchema', {}, { configurationSchema: nested(33) }],
    ['version.configurationSchema', {}, { configurationSchema: nested(5_000) }],
    ['version.configurationSchema', {}, { configurationSchema: { description: 'x'.repeat(65_536) } }],
    ['version.dependencies.0.dependencyId', {}, { dependencies: [{ dependencyId: 'No Slug' }] }],
    [
      'version.dependencies.1.dependencyId',
      {},
      { dependencies: [{ dependencyId: 'b' }, { dependencyId: 'b' }] },
    ],
    [
      'version.dependencies.0.versionConstraint',
      {},
      { dependencies: [{ dependencyId: 'b', versionConstraint: '1'.repeat(257) }] },
    ],
    [
      'capabilities.1.capabilityId',
      {
        capabilities: [
          { capabilityId: 'I', name: 'I' },
          { capabilityId: 'I', name: 'J' },
        ],
      },
    ],
  ];
  for (const [path, plugin, version] of wrong) {
    const sent = JSON.stringify({ ...plugin, ...version }).slice(0, 60);
    it(`is refused at "${path}" for ${sent}`, () => expect(refused(plugin, version)).to.deep.equal([path]));
  }

  it('may keep its bytes wherever it likes and have any JSON Schema of 32 levels', () => {
    expect(refused({}, { binaryUrl: 's3://plugins/a.dll', configurationSchema: nested(32) })).to.deep.equal(
      [],
    );
    expect(refused({}, { configurationSchema: true })).to.deep.equal([]);
  });
});
