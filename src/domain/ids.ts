/** Ids that cannot be mistaken for each other, and the rules of those that people choose. */
import { z } from 'zod';

/** A plugin's slug, global (decisions 2). Words that are routes of the IDP face are no slugs. */
export const PluginId = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'PluginId must contain only lowercase letters, numbers, and dashes')
  .refine((slug) => !reservedSlugs.has(slug), 'PluginId is a word that the API reserves')
  .brand<'PluginId'>();
export type PluginId = z.output<typeof PluginId>;

const reservedSlugs = new Set([
  ...['health', 'dependencies', 'install', 'uninstall', 'update', 'rollback'],
  ...['new', 'search', 'subscribe', 'unsubscribe', 'register'],
]);

/** Chosen by the platform's staff (decisions 3). */
export const TenantId = z
  .string()
  .min(1)
  .max(63)
  .regex(
    /^[a-z0-9]+([_-][a-z0-9]+)*$/,
    'TenantId must contain only lowercase letters, numbers, and single dashes or underscores between them',
  )
  .brand<'TenantId'>();
export type TenantId = z.output<typeof TenantId>;

/** The tenant that the platform's own staff belongs to (decisions 8). */
export const platformTenant = TenantId.parse('platform');

/** Compared without case (decisions 24): parsed as written, {@link environmentKey} compares. */
export const Environment = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9-]{0,39}$/,
    'Environment must start with a letter and contain only letters, numbers and dashes (at most 40)',
  )
  .brand<'Environment'>();
export type Environment = z.output<typeof Environment>;

export const UserId = z.string().startsWith('usr_').brand<'UserId'>();
export type UserId = z.output<typeof UserId>;

/** Names an API key, and is none. */
export const ApiKeyId = z.string().startsWith('key_').brand<'ApiKeyId'>();
export type ApiKeyId = z.output<typeof ApiKeyId>;

export const WebhookId = z.string().startsWith('wh_').brand<'WebhookId'>();
export type WebhookId = z.output<typeof WebhookId>;

export const DeploymentId = z.string().startsWith('dep-').brand<'DeploymentId'>();
export type DeploymentId = z.output<typeof DeploymentId>;

/** Where at most one deployment is current and at most one in flight: (tenant, environment, plugin). */
export interface Slot {
  readonly tenant: TenantId;
  readonly environment: Environment;
  readonly plugin: PluginId;
}

declare const slotKeyBrand: unique symbol;
/** `{tenant}.{environment in lower case}.{plugin}`: no part can contain a dot. */
export type SlotKey = string & { readonly [slotKeyBrand]: true };

export function slotKey(slot: Slot): SlotKey {
  return `${slot.tenant}.${slot.environment.toLowerCase()}.${slot.plugin}` as SlotKey;
}

/** The parts of a slot's key, the environment in lower case. Null when it is none. */
export function parseSlotKey(key: string): Slot | null {
  const [tenant, environment, plugin, ...rest] = key.split('.');
  const parts = {
    tenant: TenantId.safeParse(tenant),
    environment: Environment.safeParse(environment),
    plugin: PluginId.safeParse(plugin),
  };
  if (rest.length > 0 || !parts.tenant.success || !parts.environment.success || !parts.plugin.success)
    return null;
  return { tenant: parts.tenant.data, environment: parts.environment.data, plugin: parts.plugin.data };
}
