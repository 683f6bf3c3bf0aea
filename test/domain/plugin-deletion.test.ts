import { expect } from 'chai';
import { DeploymentId, TenantId } from '../../src/domain/ids.ts';
import {
  findVersion,
  livePlugin,
  plugin,
  publishedCandidates,
  type PluginEvent,
} from '../../src/domain/plugin.ts';
import { endDeletion, startDeletion } from '../../src/domain/plugin-deletion.ts';
import { publish } from '../../src/domain/publication.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import { spec } from '../support/given-when-then.ts';
import { developer, publication, registration } from '../support/plugin-facts.ts';

const at = '2026-02-01T00:00:00.000Z';
const { pluginId } = registration();
const deletionId = 'd1';
const decided = publish(null, publication(registration()));
const born = isRefusal(decided) ? [] : decided;
const started: PluginEvent = { type: 'PluginDeletionStarted', data: { pluginId, deletionId, startedAt: at } };
const dep = DeploymentId.parse('dep-1');
const refused: PluginEvent = {
  type: 'PluginDeletionRefused',
  data: { pluginId, deletionId, deployments: [dep], refusedAt: at },
};
const deleted: PluginEvent = { type: 'PluginDeleted', data: { pluginId, deletionId, deletedAt: at } };
const start = (state: Parameters<typeof startDeletion>[0]) => startDeletion(state, { deletionId, at });
const end =
  (id: string, ...live: readonly DeploymentId[]) =>
  (state: Parameters<typeof endDeletion>[0]) =>
    endDeletion(state, { deletionId: id, live, at });

describe('Deleting a plugin', () => {
  it('marks it once', () => {
    spec(plugin)
      .given()
      .when(start)
      .thenRefused('NotFound', /no such plugin/);
    spec(plugin)
      .given(...born)
      .when(start)
      .then(started);
    spec(plugin)
      .given(...born, started)
      .when(start)
      .then();
    spec(plugin)
      .given(...born, started, deleted)
      .when(start)
      .thenRefused('NotFound', /no such plugin/);
    spec(plugin)
      .given(...born, started, refused)
      .when(start)
      .then(started);
  });

  it('ends once, as nothing or something is live', () => {
    const marked = spec(plugin).given(...born, started);
    marked.when(end(deletionId)).then(deleted);
    marked.when(end(deletionId, dep)).then(refused);
    marked.when(end('another')).then();
    for (const ended of [refused, deleted])
      spec(plugin)
        .given(...born, started, ended)
        .when(end(deletionId))
        .then();
  });

  it('leaves nothing that can be found', () => {
    const { state } = spec(plugin).given(...born, started, deleted);
    expect([livePlugin(state), findVersion(state, '1.0.0'), publishedCandidates(state)]).to.deep.equal([
      null,
      null,
      null,
    ]);
  });

  it('lets nobody publish meanwhile', () => {
    spec(plugin)
      .given(...born, started)
      .when((state) => publish(state, publication(registration({}, { semanticVersion: '2.0.0' }))))
      .thenRefused('Conflict', /being deleted/, 'pluginId');
  });

  it('returns the slug to its owner, as a plugin with nothing of the old one', () => {
    const gone = spec(plugin).given(...born, started, deleted);
    const again = publication(registration(), { ids: { plugin: 'plg_2', version: 'ver-2' } });
    const { decision } = gone.when((state) => publish(state, again));
    if (isRefusal(decision)) expect.fail(decision.message);
    expect(decision.map(({ type }) => type)).to.deep.equal(['PluginRegistered', 'VersionPublished']);
    const { state } = spec(plugin).given(...born, started, deleted, ...decision);
    expect(livePlugin(state)).to.deep.include({ id: 'plg_2', deletion: null, featured: false });
    expect(livePlugin(state)?.versions.map(({ versionId }) => versionId)).to.deep.equal(['ver-2']);
  });

  it('keeps the slug from everybody else, PlatformAdmins included', () => {
    const other = TenantId.parse('other');
    for (const role of ['PluginDeveloper', 'PlatformAdmin'] as const)
      spec(plugin)
        .given(...born, started, deleted)
        .when((state) => publish(state, publication(registration(), { publisher: { tenant: other, role } })))
        .thenRefused('Conflict', /only its owner/, 'pluginId');
    expect(developer.tenant).not.to.equal(other);
  });
});
