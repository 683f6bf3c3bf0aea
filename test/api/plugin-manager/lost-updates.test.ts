/** What two people do to the same thing at once: with `If-Match`, nobody undoes what he has not seen. */
import { expect } from 'chai';
import { createAcme, registerCorePayments, registerStripe } from '../../fixtures/plugin-manager.ts';
import type { Reply } from '../../support/http.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from './whole-server.ts';

const core = '/plugins/core-payments';
const deployCore = {
  ...{ pluginId: 'core-payments', pluginVersion: '1.4.0' },
  ...{ tenantId: acmeId, environment: 'Production' },
};

describe('changes with If-Match', () => {
  let server: WholeServer;
  beforeEach(async () => {
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    await server.ask('PlatformAdmin', 'POST', '/plugins', registerCorePayments);
  });
  afterEach(() => server.stop());

  const ask = async (method: string, path: string, body?: unknown, headers = {}): Promise<Reply> =>
    server.ask('PlatformAdmin', method, path, body, { headers });
  const seen = (tag: string, key?: string) => ({
    'If-Match': tag,
    ...(key === undefined ? {} : { 'Idempotency-Key': key }),
  });

  /** Expects success. @returns its tag */
  async function tagOf(reply: Promise<Reply>): Promise<string> {
    const { status, headers, body } = await reply;
    expect(status, JSON.stringify(body)).to.be.within(200, 299);
    return headers.get('etag') ?? '';
  }
  const shown = (path: string): Promise<string> => tagOf(ask('GET', path));
  async function expectOutdated(reply: Promise<Reply>, message = /its version is \d+ by now/): Promise<void> {
    expect(expectRefusal(await reply, 412, 'PRECONDITION_FAILED', ['If-Match']).message).to.match(message);
  }

  it('are made by one of fifty who have seen the same, whatever they change', async () => {
    const person = { email: 'ada@acme.example.com', role: 'Viewer', tenantId: acmeId };
    const { body } = await ask('POST', '/users', { ...person, password: 'correct horse battery' });
    const { userId } = body as { readonly userId: string };
    for (const [path, change] of [
      [core, (index: number) => ({ description: `Said by ${index}` })],
      [`/tenants/${acmeId}`, (index: number) => ({ description: `Said by ${index}` })],
      [`/users/${userId}`, (index: number) => ({ name: `Ada ${index}` })],
      ['/rollout-freeze', null],
    ] as const) {
      const tag = await shown(path);
      const replies = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          change
            ? ask('PATCH', path, change(index), seen(tag))
            : ask('PUT', path, { reason: `Said by ${index}` }, seen(tag)),
        ),
      );
      const [won, ...more] = replies.filter(({ status }) => status === 200);
      expect(won, path).not.to.equal(undefined);
      expect(more, path).to.deep.equal([]);
      for (const reply of replies) if (reply !== won) expectRefusal(reply, 412, 'PRECONDITION_FAILED');
      expect((await ask('GET', path)).body, path).to.deep.include(won?.body);
      expect(won?.headers.get('etag')?.split('.')[0]).to.equal((await shown(path)).split('.')[0]);
    }
  });

  it('follow one another by the tags of their answers, which are those of the next read', async () => {
    for (const [path, first, second] of [
      [core, { description: 'One' }, { description: 'Two' }],
      [`${core}/versions/1.4.0`, { state: 'Deprecated' }, { state: 'Stable' }],
      [`/tenants/${acmeId}`, { name: 'One' }, { name: 'Two' }],
    ] as const) {
      const before = await shown(path);
      const once = await tagOf(ask('PATCH', path, first, seen(before)));
      expect(await shown(path))
        .to.equal(once)
        .and.not.equal(before);
      await expectOutdated(ask('PATCH', path, second, seen(before)), /its version is \S+ by now/);
      expect(await shown(path)).to.equal(once);
      const twice = await tagOf(ask('PATCH', path, second, seen(`${before}, ${once}`)));
      expect(await shown(path)).to.equal(twice);
      // The same as it is already: nothing changes, and so the tag stays.
      expect(await tagOf(ask('PATCH', path, second, seen(twice)))).to.equal(twice);
    }
  });

  it('are not in the way of what changes by itself, and the tag of a read tells of that all the same', async () => {
    const before = await shown(core);
    const tenantBefore = await shown(`/tenants/${acmeId}`);
    await server.finished(await server.deploy(deployCore));
    const [after, tenantAfter] = [await shown(core), await shown(`/tenants/${acmeId}`)];
    // It is installed once more, and the tenant uses more.
    expect(after).not.to.equal(before);
    expect(tenantAfter).not.to.equal(tenantBefore);
    expect((await ask('PATCH', core, { description: 'New' }, seen(before))).status).to.equal(200);
    const renamed = await ask('PATCH', `/tenants/${acmeId}`, { name: 'New' }, seen(tenantBefore));
    expect(renamed.status).to.equal(200);
  });

  it('of a version are not in the way of another, and a state that came back is another', async () => {
    const version = { ...registerCorePayments.version, semanticVersion: '1.5.0' };
    const one = `${core}/versions/1.4.0`;
    const tag = await shown(one);
    await tagOf(ask('POST', '/plugins', { ...registerCorePayments, version }));
    await tagOf(ask('PATCH', `${core}/versions/1.5.0`, { state: 'Yanked' }));
    await tagOf(ask('PATCH', core, { description: 'New' }));
    expect(await shown(one)).to.equal(tag);
    await tagOf(ask('PATCH', one, { state: 'Deprecated' }, seen(tag)));
    await tagOf(ask('PATCH', one, { state: 'Stable' }));
    await expectOutdated(ask('PATCH', one, { state: 'Yanked' }, seen(tag)), /by now/);
  });

  it('know a plugin that came anew under a slug from the one that was deleted', async () => {
    const before = await shown(core);
    const version = await shown(`${core}/versions/1.4.0`);
    await tagOf(ask('DELETE', core, undefined, seen(before)));
    expectRefusal(await ask('PATCH', core, { description: 'New' }, seen(before)), 404, 'NOT_FOUND');
    expectRefusal(await ask('PATCH', core, { description: 'New' }, seen('*')), 404, 'NOT_FOUND');
    await tagOf(ask('POST', '/plugins', registerCorePayments));
    await expectOutdated(ask('PATCH', core, { description: 'New' }, seen(before)));
    await expectOutdated(ask('DELETE', core, undefined, seen(before)));
    const old = ask('PATCH', `${core}/versions/1.4.0`, { state: 'Yanked' }, seen(version));
    await expectOutdated(old, /by now/);
    await tagOf(ask('PATCH', core, { description: 'New' }, seen('*')));
  });

  it('are refused to who may not make them, in the words of ever', async () => {
    const call = { headers: seen('"1.1234567890123456789012"') };
    const other = await server.ask('PluginDeveloper', 'PATCH', core, { description: 'Mine' }, call);
    expectRefusal(other, 403, 'FORBIDDEN');
    const role = await server.ask('Viewer', 'PATCH', core, { description: 'Mine' }, call);
    expectRefusal(role, 403, 'FORBIDDEN');
    const tag = await shown(core);
    const wrong = await ask('PATCH', core, { description: 7 }, seen(tag));
    expectRefusal(wrong, 400, 'VALIDATION_ERROR', ['description']);
  });

  it('stay made when they are repeated with their key, and are open to another try when they were not', async () => {
    const before = await shown(core);
    const edit = { description: 'Once' };
    const first = await ask('PATCH', core, edit, seen(before, 'first'));
    await tagOf(ask('PATCH', core, { description: 'Meanwhile' }));
    const again = await ask('PATCH', core, edit, seen(before, 'first'));
    expect([again.status, again.body]).to.deep.equal([200, first.body]);
    expect(again.headers.get('etag')).to.equal(first.headers.get('etag'));
    expect(again.headers.get('idempotency-replayed')).to.equal('true');
    await expectOutdated(ask('PATCH', core, edit, seen(before, 'second')));
    const now = await shown(core);
    const retried = await ask('PATCH', core, edit, seen(now, 'second'));
    expect([retried.status, retried.headers.get('idempotency-replayed')]).to.deep.equal([200, null]);
    expect((await ask('GET', core)).body).to.include(edit);
  });

  it('see that somebody has got a key or a password meanwhile', async () => {
    const token = await server.asRole('Viewer', acmeId);
    const me = await server.call('GET', '/api/v1/users/me', { token });
    const path = `/users/${(me.body as { readonly userId: string }).userId}`;
    const before = await shown(path);
    await tagOf(server.call('POST', '/api/v1/api-keys', { token, body: { name: 'Nightly' } }));
    await expectOutdated(ask('PATCH', path, { name: 'Vera' }, seen(before)));
    const after = await shown(path);
    await tagOf(ask('PATCH', path, { name: 'Vera' }, seen(after)));
    await expectOutdated(ask('PATCH', path, { disabled: true }, seen(after)));
    expect((await ask('GET', path)).body).to.include({ name: 'Vera', disabled: false });
  });

  it('leave an administrator counted who is not changed after all', async () => {
    const person = { email: 'second@example.com', role: 'PlatformAdmin', password: 'correct horse battery' };
    const { body } = await ask('POST', '/users', person);
    const path = `/users/${(body as { readonly userId: string }).userId}`;
    const before = await shown(path);
    await tagOf(ask('PATCH', path, { name: 'Second' }));
    await expectOutdated(ask('PATCH', path, { disabled: true }, seen(before)));
    // The first can go only because the second still counts.
    const me = await ask('GET', '/users/me');
    const first = `/users/${(me.body as { readonly userId: string }).userId}`;
    expect((await ask('PATCH', first, { role: 'PluginDeveloper' })).status).to.equal(200);
  });

  it('let a rollout be decided on as it was seen, and not as it has become', async () => {
    await tagOf(ask('POST', '/plugins', registerStripe));
    const id = await server.deploy({ ...deployCore, strategy: 'Canary', totalInstances: 10 });
    const path = `/plugin-deployments/${id}`;
    await server.pass(60);
    const early = await shown(path);
    await tagOf(ask('POST', `${path}/pause`, {}, seen(early)));
    for (const word of ['resume', 'promote', 'abort', 'rollback'])
      await expectOutdated(ask('POST', `${path}/${word}`, { reason: 'As seen' }, seen(early)));
    await expectOutdated(ask('DELETE', path, undefined, seen(early)));
    await tagOf(ask('POST', `${path}/resume`, {}, seen(await shown(path))));
    expect(await server.finished(id)).to.equal('Completed');

    const next = await server.deploy({ ...deployCore, configuration: { retries: 3 } });
    expect(await server.finished(next)).to.equal('Completed');
    const completed = `/plugin-deployments/${next}`;
    const tag = await shown(completed);
    await expectOutdated(ask('POST', `${completed}/rollback`, { reason: 'Bad' }, seen(early)));
    await expectOutdated(ask('DELETE', completed, undefined, seen(early)));
    await expectOutdated(ask('DELETE', `${completed}?force=true`, undefined, seen(early)));
    await tagOf(ask('POST', `${completed}/rollback`, { reason: 'Bad' }, seen(tag)));
    expect(await server.finished(next)).to.equal('RolledBack');
    await tagOf(ask('DELETE', path, undefined, seen(await shown(path))));
    await server.pass(60);
    expect(await server.shown(id)).to.include({ phase: 'Undeployed' });
  });

  it('let a secret be set by who wants it new, and replaced by who knows the last value', async () => {
    const path = `/tenants/${acmeId}/secrets/stripe`;
    const set = (value: string, headers: object) => ask('PUT', path, { value }, headers);
    const isNew = { 'If-None-Match': '*' };
    const replies = await Promise.all(Array.from({ length: 5 }, (_, index) => set(`v${index}`, isNew)));
    expect(replies.filter(({ status }) => status === 200)).to.have.length(1);
    for (const reply of replies.filter(({ status }) => status !== 200))
      expectRefusal(reply, 412, 'PRECONDITION_FAILED', ['If-None-Match']);
    const created = replies.find(({ status }) => status === 200)?.headers.get('etag') ?? '';
    await tagOf(ask('PUT', `/tenants/${acmeId}/secrets/other`, { value: 'of another' }));
    const replaced = await tagOf(set('v2', seen(created)));
    await expectOutdated(set('v3', seen(created)));
    await expectOutdated(ask('DELETE', path, undefined, seen(created)));
    await tagOf(ask('DELETE', path, undefined, seen(replaced)));
    await expectOutdated(set('v4', seen(replaced)), /it is not there/);
    expectRefusal(await set('v4', seen('*')), 412, 'PRECONDITION_FAILED', ['If-Match']);
    await tagOf(set('v4', isNew));
  });
});
