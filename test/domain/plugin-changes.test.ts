import { expect } from 'chai';
import { TenantId } from '../../src/domain/ids.ts';
import { livePlugin, plugin, type PluginEvent } from '../../src/domain/plugin.ts';
import { changeVersionState, editMetadata, feature } from '../../src/domain/plugin-changes.ts';
import { publish } from '../../src/domain/publication.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import { MetadataEdit } from '../../src/domain/registration.ts';
import { versionStates } from '../../src/domain/version.ts';
import { spec } from '../support/given-when-then.ts';
import { developer, publication, registration } from '../support/plugin-facts.ts';

const at = '2026-02-01T00:00:00.000Z';
const { pluginId } = registration();
const other = TenantId.parse('other');
const decided = publish(null, publication(registration({ tags: ['a'], description: 'Old' })));
const born = isRefusal(decided) ? [] : decided;
const marked: PluginEvent = {
  type: 'PluginDeletionStarted',
  data: { pluginId, deletionId: 'd1', startedAt: at },
};

function edit(sent: object, more: Partial<Parameters<typeof editMetadata>[1]> = {}) {
  const change = { edit: MetadataEdit.parse(sent), sealedAuthor: null, publisher: developer, at, ...more };
  return (state: Parameters<typeof editMetadata>[0]) => editMetadata(state, change);
}
const edited = (changes: object): PluginEvent => ({
  type: 'PluginMetadataEdited',
  data: { pluginId, changes, editedAt: at },
});

describe('Editing what is said of a plugin', () => {
  it('tells what is different, and nothing else', () => {
    spec(plugin)
      .given(...born)
      .when(edit({ name: 'New', tags: ['a'], license: 'MIT' }))
      .then(edited({ name: 'New', license: 'MIT' }));
  });

  it('has nothing to do when all is so already', () => {
    for (const same of [{}, { name: 'Plugin A', tags: ['a'], license: null, compatibility: null }])
      spec(plugin)
        .given(...born)
        .when(edit(same))
        .then();
  });

  it('empties with null: lists and maps, too', () => {
    spec(plugin)
      .given(...born)
      .when(edit({ description: null, tags: null }))
      .then(edited({ description: null, tags: [] }));
    const state = livePlugin(spec(plugin).given(...born, edited({ description: null, tags: [] })).state);
    expect(state).to.deep.include({ description: null, tags: [], name: 'Plugin A' });
  });

  it('stores an author as they were sealed', () => {
    const author = { name: 'Ada' };
    spec(plugin)
      .given(...born)
      .when(edit({ author }, { sealedAuthor: 'sealed' }))
      .then(edited({ author: 'sealed' }));
    spec(plugin)
      .given(...born, edited({ author: 'sealed' }))
      .when(edit({ author }, { sealedAuthor: 'sealed' }))
      .then();
    spec(plugin)
      .given(...born, edited({ author: 'sealed' }))
      .when(edit({ author: null }))
      .then(edited({ author: null }));
  });

  it('is for its owner, and not while it is being deleted', () => {
    const sent = edit({ name: 'New' }, { publisher: { ...developer, tenant: other } });
    spec(plugin)
      .given()
      .when(edit({ name: 'New' }))
      .thenRefused('NotFound', /no such plugin/);
    spec(plugin)
      .given(...born)
      .when(sent)
      .thenRefused('Forbidden', /tenant that owns/);
    spec(plugin)
      .given(...born, marked)
      .when(edit({ name: 'New' }))
      .thenRefused('Conflict', /being deleted/);
  });

  it('takes neither a package name nor a name of nothing', () => {
    for (const wrong of [{ packageName: '@a/b' }, { pluginId: 'b' }, { name: null }, { name: '' }])
      expect(MetadataEdit.safeParse(wrong).success, JSON.stringify(wrong)).to.equal(false);
  });
});

describe('The states of a version', () => {
  const change = { semanticVersion: '1.0.0', publisher: developer, at };
  const changed = (state: (typeof versionStates)[number]): PluginEvent => ({
    type: 'VersionStateChanged',
    data: { pluginId, semanticVersion: '1.0.0', state, changedAt: at },
  });

  it('follow each other in any order, but nothing follows Yanked', () => {
    for (const from of versionStates)
      for (const to of versionStates) {
        const outcome = spec(plugin)
          .given(...born, changed(from))
          .when((state) => changeVersionState(state, { ...change, state: to }));
        if (from === to) outcome.then();
        else if (from === 'Yanked') outcome.thenRefused('Conflict', /for good/, 'state');
        else outcome.then(changed(to));
      }
  });

  it('stay while the plugin is being deleted', () => {
    spec(plugin)
      .given(...born, marked)
      .when((state) => changeVersionState(state, { ...change, state: 'Stable' }))
      .thenRefused('Conflict', /being deleted/);
  });
});

describe('Featuring a plugin', () => {
  const on: PluginEvent = { type: 'PluginFeatured', data: { pluginId, featuredAt: at } };
  const off: PluginEvent = { type: 'PluginUnfeatured', data: { pluginId, unfeaturedAt: at } };
  const set =
    (featured: boolean) =>
    (state: Parameters<typeof feature>[0]): ReturnType<typeof feature> =>
      feature(state, { featured, at });

  it('happens once, and ends once', () => {
    const given = (...events: readonly PluginEvent[]) => spec(plugin).given(...born, ...events);
    given().when(set(false)).then();
    given().when(set(true)).then(on);
    given(on).when(set(true)).then();
    given(on).when(set(false)).then(off);
    given(on, off).when(set(true)).then(on);
    spec(plugin)
      .given()
      .when(set(true))
      .thenRefused('NotFound', /no such plugin/);
  });
});
