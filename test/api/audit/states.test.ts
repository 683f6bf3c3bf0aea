import { expect } from 'chai';
import type { z } from 'zod';
import {
  DocumentAnswer,
  DocumentChangesAnswer,
  StateAnswer,
  StateChangesAnswer,
} from '../../../src/api/audit/states.ts';
import { changesLines, stateLines, type Changes, type State } from '../../../src/audit-client/states.ts';
import { createAcme, registerCorePayments } from '../../fixtures/plugin-manager.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from '../plugin-manager/whole-server.ts';

/** What the API answers is what is read of it: this does not compile otherwise. */
export const readsTheStates = (answer: z.output<typeof StateAnswer | typeof DocumentAnswer>): State => answer;
export const readsTheChanges = (
  answer: z.output<typeof StateChangesAnswer | typeof DocumentChangesAnswer>,
): Changes => answer;

describe('what was so, over HTTP', () => {
  let server: WholeServer;
  let deployment: string;
  /** Before the tenant was edited, and while the deployment ran. */
  let early: string;
  let during: string;
  before(async function () {
    this.timeout(60_000);
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', { ...createAcme, contactEmail: 'a@acme.com' });
    await server.ask('PluginDeveloper', 'POST', '/plugins', registerCorePayments);
    early = new Date(server.clock.now()).toISOString();
    await server.pass(60);
    const edit = { name: 'Acme Inc', contactEmail: 'b@acme.com' };
    await server.ask('PlatformAdmin', 'PATCH', `/tenants/${acmeId}`, edit);
    const deploy = {
      pluginId: 'core-payments',
      pluginVersion: '1.4.0',
      tenantId: acmeId,
      environment: 'Production',
    };
    deployment = await server.deploy({ ...deploy, configuration: { apiKey: 'plain', mode: 'live' } });
    during = new Date(server.clock.now()).toISOString();
    await server.finished(deployment);
  });
  after(() => server.stop());

  async function ask(path: string, role: 'PlatformAdmin' | 'TenantAdmin' = 'TenantAdmin'): Promise<unknown> {
    const { status, body } = await server.ask(role, 'GET', `/audit/${path}`);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  }

  it('shows what a stream said at a time, and says now', async () => {
    const then = StateAnswer.parse(await ask(`streams/tenant-${acmeId}/state?at=${early}`));
    expect(then.state).to.include({ name: createAcme.name, contactEmail: '[sealed]' });
    expect(then.last).to.include({ revision: 0, type: 'TenantCreated' });
    const now = StateAnswer.parse(await ask(`streams/tenant-${acmeId}/state`));
    expect(now.state).to.include({ name: 'Acme Inc' });
    const again = StateAnswer.parse(await ask(`streams/tenant-${acmeId}/state?at=${then.last.position}`));
    expect(again).to.eql(then);
    expect(stateLines(then)[0]).to.match(/^tenant-tenant-acme-corp as of revision 0 \(TenantCreated of /);
  });

  it('shows what changed between two times, and that something sealed did', async () => {
    const told = StateChangesAnswer.parse(await ask(`streams/tenant-${acmeId}/changes?from=${early}`));
    expect(told.changes).to.deep.include({ field: 'name', before: createAcme.name, after: 'Acme Inc' });
    expect(told.changes).to.deep.include({ field: 'contactEmail', before: '[sealed]', after: '[sealed]' });
    const all = StateChangesAnswer.parse(await ask(`streams/tenant-${acmeId}/changes`));
    expect(all.from).to.equal(null);
    expect(changesLines(told)).to.include(`name: ${createAcme.name} → Acme Inc`);
    const none = StateChangesAnswer.parse(await ask(`streams/tenant-${acmeId}/changes?from=${during}`));
    expect(none.changes).to.eql([]);
    expect(changesLines(none).at(-1)).to.equal('nothing changed');
  });

  it('shows what a read model said then', async () => {
    const path = `documents/deployments/${deployment}`;
    const then = DocumentAnswer.parse(await ask(`${path}/state?at=${during}`));
    expect(then.state).to.be.an('object');
    expect(JSON.stringify(then.state)).to.contain('[hidden]').and.not.to.contain('plain');
    const { changes } = DocumentChangesAnswer.parse(await ask(`${path}/changes?from=${during}`));
    expect(changes.length).to.be.greaterThan(0);
    expect(JSON.stringify(changes)).to.contain('Completed');
    expect(stateLines(then)[0]).to.contain(`deployments/${deployment} as of `);
  });

  it('says of what was not there yet that there was none', async () => {
    for (const path of [
      `streams/deployment-${deployment}/state?at=${early}`,
      `streams/deployment-${deployment}/changes?to=${early}`,
      `documents/deployments/${deployment}/state?at=${early}`,
      `documents/deployments/${deployment}/changes?to=${early}`,
      'streams/nonsense/state',
      'streams/tenant-%00/state',
      'documents/nothings/x/state',
      'documents/__proto__/x/state',
    ]) {
      const reply = await server.ask('PlatformAdmin', 'GET', `/audit/${path}`);
      expectRefusal(reply, 404, 'NOT_FOUND');
    }
  });

  it('refuses a beginning behind the end', async () => {
    const reply = await server.ask(
      'PlatformAdmin',
      'GET',
      `/audit/streams/tenant-${acmeId}/changes?from=${during}&to=${early}`,
    );
    expectRefusal(reply, 400, 'VALIDATION_ERROR', ['from']);
  });

  it('says in a sentence what retention has taken', async () => {
    await server.server.ports.eventStore.setRetention(`health-${deployment}`, { truncateBefore: 1 });
    const reply = await server.ask('PlatformAdmin', 'GET', `/audit/streams/health-${deployment}/state`);
    expect(expectRefusal(reply, 409, 'CONFLICT').message).to.match(/^What health-.* are kept no longer$/);
  });
});
