/** Several processes of the system, over the EventStoreDB and the MongoDB that are named: one is replaced, one is stopped for a while. */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { openEventStoreDb } from '../../src/adapters/eventstoredb/event-store.ts';
import { LoggedInAnswer } from '../../src/api/plugin-manager/authentication.ts';
import { ComparisonAnswer, ProjectionListAnswer } from '../../src/api/audit/projections.ts';
import { openSocket } from '../api/socket/client.ts';
import { openBalancer, type Balancer } from '../support/balancer.ts';
import { createClient, type Reply } from '../support/http.ts';
import { type Program, startProgram } from '../support/program.ts';
import { runs } from '../support/runs.ts';
import { adminEmail, adminPassword } from '../support/server.ts';
import { withStore } from '../support/stores.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

const stoppedMs = runs(15_000, 30_000);
/** The same in every run: the log of the server that is named outlives it, and with it the vault has to. */
const secret = (purpose: string): string =>
  createHash('sha256').update(`processes ${purpose}`).digest('base64');

withStore('EVENTSTORE_OTHER_URL', 'several processes of the system', (url) => {
  withStore('MONGODB_URL', 'over a log and read models of their own', (server) => suite(url, server));
});

function suite(url: string, server: string): void {
  const name = String(Date.now());
  const started: { readonly program: Program; readonly remove: () => Promise<void> }[] = [];
  let settings: Record<string, string>;
  let balancer: Balancer;
  let apis: Program[];
  let workers: Program[];
  let token: string;

  async function start(roles: string): Promise<Program> {
    const folder = await temporaryFolder();
    const program = startProgram({ ...settings, SLIPWAY_ROLES: roles, SLIPWAY_DATA_DIR: folder.path });
    started.push({ program, remove: () => folder.remove() });
    return program;
  }
  async function startApi(): Promise<Program> {
    const program = await start('api');
    balancer.add(await program.url);
    return program;
  }

  before(async function () {
    this.timeout(180_000);
    const log = await openEventStoreDb({ url });
    const mongo = new URL(server);
    if (mongo.username !== '' && !mongo.searchParams.has('authSource'))
      mongo.searchParams.set('authSource', mongo.pathname.length > 1 ? mongo.pathname.slice(1) : 'admin');
    mongo.pathname = `/slipway_test_log_${log.logId.replaceAll('-', '').slice(0, 24)}`;
    await log.close();
    settings = {
      ...{ EVENTSTORE_URL: url, MONGODB_URL: mongo.href, SLIPWAY_RUNTIME: 'agent' },
      ...{ SLIPWAY_MASTER_KEY: secret('master key'), JWT_SECRET: secret('sessions') },
      ...{ SLIPWAY_ADMIN_EMAIL: adminEmail, SLIPWAY_ADMIN_PASSWORD: adminPassword },
      ...{ SLIPWAY_RATE_LIMITS: 'off', SLIPWAY_DRAIN_SECONDS: '1' },
    };
    balancer = await openBalancer();
    workers = await Promise.all([start('projector,processes'), start('processes,projector')]);
    apis = await Promise.all([startApi(), startApi()]);
    await Promise.all(workers.map((worker) => worker.url));
    await until('both to be ready', 60_000, async () => balancer.ready.length === 2 || null);
    const body = { username: adminEmail, password: adminPassword };
    const login = await createClient(balancer.url).call('POST', '/api/v1/authentication/login', { body });
    expect(login.status, 'the log that EVENTSTORE_OTHER_URL names is of another platform').to.equal(200);
    token = LoggedInAnswer.parse(login.body).token;
  });
  after(async function () {
    this.timeout(60_000);
    for (const { program } of started) {
      program.child.kill('SIGCONT');
      program.child.kill('SIGKILL');
    }
    for (const { program, remove } of started) {
      await program.ended;
      await remove();
    }
    await balancer.close();
  });

  const ask = (
    method: string,
    path: string,
    body?: object,
    headers = {},
    at = balancer.url,
  ): Promise<Reply> =>
    createClient(at).call(method, `/api/v1${path}`, { token, headers, ...(body && { body }) });
  const create = (tenantId: string): Promise<Reply> =>
    ask('POST', '/tenants', { tenantId, name: tenantId, subscriptionTier: 'Standard' });

  /** Clients that make tenants one after the other, whatever happens. @returns how each was answered, once it is over */
  function keepWriting(prefix: string, clients = 4) {
    const state = { over: false };
    const answers = new Map<string, string>();
    const running = Array.from({ length: clients }, async (_, client) => {
      for (let index = 1; !state.over; index += 1) {
        const id = `${prefix}-${client}-${index}`;
        const told = await create(id).then(
          ({ status }) => String(status),
          (error: unknown) => String(error),
        );
        answers.set(id, told);
      }
    });
    return {
      answers,
      async end() {
        state.over = true;
        await Promise.all(running);
        return answers;
      },
    };
  }
  async function expectShown(ids: Iterable<string>, position: string): Promise<void> {
    for (const id of ids)
      expect((await ask('GET', `/tenants/${id}`, undefined, { 'X-Position': position })).status, id).to.equal(
        200,
      );
  }

  it('show at one what the other was told, and tell sockets of both', async function () {
    this.timeout(60_000);
    const [one, other] = await Promise.all(apis.map((api) => api.url));
    const socket = await openSocket(other!);
    await socket.authenticate(token);
    await socket.subscribe(['tenants']);
    for (let index = 1; index <= 5; index += 1) {
      const id = `seen-${name}-${index}`;
      const body = { tenantId: id, name: id, subscriptionTier: 'Standard' };
      const { status, headers } = await ask('POST', '/tenants', body, {}, one);
      expect(status).to.equal(201);
      const position = { 'X-Position': headers.get('X-Position') ?? '' };
      expect((await ask('GET', `/tenants/${id}`, undefined, position, other)).status).to.equal(200);
    }
    await ask('PATCH', `/tenants/seen-${name}-1`, { name: 'Told' }, {}, one);
    await until(
      'a frame',
      10_000,
      async () => socket.frames.some((frame) => JSON.stringify(frame).includes(`seen-${name}-1`)) || null,
    );
    await socket.close();
  });

  it('lose no request when they are replaced one after the other', async function () {
    this.timeout(180_000);
    const writing = keepWriting(`rolled-${name}`);
    for (const api of apis) {
      const gone = await api.url;
      api.child.kill('SIGTERM');
      expect(await api.ended).to.deep.equal({ code: 0, stderr: '' });
      balancer.remove(gone);
      await startApi();
      await until('both to be ready', 60_000, async () => balancer.ready.length === 2 || null);
    }
    for (const worker of workers) {
      worker.child.kill('SIGTERM');
      expect(await worker.ended).to.deep.equal({ code: 0, stderr: '' });
      await (
        await start('projector,processes')
      ).url;
    }
    const answers = await writing.end();
    expect([...answers].filter(([, told]) => told !== '201')).to.deep.equal([]);
    expect(answers.size).to.be.above(50);
    const { headers } = await create(`rolled-${name}-last`);
    await expectShown([...answers.keys()].slice(-20), headers.get('X-Position') ?? '');
  });

  it(`refuse what a leader that was stopped for ${stoppedMs / 1_000} s still writes`, async function () {
    this.timeout(stoppedMs + 180_000);
    const running = started.map(({ program }) => program).filter(({ child }) => child.exitCode === null);
    const leaders: Program[] = [];
    for (const program of running) if (!balancer.ready.includes(await program.url)) leaders.push(program);
    expect(leaders).to.have.length(2);
    for (const stopped of leaders) {
      const writing = keepWriting(`stopped-${name}-${leaders.indexOf(stopped)}`);
      await pause(1_000);
      stopped.child.kill('SIGSTOP');
      await pause(stoppedMs);
      const { headers } = await create(`meanwhile-${name}-${leaders.indexOf(stopped)}`);
      const position = headers.get('X-Position') ?? '';
      // A transaction in the middle of which it was stopped holds its documents until the server ends it.
      await until('the other to have taken over', 90_000, async () => {
        const path = `/tenants/meanwhile-${name}-${leaders.indexOf(stopped)}`;
        return (await ask('GET', path, undefined, { 'X-Position': position })).status === 200 || null;
      });
      stopped.child.kill('SIGCONT');
      await pause(3_000);
      const answers = await writing.end();
      expect([...answers].filter(([, told]) => told !== '201')).to.deep.equal([]);
      const last = await create(`continued-${name}-${leaders.indexOf(stopped)}`);
      await expectShown([...answers.keys()].slice(-20), last.headers.get('X-Position') ?? '');
    }
  });

  it('leave read models that are what the log makes of them', async function () {
    this.timeout(180_000);
    const running = started.map(({ program }) => program).filter(({ child }) => child.exitCode === null);
    for (const { child } of running) child.kill('SIGTERM');
    for (const { ended } of running) expect(await ended).to.deep.equal({ code: 0, stderr: '' });
    const alone = await (await start('api,projector,processes')).url;
    const list = ProjectionListAnswer.parse((await ask('GET', '/projections', undefined, {}, alone)).body);
    expect(list.projections.flatMap(({ parked }) => parked)).to.deep.equal([]);
    for (const projection of list.projections) {
      const path = `/projections/${projection.name}/diff`;
      const reply = await until(`the lead of ${projection.name}`, 15_000, async () => {
        const asked = await ask('GET', path, undefined, {}, alone);
        return asked.status === 503 ? null : asked;
      });
      expect(ComparisonAnswer.parse(reply.body), projection.name).to.include({ different: 0 });
    }
  });
}
