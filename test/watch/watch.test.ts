import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { expect } from 'chai';
import { Refused, watch, type Seen } from '../../src/watch/watch.ts';
import { Watched } from '../../src/watch/picture.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const deployment = (status: string) => ({
  ...{
    deploymentId: 'dep-1',
    pluginId: 'p',
    pluginVersion: '1.0.0',
    tenantId: 't',
    environment: 'Production',
  },
  ...{ strategy: 'Direct', runtime: 'agent', status, phase: status, stage: 1, progress: 0 },
  ...{ totalInstances: 1, healthyInstances: 0, unhealthyInstances: 0, reason: null },
  ...{ previousDeploymentId: null, lastHealthCheck: null, estimatedCompletionAt: null },
  plan: { stages: [{ percent: 100, instances: 1, bakeMs: 0, approval: false }] },
});

describe('watching a deployment', () => {
  /** @param answers in turn; an error is thrown */
  async function seen(...answers: readonly (string | Error)[]) {
    const clock = createVirtualClock();
    const left = [...answers];
    const platform = {
      deployment: async () => {
        const next = left.shift() ?? new Error('asked once too often');
        if (next instanceof Error) throw next;
        return Watched.parse(deployment(next));
      },
    };
    const all: Seen[] = [];
    const end = (async () => {
      for await (const one of watch(platform, 'dep-1', clock)) all.push(one);
    })();
    end.catch(() => undefined);
    for (let look = 0; look <= answers.length; look += 1) await clock.advance(2_000);
    return { all, end, pending: clock.pending() };
  }

  it('ends with the deployment, and asks no more', async () => {
    const { all, end, pending } = await seen('Pending', 'InProgress', 'Completed');
    await end;
    expect(all.map((one) => 'watched' in one && one.watched.status)).to.eql([
      ...['Pending', 'InProgress', 'Completed'],
    ]);
    expect(pending).to.equal(0);
  });

  it('goes on when the platform was away', async () => {
    const { all, end } = await seen('InProgress', new Error('connection refused'), 'RolledBack');
    await end;
    expect(all[1]).to.eql({ lost: 'connection refused' });
    expect(all).to.have.length(3);
  });

  it('gives up when the platform says no', async () => {
    const { end } = await seen(new Refused('There is no deployment dep-1'));
    const error: unknown = await end.catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(Refused);
  });
});

describe('slipway watch', () => {
  async function run(listener: RequestListener, ...args: readonly string[]) {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const url = `http://127.0.0.1:${address.port}`;
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', 'src/cli.ts', 'watch', '--url', url, ...args],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    server.close();
    return { code, stdout, stderr };
  }

  const answering =
    (status: number, body: object): RequestListener =>
    (request, response) => {
      const known = request.headers['x-api-key'] === 'slw_1' || request.headers.authorization === 'Bearer t';
      response.writeHead(known ? status : 500, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };

  it('exits with 0 for what is Completed', async () => {
    const { code, stdout } = await run(answering(200, deployment('Completed')), 'dep-1', '--key', 'slw_1');
    expect(stdout).to.equal('Completed; stage 1 of 1; 0 of 1 healthy\n');
    expect(code).to.equal(0);
  });

  it('exits with 3 for what ended otherwise, and speaks JSON', async () => {
    const { code, stdout } = await run(
      answering(200, deployment('RolledBack')),
      ...['dep-1', '--json', '--key', 't'],
    );
    expect(JSON.parse(stdout)).to.include({ status: 'RolledBack' });
    expect(code).to.equal(3);
  });

  it("exits with 1 and the platform's words when it refuses, with 2 without a key", async () => {
    const refusal = answering(404, { error: { message: 'There is no deployment dep-1' } });
    const refused = await run(refusal, 'dep-1', '--key', 't');
    expect(refused).to.eql({ code: 1, stdout: '', stderr: 'There is no deployment dep-1\n' });
    expect((await run(refusal, 'dep-1')).code).to.equal(2);
  });
});
