/** The socket of a whole server, as its users meet it. */
import { expect } from 'chai';
import WebSocket from 'ws';
import { acmeId, openWholeServer, tenantOf, type WholeServer } from '../plugin-manager/whole-server.ts';
import { openSocket, socketClient, socketUrl, type SocketClient } from './client.ts';

describe('the socket', function () {
  this.timeout(30_000);
  let server: WholeServer;
  const open: SocketClient[] = [];
  before(async () => {
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', { tenantId: acmeId, name: 'Acme' });
    await server.ask('PlatformAdmin', 'POST', '/plugins', {
      ...{ pluginId: 'mailer', name: 'Mailer', packageName: '@acme/mailer' },
      version: { semanticVersion: '1.0.0', state: 'Stable', runtime: { type: 'Node' } },
    });
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((client) => client.close()));
  });
  after(() => server.stop());

  async function connect(): Promise<SocketClient> {
    const client = await openSocket(server.url);
    open.push(client);
    return client;
  }

  /** @returns the position it has reached */
  async function edit(name: string): Promise<string | null> {
    const reply = await server.ask('PlatformAdmin', 'PATCH', '/plugins/mailer', { name });
    expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
    await server.settle();
    return reply.headers.get('x-position');
  }

  /** Edits, and waits until somebody else has been told: all are told at once. */
  async function toldToAnother(name: string): Promise<void> {
    const another = await connect();
    await another.authenticate(await server.asRole('Viewer', tenantOf.Viewer));
    await another.subscribe(['plugins']);
    await edit(name);
    expect((await another.next()).data).to.include({ displayName: name });
  }

  it('does what the IDP document shows, word for word', async () => {
    const token = await server.asRole('TenantAdmin', tenantOf.TenantAdmin);
    const ws = new WebSocket(socketUrl(server.url));
    const client = socketClient(ws);
    open.push(client);
    ws.on('open', () => {
      // Authenticate
      ws.send(
        JSON.stringify({
          type: 'auth',
          token: `Bearer ${token}`,
        }),
      );

      // Subscribe to events
      ws.send(
        JSON.stringify({
          type: 'subscribe',
          channels: ['plugins', 'catalog', 'deployments'],
        }),
      );
    });
    expect(await client.next()).to.include({ type: 'authenticated', tenantId: acmeId });
    const subscribed = await client.next();
    expect(subscribed).to.deep.include({
      channels: ['plugins', 'deployments'],
      unknown: ['catalog'],
      denied: [],
    });
    expect(subscribed.position).to.be.a('string');

    const deploymentId = await server.deploy({
      ...{ pluginId: 'mailer', pluginVersion: '1.0.0', tenantId: acmeId, environment: 'Production' },
      ...{ strategy: 'Direct', strategyConfig: { bakeSeconds: '10' } },
    });
    expect(await server.finished(deploymentId)).to.equal('Completed');
    const status = await client.nextOf('deployment:status');
    expect(status.data).to.include({
      deploymentId,
      service: 'mailer',
      environment: 'production',
      progress: 0,
    });
    const installed = await client.nextOf('plugin:installed');
    expect(Object.keys(installed)).to.have.members([
      'type',
      'timestamp',
      'data',
      'id',
      'channel',
      'position',
    ]);
    expect(installed.data).to.include({ name: '@acme/mailer', version: '1.0.0' });
    expect(installed.data?.['pluginId']).to.match(/^plg_/);
    expect((await client.nextOf('deployment:completed')).data).to.include({ status: 'completed' });
  });

  it('tells everybody of plugins, and says what it tells nobody, or not this one', async () => {
    const client = await connect();
    await client.authenticate(await server.asRole('Viewer', tenantOf.Viewer));
    const subscribed = await client.subscribe(['plugins', 'deployments', 'nonsense', 'plugins']);
    expect(subscribed).to.deep.include({
      ...{ channels: ['plugins'], unknown: ['nonsense'] },
      denied: [{ channel: 'deployments', permission: 'deployments:read' }],
    });
    await edit('Told to viewers');
    expect((await client.nextOf('plugin:edited')).data).to.include({ displayName: 'Told to viewers' });
  });

  it('queues what is subscribed before the authentication', async () => {
    const client = await connect();
    client.send({ type: 'subscribe', channels: ['plugins'] });
    client.send({ type: 'auth', token: await server.asRole('Viewer', tenantOf.Viewer) });
    expect((await client.next()).type).to.equal('authenticated');
    expect((await client.next()).type).to.equal('subscribed');
  });

  it('resumes from a position: nothing is missed, nothing comes twice, also in the middle of an event', async () => {
    const token = await server.asRole('TenantAdmin', tenantOf.TenantAdmin);
    const first = await connect();
    await first.authenticate(token);
    const { position: start } = await first.subscribe(['plugins', 'deployments']);
    await edit('Before the cut');
    await server.deploy({
      ...{ pluginId: 'mailer', pluginVersion: '1.0.0', tenantId: acmeId, environment: 'Staging' },
      ...{ strategy: 'Direct', strategyConfig: { bakeSeconds: '10' } },
    });
    await server.pass(60);
    await first.nextOf('deployment:completed');
    const all = first.frames.filter(({ position, data }) => position !== undefined && data !== undefined);
    expect(all.length).to.be.greaterThan(6);

    for (const [index, last] of [{ position: start }, ...all].entries()) {
      const again = await connect();
      await again.authenticate(token);
      const { position } = await again.subscribe(['plugins', 'deployments'], { since: last.position });
      expect(position).to.equal(last.position);
      for (const expected of all.slice(index)) expect(await again.next()).to.deep.equal(expected);
      await again.close();
    }
  });

  it('resumes after a restart of the server', async () => {
    const token = await server.asRole('Viewer', tenantOf.Viewer);
    const before = await connect();
    await before.authenticate(token);
    const { position } = await before.subscribe(['plugins']);
    await server.restart();
    expect(await before.closed).to.deep.equal({ code: 1001, reason: 'the server stops' });
    await edit('While nobody listened');
    const after = await connect();
    await after.authenticate(token);
    await after.subscribe(['plugins'], { since: position });
    expect((await after.next()).data).to.include({ displayName: 'While nobody listened' });
    await edit('And live again');
    expect((await after.next()).data).to.include({ displayName: 'And live again' });
  });

  it('resumes from the X-Position of an answer', async () => {
    const client = await connect();
    await client.authenticate(await server.asRole('Viewer', tenantOf.Viewer));
    const seen = await edit('Already seen');
    await client.subscribe(['plugins'], { since: seen });
    await edit('Not seen yet');
    expect((await client.next()).data).to.include({ displayName: 'Not seen yet' });
  });

  it('says what to do with a position that is none of this log, or of no time yet', async () => {
    const client = await connect();
    await client.authenticate(await server.asRole('Viewer', tenantOf.Viewer));
    const { position = '' } = await client.subscribe(['plugins']);
    for (const since of [
      'nonsense',
      'another-log:1',
      position.replace(/\d+$/, '99999999'),
      `${position}+wrong1`,
    ]) {
      client.send({ type: 'subscribe', channels: ['plugins'], since });
      const { error } = await client.nextOf('error');
      expect(error, since).to.include({ code: 'POSITION_UNKNOWN' });
      expect(error?.message).to.include('without since');
    }
    await edit('It goes on');
    expect((await client.next()).data).to.include({ displayName: 'It goes on' });
  });

  it('tells only what a filter names, and nothing once it is unsubscribed', async () => {
    const client = await connect();
    await client.authenticate(await server.asRole('Viewer', tenantOf.Viewer));
    await client.subscribe(['plugins'], {
      filter: { pluginId: ['@acme/other', 'mailer'], types: 'plugin:edited' },
    });
    await server.ask('PlatformAdmin', 'POST', '/plugins', {
      ...{ pluginId: 'unasked', name: 'Unasked' },
      version: { semanticVersion: '1.0.0', runtime: { type: 'Node' } },
    });
    await edit('Asked for');
    expect((await client.next()).data).to.include({ slug: 'mailer', displayName: 'Asked for' });

    client.send({ type: 'unsubscribe', channels: ['plugins', 'nothing'] });
    expect(await client.next()).to.deep.include({
      type: 'unsubscribed',
      channels: ['plugins'],
      unknown: ['nothing'],
    });
    await toldToAnother('To nobody here');
    client.send({ type: 'ping' });
    expect((await client.next()).type).to.equal('pong');
    client.send({ type: 'subscribe', channels: ['plugins'], filter: { types: ['plugin:nonsense'] } });
    expect((await client.next()).error?.message).to.include('plugin:nonsense');
  });

  it('subscribed to anew takes the newer filter', async () => {
    const client = await connect();
    await client.authenticate(await server.asRole('Viewer', tenantOf.Viewer));
    await client.subscribe(['plugins']);
    await client.subscribe(['plugins'], { filter: { types: 'plugin:deleted' } });
    await toldToAnother('Not a deletion');
    client.send({ type: 'ping' });
    expect((await client.next()).type).to.equal('pong');
  });
});
