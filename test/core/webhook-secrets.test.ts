import { expect } from 'chai';
import {
  createWebhookSecrets,
  mintWebhookSecret,
  type WebhookSecrets,
} from '../../src/core/webhook-secrets.ts';
import { TenantId, WebhookId } from '../../src/domain/ids.ts';
import { WebhookSecret } from '../../src/domain/webhook.ts';
import { openTestVault } from '../support/test-vault.ts';
import type { Vault } from '../../src/ports/vault.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';

describe('secrets of webhooks', () => {
  const name = { tenantId: TenantId.parse('acme'), webhookId: WebhookId.parse('wh_1') };
  const hour = 3_600_000;
  let clock: VirtualClock;
  let vault: Vault;
  let secrets: WebhookSecrets;
  beforeEach(async () => {
    clock = createVirtualClock();
    vault = await openTestVault(clock);
    secrets = createWebhookSecrets(vault, clock);
  });
  afterEach(() => vault.close());
  const add = (secret: string, inHours = 24) =>
    secrets.add(name, secret, new Date(clock.now() + inHours * hour));

  it('hold together for a while, then the newest alone', async () => {
    expect(await secrets.valid(name)).to.deep.equal([]);
    await add('first');
    expect(await secrets.valid(name)).to.deep.equal(['first']);
    await add('second');
    await clock.advance(23 * hour);
    await add('third');
    expect(await secrets.valid(name)).to.deep.equal(['third', 'second', 'first']);
    await clock.advance(hour);
    expect(await secrets.valid(name)).to.deep.equal(['third', 'second']);
    await clock.advance(23 * hour);
    expect(await secrets.valid(name)).to.deep.equal(['third']);
  });

  it('are added one after the other, and the same one once', async () => {
    await Promise.all(['a', 'b', 'c', 'c'].map((secret) => add(secret)));
    expect(await secrets.valid(name)).to.have.ordered.members(['c', 'b', 'a']);
    for (const secret of ['d', 'e', 'f']) await add(secret);
    expect(await secrets.valid(name)).to.deep.equal(['f', 'e', 'd', 'c', 'b']);
  });

  it('are of one webhook of one tenant, and end with it', async () => {
    await add('first');
    for (const other of [
      { ...name, tenantId: TenantId.parse('globex') },
      { ...name, webhookId: WebhookId.parse('wh_2') },
    ])
      expect(await secrets.valid(other)).to.deep.equal([]);
    await secrets.forget(name);
    expect(await secrets.valid(name)).to.deep.equal([]);
  });

  it('are minted as those are that people may give', () => {
    expect(WebhookSecret.safeParse(mintWebhookSecret()).success).to.equal(true);
    for (const good of ['webhook_secret_key', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'])
      expect(WebhookSecret.safeParse(good).success, good).to.equal(true);
    for (const bad of [
      '',
      'short',
      'x'.repeat(257),
      'with blank 1234567',
      'gr\u00fc\u00dfe_aus_der_ferne',
      'whsec_tooshort1234',
      `whsec_${'!'.repeat(40)}`,
    ])
      expect(WebhookSecret.safeParse(bad).success, bad).to.equal(false);
  });
});
