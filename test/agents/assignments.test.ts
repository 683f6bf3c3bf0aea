/** What agents are told to run, and how they wait for it. */
import { expect } from 'chai';
import { deployStripe, registerStripe } from '../fixtures/plugin-manager.ts';
import { core, openProtocol, type Protocol } from './protocol.ts';

describe("assignments in the agents' protocol", function () {
  this.timeout(60_000);
  let server: Protocol['server'];
  let key: Protocol['key'];
  let ask: Protocol['ask'];
  let deployed: Protocol['deployed'];
  let asking: Protocol['asking'];
  beforeEach(async () => {
    ({ server, key, ask, deployed, asking } = await openProtocol());
  });
  afterEach(() => server.stop());

  it('say all that should run: the configuration as it was deployed, and what the version says of itself', async () => {
    await server.startAgent();
    const id = await server.deploy(core);
    expect(await server.finished(id)).to.equal('Completed');
    const { id: canary } = await deployed(deployStripe);
    const { assignments } = await server.assigned(key);
    expect(assignments.map(({ slot }) => slot)).to.deep.equal([
      'tenant-acme-corp.production.core-payments',
      'tenant-acme-corp.production.payment-stripe',
    ]);
    expect(assignments[1]?.deployments).to.deep.equal([
      {
        ...{ deploymentId: canary, pluginId: 'payment-stripe', version: '2.0.0', instances: 1 },
        configuration: deployStripe.configuration,
        healthCheck: { timeoutSeconds: 1, successThreshold: 1, ...deployStripe.healthCheck },
        runtime: registerStripe.version.runtime,
        ...{ binaryUrl: registerStripe.version.binaryUrl, checksum: registerStripe.version.checksum },
      },
    ]);
    expect(JSON.stringify(assignments)).to.include('${secret:stripe-api-key}');
  });

  it("are of the key's environment alone, in upper or lower case", async () => {
    await deployed();
    const other = await server.agentKey('Staging');
    expect((await server.assigned(other)).assignments).to.deep.equal([]);
    const lower = await server.agentKey('production');
    expect(await server.assigned(lower)).to.deep.equal(await server.assigned(key));
  });

  it('are answered at once after another cursor or none, and with the same cursor when nothing changed', async () => {
    await deployed();
    const first = await server.assigned(key);
    for (const query of ['', '?wait=30', '?after=another&wait=30', `?after=${first.cursor}&wait=0`])
      expect((await ask(query)).body).to.deep.equal(first);
  });

  it('wait for a change, which all who wait are told, and nobody of another environment', async () => {
    const elsewhere = await server.agentKey('Staging');
    const [{ cursor }, other] = [await server.assigned(key), await server.assigned(elsewhere)];
    let answered = 0;
    const waiting = await asking(40, () =>
      Array.from({ length: 40 }, () => ask(`?after=${cursor}&wait=30`).finally(() => (answered += 1))),
    );
    let staging = false;
    void ask(`?after=${other.cursor}&wait=30`, elsewhere).finally(() => (staging = true));
    await server.pass(10);
    expect(answered).to.equal(0);
    const { id } = await deployed();
    const bodies = (await Promise.all(waiting)).map(({ body }) => JSON.stringify(body));
    expect(new Set(bodies).size).to.equal(1);
    expect(bodies[0]).to.include(id);
    expect(staging).to.equal(false);
    await server.pass(21);
  });

  it('are answered as they are when the wait is over', async () => {
    const before = await server.assigned(key);
    let answered = false;
    const [waiting] = await asking(1, () => [
      ask(`?after=${before.cursor}&wait=5`).finally(() => (answered = true)),
    ]);
    await server.pass(4);
    expect(answered).to.equal(false);
    await server.pass(1);
    expect((await waiting).body).to.deep.equal(before);
  });

  it('are answered when the server stops, so that it can', async () => {
    const { cursor } = await server.assigned(key);
    const [waiting] = await asking(1, () => [ask(`?after=${cursor}&wait=55`)]);
    await server.server.stop();
    expect((await waiting).status).to.equal(200);
  });

  it('keep their cursor over a restart', async () => {
    await deployed();
    const before = await server.assigned(key);
    await server.restart();
    expect(await server.assigned(key)).to.deep.equal(before);
  });

  it('forget a deployment once nothing of it should run', async () => {
    await server.startAgent({ simulate: ['sick-after:20'] });
    const { id } = await deployed();
    expect(await server.finished(id)).to.equal('Failed');
    expect((await server.assigned(key)).assignments).to.deep.equal([]);
  });

  it('are not made to wait by a position that an agent sends', async () => {
    const { headers } = await server.ask('TenantAdmin', 'POST', '/plugin-deployments', core);
    const position = headers.get('x-position') ?? '';
    const reply = await server.call('GET', '/api/v1/agent/assignments', {
      headers: { 'X-API-Key': key, 'X-Position': position },
    });
    expect([reply.status, reply.headers.get('x-stale')]).to.deep.equal([200, null]);
  });
});
