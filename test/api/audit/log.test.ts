import { expect } from 'chai';
import { LogAnswer } from '../../../src/api/audit/schemas.ts';
import { createAcme } from '../../fixtures/plugin-manager.ts';
import { adminEmail } from '../../support/server.ts';
import { acmeId, openWholeServer, type WholeServer } from '../plugin-manager/whole-server.ts';

describe('GET /api/v1/audit/log', () => {
  let server: WholeServer;
  before(async () => {
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', { ...createAcme, contactEmail: 'old@acme.com' });
    await server.ask('PlatformAdmin', 'POST', '/tenants', { tenantId: 'globex', name: 'Globex' });
  });
  after(() => server.stop());

  async function read(role: 'PlatformAdmin' | 'TenantAdmin', query: string) {
    const { status, body } = await server.ask(role, 'GET', `/audit/log?${query}`);
    expect(status, JSON.stringify(body)).to.equal(200);
    return LogAnswer.parse(body);
  }

  it('tells who changed what, from what to what, and of nothing that is sealed', async () => {
    const edit = {
      name: 'Acme Inc',
      rateLimits: { maxRequestsPerMinute: 7_777 },
      contactEmail: 'new@acme.com',
    };
    const edited = await server.ask('PlatformAdmin', 'PATCH', `/tenants/${acmeId}`, edit);
    expect(edited.status).to.equal(200);
    const { entries } = await read('TenantAdmin', `stream=tenant-${acmeId}&type=TenantEdited`);
    const [entry] = entries;
    expect(entries).to.have.length(1);
    expect(entry).to.deep.include({
      ...{ type: 'TenantEdited', tenantId: acmeId, summary: 'Tenant edited', revision: 1 },
      correlationId: edited.headers.get('x-correlation-id'),
    });
    expect(entry?.actor).to.include({ face: 'plugin-manager', email: adminEmail });
    const changes = new Map(entry?.changes?.map(({ field, ...change }) => [field, change]));
    expect(changes.get('name')).to.eql({ before: createAcme.name, after: 'Acme Inc' });
    expect(changes.get('rateLimits.maxRequestsPerMinute')).to.deep.include({ after: 7_777 });
    expect(changes.get('contactEmail')).to.eql({ before: '[sealed]', after: '[sealed]' });
    expect(JSON.stringify(entries)).not.to.contain('sealed:');
  });

  it('finds everything that came of one request by the id that its answer carries', async () => {
    const reply = await server.ask('PlatformAdmin', 'POST', '/tenants', {
      tenantId: 'initech',
      name: 'Initech',
    });
    const id = reply.headers.get('x-correlation-id') ?? '';
    const { entries } = await read('PlatformAdmin', `correlationId=${id}&order=oldest`);
    expect(entries.map(({ type }) => type)).to.eql(['NameReserved', 'TenantCreated']);
  });

  it('shows a tenant its own alone, whatever it asks for', async () => {
    const all = await read('PlatformAdmin', 'about=globex');
    expect(all.entries).not.to.have.length(0);
    for (const query of ['about=globex', 'stream=tenant-globex', 'type=TenantCreated', 'limit=100']) {
      const { entries } = await read('TenantAdmin', query);
      expect(entries.filter(({ tenantId }) => tenantId !== acmeId)).to.eql([]);
    }
    const foreign = await server.ask('TenantAdmin', 'GET', '/audit/log?tenantId=globex');
    expect(foreign.status).to.equal(403);
  });

  it('reads on with a cursor, and is followed from its head', async () => {
    const first = await read('PlatformAdmin', 'limit=2');
    const second = await read('PlatformAdmin', `limit=2&cursor=${first.next ?? ''}`);
    const both = await read('PlatformAdmin', 'limit=4');
    expect([...first.entries, ...second.entries]).to.eql(both.entries);
    await server.ask('PlatformAdmin', 'PATCH', '/tenants/globex', { name: 'Globex Inc' });
    const followed = await read('PlatformAdmin', `order=oldest&cursor=${first.head}`);
    expect(followed.entries.map(({ type }) => type)).to.eql(['TenantEdited']);
    expect(followed.end).to.equal(true);
  });

  it('finds by time', async () => {
    const before = new Date(server.clock.now()).toISOString();
    await server.pass(600);
    await server.ask('PlatformAdmin', 'PATCH', '/tenants/globex', { name: 'Late' });
    const after = new Date(server.clock.now() - 1_000).toISOString();
    const { entries } = await read('PlatformAdmin', `about=globex&from=${after}`);
    expect(entries.map(({ type }) => type)).to.eql(['TenantEdited']);
    const older = await read('PlatformAdmin', `about=globex&to=${before}&limit=1`);
    expect(older.entries[0]?.at).to.satisfy((at: string) => at <= before);
    expect((await read('PlatformAdmin', 'from=2099-01-01T00:00:00Z')).entries).to.eql([]);
    expect((await read('PlatformAdmin', 'to=1999-01-01T00:00:00Z')).entries).to.eql([]);
  });
});
