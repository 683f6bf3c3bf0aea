/** What a tenant may not exceed (decisions 16, 25): quotas, categories, deployments an hour; and that nobody passes in a race. */
import { expect } from 'chai';
import { z } from 'zod';
import type { Reply } from '../../support/http.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from './whole-server.ts';
import { shows } from '../../support/rollout-rows.ts';

const path = '/plugin-deployments';

function plugin(pluginId: string, more: object = {}, version: object = {}): object {
  return {
    ...{ pluginId, name: pluginId, category: 'Reporting' },
    ...more,
    version: {
      ...{ semanticVersion: '1.0.0', state: 'Stable', runtime: { type: 'DotNet8' } },
      resources: { minCpu: 0.5, minMemoryMB: 512 },
      ...version,
    },
  };
}

const deploy = (pluginId: string, more: object = {}): object => ({
  ...{ pluginId, pluginVersion: '1.0.0', tenantId: acmeId, environment: 'Production', ...more },
});

const Usage = z.object({
  pluginCount: z.number(),
  resourceUsage: z.object({
    currentCpu: z.number(),
    currentMemoryGB: z.number(),
    currentInstances: z.number(),
  }),
});

describe('quotas over HTTP', () => {
  let server: WholeServer;
  beforeEach(async () => {
    server = await openWholeServer();
    for (const body of [plugin('mail'), plugin('mail', {}, { semanticVersion: '2.0.0' }), plugin('chat')])
      expect((await server.ask('PluginDeveloper', 'POST', '/plugins', body)).status).to.equal(201);
  });
  afterEach(() => server.stop());

  const tenant = async (bounds: object): Promise<void> => {
    const body = { tenantId: acmeId, name: 'Acme', ...bounds };
    expect((await server.ask('PlatformAdmin', 'POST', '/tenants', body)).status).to.equal(201);
  };
  const grant = async (changes: object): Promise<void> => {
    const reply = await server.ask('PlatformAdmin', 'PATCH', `/tenants/${acmeId}`, changes);
    expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
  };
  const ask = (body: object): Promise<Reply> => server.ask('TenantAdmin', 'POST', path, body);
  const completed = async (body: object): Promise<string> => {
    const id = await server.deploy(body);
    expect(await server.finished(id)).to.equal('Completed');
    return id;
  };
  /** Plugins, instances, processors and gigabytes. */
  const used = async (): Promise<readonly number[]> => {
    const { body } = await server.ask('TenantAdmin', 'GET', `/tenants/${acmeId}`);
    const { pluginCount, resourceUsage } = Usage.parse(body);
    const { currentInstances, currentCpu, currentMemoryGB } = resourceUsage;
    return [pluginCount, currentInstances, currentCpu, currentMemoryGB];
  };
  const total = async (): Promise<unknown> => (await server.ask('TenantAdmin', 'GET', path)).body;

  it('refuse what asks for more than is left, naming it, and leave no row; more is granted, and it goes', async () => {
    await tenant({ quotas: { maxCpu: 2, maxMemoryGB: 4 } });
    await completed(deploy('mail', { totalInstances: 2 }));
    const wanted = deploy('chat', { totalInstances: 3 });
    const { eventStore } = server.server.ports;
    const head = await eventStore.head();
    const error = expectRefusal(await ask(wanted), 409, 'CONFLICT', ['quotas.maxCpu']);
    expect(error.message).to.include('maxCpu: limit 2, used 1, asked 1.5');
    expect(await eventStore.head(), 'nothing is stored').to.equal(head);
    expect(await total()).to.include({ total: 1 });
    await grant({ quotas: { maxCpu: 2.5 } });
    await completed(wanted);
    expect(await used()).to.deep.equal([2, 5, 2.5, 2.5]);
    await grant({ quotas: { maxCpu: null, maxMemoryGB: 1 } });
    expectRefusal(await ask(deploy('mail', { environment: 'Staging' })), 409, 'CONFLICT', [
      'quotas.maxMemoryGB',
    ]);
  });

  it(
    shows(
      'States: quota at the peak',
      'count the peak of a rollout, new beside old, and shrink when it ends',
    ),
    async () => {
      await tenant({ quotas: { maxCpu: 2 } });
      await completed(deploy('mail', { totalInstances: 2 }));
      const next = deploy('mail', { pluginVersion: '2.0.0', totalInstances: 3 });
      expectRefusal(await ask(next), 409, 'CONFLICT', ['quotas.maxCpu']);
      await server.deploy({ ...next, totalInstances: 2 });
      expect(await used()).to.deep.equal([1, 4, 2, 2]);
      expectRefusal(await ask(deploy('chat')), 409, 'CONFLICT', ['quotas.maxCpu']);
      await server.pass(300);
      expect(await used()).to.deep.equal([1, 2, 1, 1]);
      await completed(deploy('chat', { totalInstances: 2 }));
    },
  );

  it(
    shows(
      'States: a rollback is never refused for quota',
      'never refuse a rollback, which reserves beside what it leaves',
    ),
    async () => {
      await tenant({ quotas: { maxCpu: 2 } });
      await completed(deploy('mail', { totalInstances: 2 }));
      const second = await completed(deploy('mail', { pluginVersion: '2.0.0', totalInstances: 2 }));
      await completed(deploy('chat', { totalInstances: 2 }));
      expect((await server.ask('TenantAdmin', 'POST', `${path}/${second}/rollback`)).status).to.equal(202);
      expect(await used()).to.deep.equal([2, 6, 3, 3]);
      expectRefusal(await ask(deploy('chat', { environment: 'Staging' })), 409, 'CONFLICT');
      expect(await server.finished(second)).to.equal('RolledBack');
      expect(await used()).to.deep.equal([2, 4, 2, 2]);
    },
  );

  it('give back what a rollout that failed had reserved', async () => {
    await tenant({ quotas: { maxCpu: 1 } });
    const sick = await server.deploy(deploy('mail', { configuration: { simulate: 'crash-loop:1' } }));
    expect(await server.finished(sick)).to.equal('Failed');
    expect(await used()).to.deep.equal([0, 0, 0, 0]);
    await completed(deploy('chat', { totalInstances: 2 }));
  });

  it('of plugins count each once', async () => {
    await tenant({ quotas: { maxPlugins: 1 } });
    await server.deploy(deploy('mail'));
    await server.deploy(deploy('mail', { environment: 'Staging' }));
    const error = expectRefusal(await ask(deploy('chat')), 409, 'CONFLICT', ['quotas.maxPlugins']);
    expect(error.message).to.include('maxPlugins: limit 1, used 1, asked 1');
  });

  it('that were not given do not exist', async () => {
    await tenant({});
    expect((await ask(deploy('mail', { totalInstances: 1_000 }))).status).to.equal(202);
  });

  it('let exactly one of fifty who race have the last place, over every bound', async () => {
    const others = Array.from({ length: 25 }, (_, index) => `plugin-${index}`);
    for (const id of others) await server.ask('PluginDeveloper', 'POST', '/plugins', plugin(id));
    await tenant({ quotas: { maxCpu: 0.9 } });
    const token = await server.asRole('TenantAdmin', acmeId);
    const race = async (bodyOf: (index: number) => object) => {
      const asked = Array.from({ length: 50 }, (_, index) =>
        server.call('POST', `/api/v1${path}`, { token, body: bodyOf(index) }),
      );
      const replies = await Promise.all(asked);
      const refused = replies.filter(({ status }) => status !== 202);
      return { accepted: replies.length - refused.length, refused };
    };
    const everywhere = (index: number): object => deploy('mail', { environment: `Race-${index}` });
    const first = await race(everywhere);
    expect(first.accepted).to.equal(1);
    for (const reply of first.refused) expectRefusal(reply, 409, 'CONFLICT', ['quotas.maxCpu']);
    expect(await total()).to.include({ total: 1 });

    await grant({ quotas: { maxCpu: null, maxPlugins: 2 } });
    const second = await race((index) =>
      deploy(others[index % 25] ?? '', { environment: index < 25 ? 'Production' : 'Staging' }),
    );
    for (const reply of second.refused) expectRefusal(reply, 409, 'CONFLICT', ['quotas.maxPlugins']);
    // One plugin more: in one of its environments, or in both.
    expect(second.accepted).to.be.within(1, 2);

    await grant({ quotas: { maxPlugins: null }, rateLimits: { maxDeploymentsPerHour: second.accepted + 2 } });
    const third = await race((index) => deploy('chat', { environment: `Race-${index}` }));
    expect(third.accepted).to.equal(1);
    for (const reply of third.refused) expectRefusal(reply, 429, 'RATE_LIMIT_EXCEEDED', []);
  });
});

