import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { expect } from 'chai';
import { z } from 'zod';
import { Refused } from '../../src/client/api.ts';
import { watch, type Seen } from '../../src/watch/watch.ts';
import { HistoryEntry } from '../../src/watch/history.ts';
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

const entry = (summary: string): HistoryEntry => ({
  ...{ at: '2030-01-01T00:00:00.000Z', summary, reason: null, evidence: [], by: null },
});

describe('watching a deployment', () => {
  /** @param answers in turn; an error is thrown */
  async function seen(...answers: readonly (string | Error)[]) {
    return seenWithHistory(answers, []);
  }

  /** @param histories whole, in turn; then the last of them */
  async function seenWithHistory(
    answers: readonly (string | Error)[],
    histories: readonly (readonly HistoryEntry[] | Error)[],
  ) {
    const clock = createVirtualClock();
    const left = [...answers];
    const answersOfHistory = [...histories];
    const history = histories.filter((one) => !(one instanceof Error)).at(-1) ?? [];
    const platform = {
      deployment: async () => {
        const next = left.shift() ?? new Error('asked once too often');
        if (next instanceof Error) throw next;
        return Watched.parse(deployment(next));
      },
      historyAfter: async (_id: string, count: number) => {
        const next = answersOfHistory.shift() ?? history;
        if (next instanceof Error) throw next;
        return next.slice(count);
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

  it('tells each entry of the history once, also when the platform was away in between', async () => {
    const [a, b, c] = [entry('a'), entry('b'), entry('c')];
    const { all, end } = await seenWithHistory(
      ['Pending', 'InProgress', new Error('away'), 'InProgress', 'Completed'],
      [[a], [a, b], new Error('away as well'), [a, b, c]],
    );
    await end;
    expect(all.map((one) => ('watched' in one ? one.news.map(({ summary }) => summary) : one.lost))).to.eql([
      ...[['a'], ['b'], 'away', 'away as well', ['c']],
    ]);
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

  const known = ({ headers }: IncomingMessage): boolean =>
    headers['x-api-key'] === 'slw_1' || headers.authorization === 'Bearer t';
  const answer = (response: ServerResponse, status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const entries = [
    { ...entry('Stage 1 of 1 began'), event: 'StageStarted', by: 'a@b.c' },
    { ...entry('It goes back by itself'), reason: 'Sick', evidence: ['Sick', '3 probes failed'] },
  ];
  const answering =
    (shown: object): RequestListener =>
    (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
      const [offset, limit] = ['offset', 'limit'].map((name) => Number(searchParams.get(name)));
      const isHistory = pathname === '/api/v1/plugin-deployments/dep-1/history';
      // A page of one, as of a history longer than a page.
      const page = { entries: entries.slice(offset).slice(0, 1), total: 2, limit, offset };
      answer(response, known(request) ? 200 : 401, isHistory ? page : shown);
    };
  const told = [
    '01-01 00:00 Stage 1 of 1 began (a@b.c)',
    '01-01 00:00 It goes back by itself',
    '            - Sick',
    '            - 3 probes failed',
  ];

  it('exits with 0 for what is Completed', async () => {
    const { code, stdout } = await run(answering(deployment('Completed')), 'dep-1', '--key', 'slw_1');
    expect(stdout.split('\n')).to.eql([...told, 'Completed; stage 1 of 1; 0 of 1 healthy', '']);
    expect(code).to.equal(0);
  });

  it('exits with 3 for what ended otherwise, and speaks JSON', async () => {
    const { code, stdout } = await run(
      answering(deployment('RolledBack')),
      ...['dep-1', '--json', '--key', 't'],
    );
    const seen = z.object({ status: z.string(), news: z.array(HistoryEntry) }).parse(JSON.parse(stdout));
    expect(seen.status).to.equal('RolledBack');
    expect(seen.news.map(({ evidence }) => evidence)).to.eql([[], ['Sick', '3 probes failed']]);
    expect(code).to.equal(3);
  });

  it('goes on where it was when the server is stopped, starts, and is there again', async () => {
    let asked = 0;
    const { code, stdout } = await run(
      (request, response) => {
        if (!request.url?.includes('history')) asked += 1;
        if (asked === 2) request.socket.destroy();
        else if (asked === 3) answer(response, 503, { error: { message: 'Starting' } });
        else answering(deployment(asked === 1 ? 'InProgress' : 'Completed'))(request, response);
      },
      ...['dep-1', '--key', 't'],
    );
    const lines = stdout.split('\n');
    expect(lines.slice(0, 5)).to.eql([...told, 'InProgress; stage 1 of 1; 0 of 1 healthy']);
    expect(lines[5]).to.match(/^not reached, asked again: /);
    expect(lines.slice(6)).to.eql([
      ...['not reached, asked again: Starting', 'Completed; stage 1 of 1; 0 of 1 healthy', ''],
    ]);
    expect(code).to.equal(0);
  }).timeout(30_000);

  it("exits with 1 and the platform's words when it refuses, with 2 without a key", async () => {
    const refusal: RequestListener = (_request, response) =>
      answer(response, 404, { error: { message: 'There is no deployment \x1b[2Jdep-1' } });
    const refused = await run(refusal, 'dep-1', '--key', 't');
    expect(refused).to.eql({ code: 1, stdout: '', stderr: 'There is no deployment  [2Jdep-1\n' });
    expect((await run(refusal, 'dep-1')).code).to.equal(2);
  });
});
