/** What is on offer over HTTP, and how it follows what becomes of plugins: marketplace and capabilities (decisions 19, 23). */
import { expect } from 'chai';
import type { z } from 'zod';
import {
  CapabilityListAnswer,
  CapabilityPluginsAnswer,
  SearchAnswer,
} from '../../../src/api/plugin-manager/catalog-schemas.ts';
import { PluginListAnswer } from '../../../src/api/plugin-manager/plugin-schemas.ts';
import { registerCorePayments } from '../../fixtures/plugin-manager.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from './whole-server.ts';

const runtime = { type: 'Node' };
const deployment = { tenantId: acmeId, environment: 'Production' };

describe('the catalog over HTTP', () => {
  let server: WholeServer;
  beforeEach(async () => {
    server = await openWholeServer();
  });
  afterEach(() => server.stop());

  async function register(pluginId: string, more: object = {}, version: object = {}): Promise<void> {
    const body = {
      ...{ pluginId, name: pluginId, ...more },
      version: { semanticVersion: '1.0.0', runtime, ...version },
    };
    const reply = await server.ask('PluginDeveloper', 'POST', '/plugins', body);
    expect(reply.status, JSON.stringify(reply.body)).to.equal(201);
  }
  async function setState(pluginId: string, version: string, state: string): Promise<void> {
    const path = `/plugins/${pluginId}/versions/${version}`;
    expect((await server.ask('PluginDeveloper', 'PATCH', path, { state })).status).to.equal(200);
  }
  async function read<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S>> {
    const { status, body } = await server.ask('Viewer', 'GET', path);
    expect(status, JSON.stringify(body)).to.equal(200);
    return schema.parse(body);
  }

  describe('capabilities', () => {
    const can = (capabilityId: string, name: string, version = '1.0') => ({ capabilityId, name, version });
    const listed = async () => {
      const { capabilities, total } = await read('/capabilities', CapabilityListAnswer);
      expect(total).to.equal(capabilities.length);
      return capabilities.map(({ capabilityId, version, name, pluginCount }) =>
        [capabilityId, version, name, pluginCount].join(' '),
      );
    };
    const having = async (capabilityId: string) => {
      const path = `/capabilities/${encodeURIComponent(capabilityId)}/plugins`;
      const { plugins, total } = await read(path, CapabilityPluginsAnswer);
      expect(total).to.equal(plugins.length);
      return plugins.map((one) => `${one.pluginId} ${one.latestVersion} ${one.capabilityVersions.join()}`);
    };

    it('are a row for each id and version, and count plugins', async () => {
      await register('a', {
        capabilities: [can('IPay', 'Pay'), can('IPay', 'Pay', '2.0'), can('ILog', 'Log')],
      });
      await register('b', { capabilities: [can('IPay', 'Pay', '2.0')] });
      await register('c');
      expect(await listed()).to.deep.equal(['ILog 1.0 Log 1', 'IPay 1.0 Pay 1', 'IPay 2.0 Pay 2']);
      expect(await having('IPay')).to.deep.equal(['b 1.0.0 2.0', 'a 1.0.0 1.0,2.0']);
      const page = await read('/capabilities?limit=1&offset=1', CapabilityListAnswer);
      expect(page).to.deep.include({ total: 3, limit: 1, offset: 1 });
      expect(page.capabilities).to.deep.equal([{ ...can('IPay', 'Pay'), pluginCount: 1 }]);
      for (const unknown of ['IPa', 'ipay', 'IPay%202.0', 'Pay'])
        expectRefusal(
          await server.ask('Viewer', 'GET', `/capabilities/${unknown}/plugins`),
          ...([404, 'NOT_FOUND', []] as const),
        );
    });

    it('are those of the latest version, and follow it, edits and the end', async () => {
      await register('a', { capabilities: [can('IPay', 'Pay')] }, { state: 'Stable' });
      await register('b', { capabilities: [can('IPay', 'Pay')] }, { state: 'Stable' });
      await register('a', { capabilities: [can('ILog', 'Log')] }, { semanticVersion: '2.0.0' });
      expect(await listed()).to.deep.equal(['IPay 1.0 Pay 2']);
      await setState('a', '2.0.0', 'Stable');
      expect(await listed()).to.deep.equal(['ILog 1.0 Log 1', 'IPay 1.0 Pay 1']);
      await setState('a', '2.0.0', 'Yanked');
      expect(await listed()).to.deep.equal(['IPay 1.0 Pay 2']);
      await setState('a', '1.0.0', 'Yanked');
      expect(await having('IPay')).to.deep.equal(['b 1.0.0 1.0']);
      await server.ask('PluginDeveloper', 'PATCH', '/plugins/b', { name: 'Renamed' });
      const { plugins } = await read('/capabilities/IPay/plugins', CapabilityPluginsAnswer);
      expect(plugins.map(({ name }) => name)).to.deep.equal(['Renamed']);
      expect((await server.ask('PlatformAdmin', 'DELETE', '/plugins/b')).status).to.equal(204);
      expect(await listed()).to.deep.equal([]);
      expectRefusal(await server.ask('Viewer', 'GET', '/capabilities/IPay/plugins'), 404, 'NOT_FOUND');
    });

    it('are called as the first plugin calls them that has them', async () => {
      await register('a', { capabilities: [can('IPay', 'Pay')] });
      await register('b', { capabilities: [can('IPay', 'Mine now')] });
      expect(await listed()).to.deep.equal(['IPay 1.0 Pay 2']);
      await register('a', { capabilities: [can('IPay', 'Payment')] }, { semanticVersion: '1.1.0' });
      expect(await listed()).to.deep.equal(['IPay 1.0 Payment 2']);
      await setState('a', '1.1.0', 'Yanked');
      await setState('a', '1.0.0', 'Yanked');
      expect(await listed()).to.deep.equal(['IPay 1.0 Pay 1']);
      await register('b', { capabilities: [can('IPay', 'At last')] }, { semanticVersion: '1.1.0' });
      expect(await listed()).to.deep.equal(['IPay 1.0 At last 1']);
    });

    it('may be called anything', async () => {
      const ids = ['com.acme/Pay', 'a b', 'é"\\', "'; --", '%', '["IPay","1.0"]'];
      await register('a', { capabilities: ids.map((id) => can(id, 'Any')) });
      expect(await listed()).to.have.length(ids.length);
      for (const id of ids) expect(await having(id), id).to.deep.equal(['a 1.0.0 1.0']);
    });
  });

  describe('the marketplace', () => {
    const browsed = async (query = '') => {
      const { plugins, total } = await read(`/marketplace/plugins?${query}`, PluginListAnswer);
      return [total, ...plugins.map(({ pluginId }) => pluginId)];
    };

    it('shows the featured first, then what most tenants run, then the newest', async () => {
      await server.ask('PlatformAdmin', 'POST', '/tenants', { tenantId: acmeId, name: 'Acme' });
      for (const pluginId of ['installed', 'old', 'featured', 'newer']) {
        await register(pluginId);
        await server.pass(1);
      }
      await server.deploy({ ...deployment, pluginId: 'installed', pluginVersion: '1.0.0' });
      await server.pass(600);
      await server.ask('PlatformAdmin', 'PUT', '/marketplace/plugins/featured/featured');
      expect(await browsed()).to.deep.equal([4, 'featured', 'installed', 'newer', 'old']);
      expect(await browsed('limit=2&offset=1')).to.deep.equal([4, 'installed', 'newer']);
      expect(await browsed('featured=true')).to.deep.equal([1, 'featured']);
      expect(await browsed('featured=false')).to.deep.equal([3, 'installed', 'newer', 'old']);
      const { plugins } = await read('/marketplace/plugins?status=Active', PluginListAnswer);
      expect(plugins[0]).to.include({ pluginId: 'installed', installationCount: 1, averageRating: null });
    });

    it('shows every plugin with a version that is not yanked, and no other', async () => {
      await register('a', { category: 'Payment', tags: ['x', 'y'] });
      await register('b', { category: 'Payment', tags: ['x'] }, { state: 'Stable' });
      await register('c', { category: 'Reporting', tags: ['x'] });
      expect(await browsed('category=Payment')).to.have.members([2, 'a', 'b']);
      expect(await browsed('tags=x,y')).to.deep.equal([1, 'a']);
      expect(await browsed('category=Payment&tags=x&status=Active')).to.deep.equal([1, 'b']);
      expect(await browsed('category=payment')).to.deep.equal([0]);
      await setState('a', '1.0.0', 'Deprecated');
      expect(await browsed('category=Payment')).to.have.members([2, 'a', 'b']);
      await setState('a', '1.0.0', 'Yanked');
      expect(await browsed('category=Payment')).to.deep.equal([1, 'b']);
      expect((await read('/marketplace/search?q=a', SearchAnswer)).total).to.equal(0);
      expect((await read('/plugins?search=a', PluginListAnswer)).total).to.equal(1);
      await register('a', { category: 'Payment', tags: ['x', 'y'] }, { semanticVersion: '1.0.1' });
      expect((await read('/marketplace/search?q=a', SearchAnswer)).total).to.equal(1);
      await server.ask('PlatformAdmin', 'DELETE', '/plugins/b');
      expect(await browsed()).to.have.members([2, 'a', 'c']);
    });

    it('is searched by name and description: beginnings and typos, names before descriptions', async () => {
      await register('reports', { name: 'Reports', description: 'On payments by Stripe', tags: ['money'] });
      await register('stripe', { name: 'Stripe Payment Processor', tags: ['money', 'stripe'] });
      await register('stripes', { name: 'Stripes', category: 'Fashion' });
      await register('strips', { name: 'Strips and more' });
      await register('other', { name: 'Something else' });
      const search = async (query: string) => {
        const { results, total } = await read(`/marketplace/search?${query}`, SearchAnswer);
        expect(total).to.equal(results.length);
        const scores = results.map(({ relevanceScore }) => relevanceScore);
        expect(scores).to.deep.equal(scores.toSorted((a, b) => b - a));
        for (const score of scores) expect(score).to.be.within(0, 1);
        return results.map(({ pluginId }) => pluginId);
      };
      expect(await search('q=stripe')).to.deep.equal(['stripe', 'stripes', 'strips', 'reports']);
      expect(await search('q=STRIP')).to.deep.equal(['stripes', 'stripe', 'strips', 'reports']);
      expect(await search('q=paymens%20stripe')).to.deep.equal(['stripe', 'reports']);
      expect(await search('q=stripe&tags=money')).to.deep.equal(['stripe', 'reports']);
      expect(await search('q=stripe&tags=money,stripe')).to.deep.equal(['stripe']);
      expect(await search('q=stripe&category=Fashion')).to.deep.equal(['stripes']);
      expect(await search('q=stripe&status=Active')).to.deep.equal([]);
      expect(await search('q=nothing')).to.deep.equal([]);
      const page = await read('/marketplace/search?q=stripe&limit=1&offset=1', SearchAnswer);
      expect(page).to.include({ query: 'stripe', total: 4, limit: 1, offset: 1 });
      expect(page.results.map(({ pluginId }) => pluginId)).to.deep.equal(['stripes']);
    });

    it('is the same for everybody', async () => {
      await server.ask('PluginDeveloper', 'POST', '/plugins', registerCorePayments);
      for (const path of ['/marketplace/plugins', '/marketplace/search?q=core', '/capabilities']) {
        const seen = await server.ask('PlatformAdmin', 'GET', path);
        for (const role of ['PluginDeveloper', 'TenantAdmin', 'Viewer'] as const)
          expect((await server.ask(role, 'GET', path)).body).to.deep.equal(seen.body);
      }
    });
  });
});