describe('what else bounds a tenant over HTTP', () => {
  let server: WholeServer;
  before(async () => {
    server = await openWholeServer();
    const asDeveloper = (body: object) => server.ask('PluginDeveloper', 'POST', '/plugins', body);
    await asDeveloper(plugin('mail'));
    await asDeveloper(plugin('game', { category: 'Games' }));
    await asDeveloper(plugin('plain', { category: undefined }));
  });
  after(() => server.stop());
  let made = 0;
  let tenantId: string;
  const tenant = async (bounds: object): Promise<void> => {
    tenantId = `tenant-${(made += 1)}`;
    await server.ask('PlatformAdmin', 'POST', '/tenants', { tenantId, name: tenantId, ...bounds });
  };
  const ask = async (pluginId: string, more: object = {}): Promise<Reply> =>
    server.call('POST', `/api/v1${path}`, {
      token: await server.asRole('TenantAdmin', tenantId),
      body: deploy(pluginId, { tenantId, ...more }),
    });

  it('are its categories: 403 for any other, and for none', async () => {
    await tenant({ allowedCategories: ['Reporting'] });
    expect((await ask('mail')).status).to.equal(202);
    for (const other of ['game', 'plain']) {
      const { message } = expectRefusal(await ask(other), 403, 'FORBIDDEN', ['pluginId']);
      expect(message).to.include('Reporting');
    }
    // Before the configuration is looked at (decisions 14).
    expectRefusal(await ask('game', { configuration: { simulate: 'haunted' } }), 403, 'FORBIDDEN');
    await server.ask('PlatformAdmin', 'PATCH', `/tenants/${tenantId}`, { allowedCategories: null });
    expect((await ask('game')).status).to.equal(202);
  });

  it('is how many deployments an hour it may ask for: 429 with Retry-After', async () => {
    await tenant({ rateLimits: { maxDeploymentsPerHour: 2 } });
    const in_ = (environment: string): Promise<Reply> => ask('mail', { environment });
    expect((await in_('One')).status).to.equal(202);
    expectRefusal(await in_('One'), 409, 'CONFLICT');
    await server.pass(600);
    expect((await in_('Two')).status).to.equal(202);
    const refused = await in_('Three');
    expectRefusal(refused, 429, 'RATE_LIMIT_EXCEEDED', []);
    expect(refused.headers.get('retry-after')).to.equal('3000');
    // Before what does not exist (decisions 14).
    expectRefusal(await ask('unknown'), 429, 'RATE_LIMIT_EXCEEDED');
    server.clock.jump(server.clock.now() + 3_000_000);
    expect((await in_('Three')).status).to.equal(202);
    expectRefusal(await in_('Four'), 429, 'RATE_LIMIT_EXCEEDED');
  });
});
