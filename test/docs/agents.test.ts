/** The calls of docs/agents.md, pasted as they stand into a shell. */
import { expect } from 'chai';
import { clientBlocks, printed } from '../support/shell.ts';
import { logInAsAdmin, spawnServer } from '../support/spawned-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';
import { caller } from '../support/writing-client.ts';

describe('docs/agents.md', function () {
  this.timeout(60_000);

  it('shows calls that work: a key, assignments, waiting for more, a report that is accepted', async () => {
    const blocks = await clientBlocks('docs/agents.md');
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
        JSON.parse(await printed(blocks[index] ?? '', variables)) as Record<string, unknown>;

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
