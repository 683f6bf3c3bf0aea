/** What goes over the wire to a webhook, signed in two ways: as the IDP's document verifies it, and as Standard Webhooks does. */
import { createHmac } from 'node:crypto';
import type { JsonObject } from '../ports/event-store.ts';

export interface WebhookMessage {
  /** `evt_…` */
  readonly id: string;
  /** `deployment.completed` */
  readonly type: string;
  /** When it happened, ISO 8601. */
  readonly timestamp: string;
  readonly data: JsonObject;
}

export interface SignedMessage {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * @param secrets that hold, at least one, the newest first: it makes the body's own signature, and each makes one of the header's
 * @param at when it is sent, wall milliseconds
 */
export function signMessage(
  { id, type, timestamp, data }: WebhookMessage,
  secrets: readonly [string, ...string[]],
  at: number,
): SignedMessage {
  const payload = { id, type, timestamp, data };
  // "Webhook Verification" of the document: over the payload as JSON.stringify writes it, without this member.
  const signature = `sha256=${hmac(secrets[0], JSON.stringify(payload)).toString('hex')}`;
  const body = JSON.stringify({ ...payload, signature });
  const seconds = Math.floor(at / 1_000);
  const signatures = secrets.map(
    (secret) => `v1,${hmac(keyOf(secret), `${id}.${seconds}.${body}`).toString('base64')}`,
  );
  return {
    body,
    headers: {
      'Content-Type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(seconds),
      'webhook-signature': signatures.join(' '),
    },
  };
}

const prefix = 'whsec_';

/** Of Standard Webhooks; a secret of another form is its own bytes. */
function keyOf(secret: string): Buffer {
  return secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), 'base64') : Buffer.from(secret);
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
