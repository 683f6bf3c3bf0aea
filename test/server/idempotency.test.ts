/** `Idempotency-Key` over the wire ("Nothing is lost"): however often, whatever fails in between, one effect and one answer. */
import { expect } from 'chai';
import type { Reply } from '../support/http.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { logInAsAdmin, spawnServer, type SpawnedServer } from '../support/spawned-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { logFaults, logOf } from '../support/whole-log.ts';
import { type Call, caller } from '../support/writing-client.ts';

const atOnce = 50;
const crashes = process.env['SLIPWAY_LONG'] === '1' ? 200 : 10;
const seed = Number(process.env['SEED'] ?? Date.now());

const tenantOf = (tenantId: string, name = tenantId) => ({ tenantId, name, subscriptionTier: 'Standard' });
const pluginOf = (pluginId: string, name = pluginId) => ({
  ...{ pluginId, name },
  version: { semanticVersion: '1.0.0', state: 'Stable', runtime: { type: 'DotNet8', version: '8.0' } },
});

describe(`a request sent again with its Idempotency-Key (SEED=${seed})`, function () {
  this.timeout(crashes * 10_000);
  let data: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: SpawnedServer;
  let token: string | null = null;
  let call: Call;

  async function start(): Promise<void> {
    server = await spawnServer(data.path);
    token ??= await logInAsAdmin(server.client);
    call = caller(server.client, token);
  }

  before(async () => {
    data = await temporaryFolder();
    await start();
  });
  after(async () => {
    await server.kill();
    await data.remove();
  });

  const replayed = ({ headers }: Reply): boolean => headers.get('Idempotency-Replayed') === 'true';

  /** Sends it 50 times at once. @returns the one body that all answers have */
  async function sendAtOnce(path: string, body: object, key: string): Promise<unknown> {
    const replies = await Promise.all(Array.from({ length: atOnce }, () => call('POST', path, body, key)));
    const [first] = replies;
    for (const reply of replies) {
      expect(reply.status).to.be.within(200, 299);
      expect(reply.body).to.deep.equal(first?.body);
    }
    expect(replies.filter((reply) => !replayed(reply))).to.have.length(1);
    return first?.body;
  }

  it('has one effect and one answer, 50 times at once', async () => {
    await sendAtOnce('/tenants', tenantOf('tenant-once'), 'once-tenant');
    await sendAtOnce('/plugins', pluginOf('plugin-once'), 'once-plugin');
    const deployment = {
      ...{ pluginId: 'plugin-once', pluginVersion: '1.0.0', tenantId: 'tenant-once' },
      ...{ environment: 'Production' },
    };
    const deployed = await sendAtOnce('/plugin-deployments', deployment, 'once-deployment');
    const listed = await call('GET', '/plugin-deployments?tenantId=tenant-once');
    expect(listed.body).to.have.property('total', 1);
    const { deploymentId } = deployed as { readonly deploymentId: string };
    expect(listed.body).to.have.nested.property('deployments[0].deploymentId', deploymentId);
    const versions = await call('GET', '/plugins/plugin-once');
    expect(versions.body).to.have.property('versions').with.length(1);
  });

  it('is 422 with another body, later and at once', async () => {
    await sendAtOnce('/tenants', tenantOf('tenant-a'), 'other-body');
    const other = await call('POST', '/tenants', tenantOf('tenant-a', 'Another name'), 'other-body');
    expect(other.status).to.equal(422);
    expect(other.body).to.have.nested.property('error.code');
    const shown = await call('GET', '/tenants/tenant-a');
    expect(shown.body).to.have.property('name', 'tenant-a');

    const bodies = [tenantOf('tenant-b', 'This'), tenantOf('tenant-b', 'That')];
    const replies = await Promise.all(
      Array.from({ length: atOnce }, (_, index) => call('POST', '/tenants', bodies[index % 2], 'two-bodies')),
    );
    const answered = replies.filter(({ status }) => status === 201);
    const names = new Set(answered.map(({ body }) => (body as { readonly name: string }).name));
    expect(names.size).to.equal(1);
    expect(answered).to.have.length(atOnce / 2);
    expect(replies.filter(({ status }) => status === 422)).to.have.length(atOnce / 2);
  });

  it('keeps a refusal that was decided, too', async () => {
    await call('POST', '/tenants', tenantOf('tenant-c'), null);
    const refused = await call('POST', '/tenants', tenantOf('tenant-c'), 'refused');
    const again = await call('POST', '/tenants', tenantOf('tenant-c'), 'refused');
    expect([refused.status, again.status]).to.deep.equal([409, 409]);
    expect(again.body).to.deep.equal(refused.body);
    expect(replayed(again)).to.equal(true);
  });

  it(`is the same when the server is killed in between, ${crashes} times`, async () => {
    const random = seededRandom(seed);
    for (let round = 0; round < crashes; round += 1) {
      const request = random.pick([
        { path: '/tenants', body: tenantOf(`tenant-${round}`), other: tenantOf(`tenant-${round}`, 'Else') },
        { path: '/plugins', body: pluginOf(`plugin-${round}`), other: pluginOf(`plugin-${round}`, 'Else') },
      ]);
      const { path, body, other } = request;
      const key = `crash-${round}`;
      let turns = random.between(0, 60);
      const killSoon = (): void => {
        turns -= 1;
        if (turns < 0) void server.kill();
        else setImmediate(killSoon);
      };
      const sent = Array.from({ length: atOnce }, () => call('POST', path, body, key).catch(() => null));
      killSoon();
      const answers = (await Promise.all(sent)).filter((answer) => answer !== null);
      await server.kill();
      await start();

      const again = await call('POST', path, body, key);
      expect(again.status).to.equal(201);
      for (const answer of answers) expect(answer.body).to.deep.equal(again.body);
      if (answers.length > 0) expect(replayed(again)).to.equal(true);
      const once = await call('POST', path, body, key);
      expect(once.body).to.deep.equal(again.body);
      expect((await call('POST', path, other, key)).status).to.equal(422);
    }
    await server.stop();
    const events = await logOf(data.path);
    expect(logFaults(events)).to.deep.equal([]);
    for (const type of ['TenantCreated', 'PluginRegistered', 'VersionPublished', 'DeploymentRequested']) {
      const streams = events.filter((event) => event.type === type).map(({ stream }) => stream);
      expect(streams, type).to.deep.equal([...new Set(streams)]);
    }
  });
});
