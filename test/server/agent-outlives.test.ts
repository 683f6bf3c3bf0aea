/** The server is killed in the middle of a canary while its agent, a program of its own, goes on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { logInAsAdmin, spawnServer, type SpawnedServer } from '../support/spawned-server.ts';
import { stageFaults } from '../support/stage-faults.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';
import { logFaults, logOf } from '../support/whole-log.ts';
import { caller } from '../support/writing-client.ts';

const bakeMs = 6_000;
const stages = [1, 3, 5, 10];
const plan = stages.map((instances) => ({ instances, bakeMs }));

describe('a canary of agents of which the server is killed in the middle of a stage', function () {
  this.timeout(240_000);

  it('ends as if it had not been: the agent and its instances go on, nothing is started anew', async () => {
    const data = await temporaryFolder();
    // The agent must find the server again.
    const settings = { SLIPWAY_RUNTIME: 'agent', PORT: String(await freePort()) };
    let server: SpawnedServer | null = null;
    let agent: Agent | null = null;
    try {
      server = await spawnServer(data.path, settings);
      const token = await logInAsAdmin(server.client);
      const call = caller(server.client, token);
      const send = async (path: string, body: object): Promise<unknown> => {
        const answer = await call('POST', path, body);
        expect(answer.status, JSON.stringify(answer.body)).to.be.within(200, 299);
        return answer.body;
      };
      await send('/tenants', { tenantId: 'acme', name: 'Acme' });
      const version = { semanticVersion: '1.0.0', state: 'Stable', runtime: { type: 'DotNet8' } };
      await send('/plugins', { pluginId: 'mailer', name: 'Mailer', version });
      const scope = { tenantId: 'acme', environment: 'Production' };
      const { key } = (await send('/api-keys', { name: 'Agent', scope })) as { readonly key: string };
      const keyFile = join(data.path, 'agent.key');
      await writeFile(keyFile, `${key}\n`);
      agent = startAgent(['--url', server.client.url, '--key-file', keyFile, '--simulate', 'healthy']);
      await agent.says(/THIS AGENT SIMULATES/);

      const { deploymentId } = (await send('/plugin-deployments', {
        ...{ pluginId: 'mailer', pluginVersion: '1.0.0', tenantId: 'acme', environment: 'Production' },
        strategy: 'Canary',
        strategyConfig: { stages: '10,30,50,100', stageInterval: '6' },
        healthCheck: { intervalSeconds: 1 },
        totalInstances: 10,
      })) as { readonly deploymentId: string };
      const reached = (what: string, is: (state: Shown) => boolean): Promise<true> =>
        until(what, 120_000, async () => {
          const { status, body } = await call('GET', `/plugin-deployments/${deploymentId}`);
          expect(status).to.equal(200);
          return is(body as Shown) || null;
        });
      await reached('the second stage bakes', ({ stage, phase }) => stage === 2 && phase === 'Baking');
      await server.kill();
      await agent.says(/cannot be reached.*instances go on/);
      const startedAt = Date.now();
      server = await spawnServer(data.path, settings);
      await agent.says(/answers again/);
      await reached('it completes', ({ status }) => status === 'Completed');

      expect(await agent.stop(), agent.said()).to.equal(0);
      expect(await server.stop()).to.equal(0);
      const events = await logOf(data.path);
      expect(logFaults(events)).to.deep.equal([]);
      const own = events.filter(({ stream }) => stream === `deployment-${deploymentId}`);
      // Nothing interrupted the stage, so all of its time counts here; what it had earned when it was killed, no event had kept.
      expect(stageFaults(own, plan, [])).to.deep.equal([]);
      const next = own.find(({ type, data }) => type === 'StageStarted' && data['stage'] === 2);
      expect(Date.parse(next?.metadata.at ?? '') - startedAt).to.be.at.least(bakeMs);
      const types = own.map(({ type }) => type);
      expect(types).not.to.include('StageInterrupted');
      expect(types.filter((type) => type === 'StageStarted')).to.have.length(stages.length);
      const instances = events
        .filter(({ stream }) => stream === `health-${deploymentId}`)
        .flatMap(({ data: { reports } }) => reports as readonly { readonly instance: string }[]);
      expect(new Set(instances.map(({ instance }) => instance)).size, 'instances that ever were').to.equal(
        10,
      );
    } finally {
      await agent?.stop();
      await server?.kill();
      await data.remove();
    }
  });

  it('cannot be begun with a key that is none, nor without a word on how to simulate', async () => {
    const data = await temporaryFolder();
    const server = await spawnServer(data.path, { SLIPWAY_RUNTIME: 'agent' });
    try {
      const { url } = server.client;
      const refused = startAgent(['--url', url, '--key', 'slw_none', '--simulate', 'healthy']);
      expect(await refused.ended).to.equal(1);
      expect(refused.said()).to.match(/The key is not good for an agent: 401/);
      for (const options of [
        ['--url', url, '--key', 'x'],
        ['--url', url, '--simulate', 'healthy'],
        ['--url', 'nowhere', '--key', 'x', '--simulate', 'healthy'],
        ['--url', url, '--key', 'x', '--simulate', 'well'],
      ])
        expect(await startAgent(options).ended, options.join(' ')).to.be.oneOf([1, 2]);
    } finally {
      await server.kill();
      await data.remove();
    }
  });
});

interface Shown {
  readonly status: string;
  readonly phase: string;
  readonly stage: number;
}

interface Agent {
  /** Resolves once it has said so. */
  says(what: RegExp): Promise<unknown>;
  said(): string;
  readonly ended: Promise<number | null>;
  /** SIGTERM. @returns the exit code */
  stop(): Promise<number | null>;
}

function startAgent(options: readonly string[]): Agent {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'src/cli.ts', 'agent', ...options],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    says: (what) => until(`the agent says ${String(what)}: ${text}`, 60_000, async () => what.exec(text)),
    said: () => text,
    ended,
    stop: () => {
      if (child.exitCode === null) child.kill('SIGTERM');
      return ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('there is no port');
  return address.port;
}
