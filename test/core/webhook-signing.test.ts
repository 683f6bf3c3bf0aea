/** What is sent is accepted by the verifiers of others: the IDP document's own lines, and the package `standardwebhooks`. */
import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { mintWebhookSecret } from '../../src/core/webhook-secrets.ts';
import { signMessage } from '../../src/core/webhook-signing.ts';
import type { JsonObject } from '../../src/ports/event-store.ts';

/** As "Webhook Verification" of the document has it. */
function verifyWebhook(payload: unknown, signature: unknown, secret: string): boolean {
  const hash = createHmac('sha256', secret).update(JSON.stringify(payload)).digest('hex');
  return `sha256=${hash}` === signature;
}

const standard = (secret: string): Webhook =>
  secret.startsWith('whsec_') ? new Webhook(secret) : new Webhook(secret, { format: 'raw' });

const message = (data: JsonObject) => ({
  id: 'evt_123',
  type: 'plugin.installed',
  timestamp: '2024-01-15T10:30:00Z',
  data,
});

const secrets = fc.oneof(
  fc.constantFrom(mintWebhookSecret(), 'webhook_secret_key'),
  fc.stringMatching(/^[\x21-\x7e]{16,64}$/).filter((text) => !text.startsWith('whsec_')),
);
/** Objects as events hold them: what JSON makes of them is what they are. */
const data = fc
  .dictionary(fc.string(), fc.jsonValue())
  .map((made) => JSON.parse(JSON.stringify(made)) as JsonObject);

describe('a signed message', () => {
  it('is accepted by both verifiers, whatever it says and whatever the secret', () => {
    fc.assert(
      fc.property(data, secrets, (sent, secret) => {
        const { body, headers } = signMessage(message(sent), [secret], Date.now());
        const { signature, ...payload } = JSON.parse(body) as Record<string, unknown>;
        expect(verifyWebhook(payload, signature, secret)).to.equal(true);
        expect(payload).to.deep.equal(message(sent));
        expect(standard(secret).verify(body, headers)).to.deep.equal(JSON.parse(body));
      }),
    );
  });

  it('is refused by both when anything of it was changed, or the secret is another', () => {
    const secret = mintWebhookSecret();
    const { body, headers } = signMessage(message({ a: 1 }), [secret], Date.now());
    const forged = body.replace('"a":1', '"a":2');
    const { signature, ...payload } = JSON.parse(forged) as Record<string, unknown>;
    expect(verifyWebhook(payload, signature, secret)).to.equal(false);
    expect(() => standard(secret).verify(forged, headers)).to.throw(/signature/i);
    expect(() => standard(secret).verify(body, { ...headers, 'webhook-id': 'evt_124' })).to.throw(
      /signature/i,
    );
    expect(() => standard(mintWebhookSecret()).verify(body, headers)).to.throw(/signature/i);
    const stale = signMessage(message({ a: 1 }), [secret], Date.now() - 3_600_000);
    expect(() => standard(secret).verify(stale.body, stale.headers)).to.throw(/old/);
  });

  it('is accepted with every secret that holds while one takes over, and its body with the newest', () => {
    const [newest, older] = [mintWebhookSecret(), 'webhook_secret_key'];
    const { body, headers } = signMessage(message({}), [newest, older], Date.now());
    for (const secret of [newest, older]) standard(secret).verify(body, headers);
    const { signature, ...payload } = JSON.parse(body) as Record<string, unknown>;
    expect(verifyWebhook(payload, signature, newest)).to.equal(true);
  });
});
