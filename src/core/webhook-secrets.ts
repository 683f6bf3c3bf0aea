/** What webhooks are signed with: in the vault, several at a time while one takes over from another. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { TenantId, WebhookId } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Vault, VaultKey } from '../ports/vault.ts';
import { createQueues } from './waiting.ts';

export interface WebhookName {
  readonly tenantId: TenantId;
  readonly webhookId: WebhookId;
}

export interface WebhookSecrets {
  /** Durable when it resolves. Those there were hold until `othersUntil`, or as long as they would have. */
  add(name: WebhookName, secret: string, othersUntil: Date): Promise<void>;
  /** Those that hold now, the newest first. */
  valid(name: WebhookName): Promise<readonly string[]>;
  forget(name: WebhookName): Promise<void>;
}

const kind = 'webhook-secret';
/** More than anybody rotates in a day; the oldest ends early. */
const mostKept = 5;
const Kept = z.array(z.object({ secret: z.string(), until: z.iso.datetime().nullable() }));
type Kept = z.output<typeof Kept>;

/** 256 random bits as Standard Webhooks writes them. */
export function mintWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

export function createWebhookSecrets(
  vault: Pick<Vault, 'get' | 'put' | 'delete'>,
  clock: Pick<Clock, 'now'>,
): WebhookSecrets {
  const queued = createQueues();

  async function kept(name: WebhookName): Promise<Kept> {
    const value = await vault.get(keyOf(name));
    if (!value) return [];
    const record: unknown = JSON.parse(Buffer.from(value).toString());
    const now = new Date(clock.now()).toISOString();
    return Kept.parse(record).filter(({ until }) => until === null || until > now);
  }

  return {
    add: (name, secret, othersUntil) =>
      queued(keyOf(name).name, async () => {
        const until = othersUntil.toISOString();
        // The same again: a request that was repeated.
        const before = (await kept(name)).filter((one) => one.secret !== secret);
        const others = before.map((one) => ({ ...one, until: one.until ?? until }));
        const all = [{ secret, until: null }, ...others].slice(0, mostKept);
        await vault.put(keyOf(name), Buffer.from(JSON.stringify(all)));
      }),
    valid: async (name) => (await kept(name)).map(({ secret }) => secret),
    forget: async (name) => {
      await queued(keyOf(name).name, () => vault.delete(keyOf(name)));
    },
  };
}

function keyOf({ tenantId, webhookId }: WebhookName): VaultKey {
  return { kind, name: `${tenantId}/${webhookId}` };
}
