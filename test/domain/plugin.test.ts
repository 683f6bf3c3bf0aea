import { expect } from 'chai';
import { TenantId } from '../../src/domain/ids.ts';
import { livePlugin, plugin, pluginStatus, type PluginEvent } from '../../src/domain/plugin.ts';
import { changeVersionState } from '../../src/domain/plugin-changes.ts';
import { publish } from '../../src/domain/publication.ts';
import { isRefusal, refuse } from '../../src/domain/refusal.ts';
import { spec } from '../support/given-when-then.ts';
import { developer, publication, registration } from '../support/plugin-facts.ts';

const at = '2026-02-01T00:00:00.000Z';
const other = TenantId.parse('other');

function eventsOf(...args: Parameters<typeof registration>): readonly PluginEvent[] {
  const decision = publish(null, publication(registration(...args)));
  if (isRefusal(decision)) expect.fail(decision.message);
  return decision;
}
const born = eventsOf({ tags: ['a'], price: { model: 'free' } });

describe('Publishing', () => {
  it('registers a plugin that is not known, with its first version', () => {
    const { decision } = spec(plugin)
      .given()
      .when((state) => publish(state, publication(registration())));
    if (isRefusal(decision)) expect.fail(decision.message);
    expect(decision.map(({ type }) => type)).to.deep.equal(['PluginRegistered', 'VersionPublished']);
    expect(decision[0]?.data).to.include({ id: 'plg_1', ownerTenant: 'acme', packageName: 'plugin-a' });
    expect(decision[1]?.data).to.include({ versionId: 'ver-1', state: 'Beta', checksumVerified: false });
  });

  it('adds a version to a plugin that is known', () => {
    const next = publication(registration({}, { semanticVersion: '1.1.0', state: 'Stable' }), { at });
    const { decision } = spec(plugin)
      .given(...born)
      .when((state) => publish(state, next));
    if (isRefusal(decision)) expect.fail(decision.message);
    expect(decision.map(({ type }) => type)).to.deep.equal(['VersionPublished']);
    expect(decision[0]?.data).to.include({ semanticVersion: '1.1.0', state: 'Stable', publishedAt: at });
  });

  it('refuses a version that is known, also when it differs in build metadata only', () => {
    for (const semanticVersion of ['1.0.0', '1.0.0+2']) {
      spec(plugin)
        .given(...born)
        .when((state) => publish(state, publication(registration({}, { semanticVersion }))))
        .thenRefused('Conflict', /already/, 'version.semanticVersion');
    }
  });

  it('names the metadata that differs from what is stored; what is not sent differs from nothing', () => {
    const version = { semanticVersion: '1.1.0' };
    spec(plugin)
      .given(...born)
      .when((state) =>
        publish(
          state,
          publication(registration({ name: 'B', tags: ['b'], author: { name: 'Ada' } }, version), {
            sealedAuthor: 'sealed:v1:x',
          }),
        ),
      )
      .thenRefused('Conflict', /metadata/, 'name', 'tags', 'author');
    const same = publication(registration({ tags: ['a'], price: { amount: 0, model: 'free' } }, version));
    expect(isRefusal(publish(spec(plugin).given(...born).state, same))).to.equal(false);
  });

  it('is for the PluginDevelopers of the owner and for PlatformAdmins', () => {
    const next = registration({}, { semanticVersion: '1.1.0' });
    for (const publisher of [
      { tenant: other, role: 'PluginDeveloper' },
      { tenant: developer.tenant, role: 'TenantAdmin' },
      { tenant: developer.tenant, role: 'Viewer' },
    ] as const) {
      spec(plugin)
        .given(...born)
        .when((state) => publish(state, publication(next, { publisher })))
        .thenRefused('Forbidden', /tenant that owns/);
    }
    const admin = publication(next, { publisher: { tenant: other, role: 'PlatformAdmin' } });
    expect(isRefusal(publish(spec(plugin).given(...born).state, admin))).to.equal(false);
  });

  it('keeps slugs and package names apart', () => {
    spec(plugin)
      .given()
      .when((state) => publish(state, publication(registration({ packageName: 'plugin-b' }))))
      .thenRefused('Invalid', /scope/, 'packageName');
    expect(isRefusal(publish(null, publication(registration({ packageName: '@acme/b' }))))).to.equal(false);
  });

  it('answers a conflict of dependencies before a known version', () => {
    const dependencyConflict = refuse('DependencyConflict', 'no');
    spec(plugin)
      .given(...born)
      .when((state) => publish(state, publication(registration(), { dependencyConflict })))
      .thenRefused('DependencyConflict', /no/);
  });
});

describe('Changing the state of a version', () => {
  const change = { semanticVersion: '1.0.0', state: 'Stable', publisher: developer, at } as const;
  const stable: PluginEvent = {
    type: 'VersionStateChanged',
    data: { pluginId: registration().pluginId, semanticVersion: '1.0.0', state: 'Stable', changedAt: at },
  };

  it('changes it once', () => {
    spec(plugin)
      .given(...born)
      .when((state) => changeVersionState(state, change))
      .then(stable);
    spec(plugin)
      .given(...born, stable)
      .when((state) => changeVersionState(state, change))
      .then();
  });
  it('needs the version and its owner', () => {
    spec(plugin)
      .given(...born)
      .when((state) => changeVersionState(state, { ...change, semanticVersion: '9.0.0' }))
      .thenRefused('NotFound', /9\.0\.0/);
    spec(plugin)
      .given(...born)
      .when((state) => changeVersionState(state, { ...change, publisher: { ...developer, tenant: other } }))
      .thenRefused('Forbidden', /tenant that owns/);
  });
  it('makes the plugin one that has matured, for good', () => {
    const deprecated = { ...stable, data: { ...stable.data, state: 'Deprecated' } } as PluginEvent;
    expect(livePlugin(spec(plugin).given(...born).state)?.matured).to.equal(false);
    expect(livePlugin(spec(plugin).given(...born, stable, deprecated).state)?.matured).to.equal(true);
  });
});

describe('The status of a plugin', () => {
  it('is Registered, then Active, and Deprecated while nothing is on offer', () => {
    expect(pluginStatus([{ state: 'Beta' }], false)).to.equal('Registered');
    expect(pluginStatus([{ state: 'Beta' }, { state: 'Deprecated' }], true)).to.equal('Active');
    expect(pluginStatus([{ state: 'Yanked' }, { state: 'Deprecated' }], true)).to.equal('Deprecated');
  });
});
