/** The calls of docs/api.md, pasted as they stand into one shell. */
import { expect } from 'chai';
import { registerCorePayments, registerStripe } from '../fixtures/plugin-manager.ts';
import { startTestServer } from '../support/server.ts';
import { clientBlocks, printed } from '../support/shell.ts';

describe('docs/api.md', () => {
  it('shows calls that do what is said of them: what is new, and what was not seen', async function () {
    this.timeout(30_000);
    const blocks = await clientBlocks('docs/api.md');
    expect(blocks).to.have.length(3);
    const server = await startTestServer();
    try {
      const token = await server.asRole('PlatformAdmin');
      for (const body of [registerCorePayments, registerStripe])
        expect((await server.call('POST', '/api/v1/plugins', { token, body })).status).to.equal(201);
      await server.settle();
      const output = await printed(blocks.join('\n'), { API: `${server.url}/api/v1`, TOKEN: token });
      const statuses = output.trim().split('\n');
      expect(statuses.map((line) => line.split(' ')[1])).to.deep.equal(['304', '200', '412']);
      const { body } = await server.call('GET', '/api/v1/plugins/payment-stripe', { token });
      expect(body).to.include({ name: 'Stripe Payments' });
    } finally {
      await server.stop();
    }
  });
});
