/** The snippets of docs/webhooks.md, run on what is really sent. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { mintWebhookSecret } from '../../src/core/webhook-secrets.ts';
import { signMessage } from '../../src/core/webhook-signing.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/webhooks.md'), 'utf8');
const snippets = [...page.matchAll(/^```javascript\n(.*?)^```$/gms)].map(([, code]) => code ?? '');

/** @param result an expression over what the snippet has declared */
async function run(snippet: string, result: string, given: object): Promise<unknown> {
  // A module of its own, so that its imports work; what it is given stands before it.
  const inputs = Object.entries(given).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};`);
  const found = import.meta.resolve('standardwebhooks');
  const code = `${inputs.join('\n')}\n${snippet.replace("'standardwebhooks'", `'${found}'`)}\nexport const result = ${result};`;
  const made = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as {
    readonly result: unknown;
  };
  return made.result;
}

describe('docs/webhooks.md', () => {
  const message = {
    id: 'evt_1',
    type: 'deployment.rolled_back',
    timestamp: '2030-01-15T03:12:09.120Z',
    data: { reason: 'Its canary failed – three times in a row', evidence: ['…'] },
  };
  const [standard = '', own = ''] = snippets;

  for (const secret of [mintWebhookSecret(), 'webhook_secret_key'])
    it(`verifies what is sent, and nothing else (${secret.slice(0, 6)})`, async () => {
      const { body, headers } = signMessage(message, [secret], Date.now());
      expect(await run(standard, 'payload', { body, headers, secret })).to.deep.include(message);
      expect(await run(own, '[genuine, payload]', { body, secret })).to.deep.equal([true, message]);
      const forged = body.replace('failed', 'passed');
      expect(await run(own, 'genuine', { body: forged, secret })).to.equal(false);
      const refused = await run(standard, 'payload', { body: forged, headers, secret }).catch(String);
      expect(refused).to.match(/signature/i);
    });
});
