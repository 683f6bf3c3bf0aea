/** The calls of docs/agents.md, pasted as they stand into a shell. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { logInAsAdmin, spawnServer } from '../support/spawned-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';
import { caller } from '../support/writing-client.ts';

const root = resolve(import.meta.dirname, '../..');

describe('docs/agents.md', function () {
  this.timeout(60_000);

  it('shows calls that work: a key, assignments, waiting for more, a report that is accepted', async () => {
    const page = await readFile(join(root, 'docs/agents.md'), 'utf8');
    const blocks = [...page.matchAll(/<!-- run: client -->\n```sh\n([^]*?)```/g)].map(
      ([, text]) => text ?? '',
    );
    expect(blocks).to.have.length(4);
    const folder = await temporaryFolder();
    const server = await spawnServer(folder.path, { SLIPWAY_RUNTIME: 'agent' });
    try {
      const token = await logInAsAdmin(server.client);
      const call = caller(server.client, token);
      await call('POST', '/tenants', { tenantId: 'tenant-acme-corp', name: 'Acme Corporation' });
      const version = { semanticVersion: '1.9.0', state: 'Stable', runtime: { type: 'DotNet8' } };
      await call('POST', '/plugins', { pluginId: 'payment-stripe', name: 'Stripe', version });
      const made = await call('POST', '/plugin-deployments', {
        ...{ pluginId: 'payment-stripe', pluginVersion: '1.9.0' },
        ...{ tenantId: 'tenant-acme-corp', environment: 'Production' },
      });
      const { deploymentId } = made.body as { readonly deploymentId: string };
      const variables: Record<string, string> = {
        API: `${server.client.url}/api/v1`,
        TOKEN: token,
        DEPLOYMENT: deploymentId,
      };
      const run = async (index: number): Promise<Record<string, unknown>> =>
        JSON.parse(await output(blocks[index] ?? '', variables)) as Record<string, unknown>;

      variables['KEY'] = String((await run(0))['key']);
      // The deployment reaches its agents when the rollout process has looked at it.
      const told = await until('it is assigned', 10_000, async () => {
        const answer = await run(1);
        const [slot] = answer['assignments'] as { readonly epoch: number }[];
        return slot ? { cursor: String(answer['cursor']), epoch: slot.epoch } : null;
      });
      Object.assign(variables, { CURSOR: told.cursor, EPOCH: String(told.epoch) });
      expect(await run(2)).to.have.property('cursor', told.cursor);
      expect(await run(3)).to.include({ deploymentId, epoch: told.epoch, assigned: true, accepted: 1 });
    } finally {
      await server.kill();
      await folder.remove();
    }
  });
});

async function output(script: string, variables: Readonly<Record<string, string>>): Promise<string> {
  const shims =
    spawnSync('sh', ['-c', 'command -v curl']).status === 0 ? '' : join(root, 'test/support/shims') + ':';
  const shell = spawn('sh', ['-c', script], {
    env: { ...process.env, ...variables, no_proxy: '*', PATH: `${shims}${process.env['PATH'] ?? ''}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  shell.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(shell, 'close');
  return text;
}
