import { expect } from 'chai';
import type { z } from 'zod';
import { ComparisonAnswer, ProjectionListAnswer, RetriedAnswer } from '../../../src/api/audit/projections.ts';
import {
  comparisonLines,
  listLines,
  retriedLines,
  type Comparison,
  type List,
  type Retried,
} from '../../../src/audit-client/projections.ts';
import { createAcme, registerCorePayments } from '../../fixtures/plugin-manager.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from '../plugin-manager/whole-server.ts';

/** What the API answers is what is read of it: this does not compile otherwise. */
export const readsTheList = (answer: z.output<typeof ProjectionListAnswer>): List => answer;
export const readsTheComparison = (answer: z.output<typeof ComparisonAnswer>): Comparison => answer;
export const readsTheTry = (answer: z.output<typeof RetriedAnswer>): Retried => answer;

describe('read models over HTTP', () => {
  let server: WholeServer;
  before(async function () {
    this.timeout(60_000);
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', { ...createAcme, contactEmail: 'a@acme.com' });
    await server.ask('PluginDeveloper', 'POST', '/plugins', registerCorePayments);
    const canary = { strategy: 'Canary', totalInstances: 4, tenantId: acmeId, environment: 'Production' };
    const id = await server.deploy({ ...canary, pluginId: 'core-payments', pluginVersion: '1.4.0' });
    await server.finished(id);
    await server.pass(600);
  });
  after(() => server.stop());

  async function ask(method: 'GET' | 'POST', path: string): Promise<unknown> {
    const { status, body } = await server.ask('PlatformAdmin', method, `/projections${path}`);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  }

  it('are listed with how far they are', async () => {
    const list = ProjectionListAnswer.parse(await ask('GET', ''));
    expect(list.projections.map(({ name }) => name)).to.include.members([
      'deployments',
      'tenants',
      'webhooks',
    ]);
    for (const one of list.projections)
      expect(one).to.deep.include({ state: 'live', lagEvents: 0, parked: [] });
    expect(listLines(list)[0]).to.match(/^\S+ +version \d+ {2}live, 0 behind, at /);
  });

  it('are what the log makes of them, each of them, after a whole rollout', async () => {
    const { projections } = ProjectionListAnswer.parse(await ask('GET', ''));
    for (const { name } of projections) {
      const compared = ComparisonAnswer.parse(await ask('GET', `/${name}/diff`));
      expect(compared.differences, name).to.eql([]);
      if (name === 'tenants') expect(compared.documents).to.equal(1);
    }
  });

  it('show what is wrong with them, without what is sealed, and become what the log makes of them', async () => {
    const { readModels } = server.server.ports;
    const known = (await readModels.generations()).find(({ projection }) => projection === 'tenants');
    if (!known?.checkpoint) throw new Error('there are no tenants');
    const document = await readModels.get('tenants', acmeId, { kind: 'platform' });
    const wrong = { ...document?.data, name: 'Wrong', contactEmail: 'sealed:v1:other' };
    const writes = [
      { put: { collection: 'tenants', document: { id: acmeId, tenant: acmeId, data: wrong } } },
      { put: { collection: 'tenants', document: { id: 'ghost', tenant: 'ghost', data: { name: 'Boo' } } } },
    ];
    await readModels.commit(known, writes, known.checkpoint);

    const compared = ComparisonAnswer.parse(await ask('GET', '/tenants/diff'));
    expect(compared.different).to.equal(2);
    const byId = new Map(compared.differences.map((one) => [one.id, one]));
    expect(byId.get('ghost')?.kind).to.equal('extra');
    expect(byId.get(acmeId)?.changes).to.have.deep.members([
      { field: 'name', before: 'Wrong', after: createAcme.name },
      { field: 'contactEmail', before: '[sealed]', after: '[sealed]' },
    ]);
    expect(comparisonLines(compared)).to.include.members([
      `changed: tenants/${acmeId}`,
      `    name: Wrong → ${createAcme.name}`,
      'extra: tenants/ghost',
    ]);

    const rebuilt = ComparisonAnswer.parse(await ask('POST', '/tenants/rebuild'));
    expect(rebuilt.different).to.equal(2);
    expect(ComparisonAnswer.parse(await ask('GET', '/tenants/diff')).different).to.equal(0);
    const shown = await server.ask('PlatformAdmin', 'GET', `/tenants/${acmeId}`);
    expect(shown.body).to.deep.include({ name: createAcme.name, contactEmail: 'a@acme.com' });
    const gone = await server.ask('PlatformAdmin', 'GET', '/tenants/ghost');
    expectRefusal(gone, 404, 'NOT_FOUND');
  });

  it('park what nobody can read, are shown so, and try it again', async () => {
    const { eventStore } = server.server.ports;
    const unreadable = {
      ...{ id: '00000000-0000-4000-8000-00000000000a', type: 'TenantEdited', data: { at: 7 } },
      metadata: {
        ...{ tenant: acmeId, actor: { id: 'x', face: 'x' }, correlationId: 'c', causationId: 'c' },
        ...{ at: '2030-01-01T00:00:00.000Z', schema: 1 },
      },
    };
    await eventStore.append('tenant-broken', 'none', [unreadable]);
    await server.settle();
    const list = ProjectionListAnswer.parse(await ask('GET', ''));
    const tenants = list.projections.find(({ name }) => name === 'tenants');
    expect(tenants?.parked[0]).to.include({ stream: 'tenant-broken', revision: 0, type: 'TenantEdited' });
    expect(
      listLines(list).some((line) => /^ {4}parked since .*: tenant-broken from revision 0 on /.test(line)),
    ).to.equal(true);
    const retried = RetriedAnswer.parse(await ask('POST', '/tenants/retry'));
    expect(retried).to.include({ healed: 0 });
    expect(retried.parked).to.have.length(1);
    expect(retriedLines(retried)[0]).to.equal('tenants: 0 streams healed, 1 still wait');
    // The log that cannot be read is shown all the same.
    const log = await server.ask('PlatformAdmin', 'GET', '/audit/log?stream=tenant-broken');
    expect(JSON.stringify(log.body)).to.contain('cannot read');
    const state = await server.ask('PlatformAdmin', 'GET', '/audit/streams/tenant-broken/state');
    expect(state.status).to.equal(503);
  });
});
