/** What the outside is told, on sockets and webhooks: one list of types, one shape. docs/events.md shows each. */
import type { JsonObject, Position } from '../../ports/event-store.ts';
import type { Scope } from '../../ports/read-models.ts';

/** What is subscribed to. */
export const channels = ['plugins', 'deployments', 'health', 'tenants'] as const;
export type Channel = (typeof channels)[number];

/** Every type, as sockets spell it, with its channel. */
export const announcementTypes = {
  'plugin:registered': 'plugins',
  'plugin:version:published': 'plugins',
  'plugin:version:changed': 'plugins',
  /** What is said of the plugin itself. */
  'plugin:edited': 'plugins',
  'plugin:deleted': 'plugins',
  /** In a tenant's environment, as are the next two. */
  'plugin:installed': 'plugins',
  /** To another version or configuration, forwards or back. */
  'plugin:updated': 'plugins',
  'plugin:uninstalled': 'plugins',
  /** Whatever is shown of a deployment has changed; its beginning and its end are told by this one too. */
  'deployment:status': 'deployments',
  'deployment:requested': 'deployments',
  'deployment:approval_requested': 'deployments',
  'deployment:paused': 'deployments',
  'deployment:resumed': 'deployments',
  'deployment:rolling_back': 'deployments',
  'deployment:completed': 'deployments',
  'deployment:rolled_back': 'deployments',
  'deployment:rollback_failed': 'deployments',
  'deployment:failed': 'deployments',
  'deployment:cancelled': 'deployments',
  'deployment:superseded': 'deployments',
  'deployment:undeployed': 'deployments',
  'health:reported': 'health',
  'tenant:created': 'tenants',
  'tenant:updated': 'tenants',
  'tenant:suspended': 'tenants',
  'tenant:reactivated': 'tenants',
} as const satisfies Readonly<Record<string, Channel>>;
export type AnnouncementType = keyof typeof announcementTypes;

/** Webhooks use dots where sockets use colons (decisions 38). */
export function webhookType(type: AnnouncementType): string {
  return type.replaceAll(':', '.');
}

export interface Announcement {
  /** `evt_…`: the same for the same fact, whenever and however often it is told. */
  readonly id: string;
  /** Of the recorded event that it tells. */
  readonly eventId: string;
  readonly type: AnnouncementType;
  readonly channel: Channel;
  /** Whose fact it is; null: the platform's. */
  readonly tenant: string | null;
  /** `public`: every tenant may see it; `tenant`: only its own. The platform sees all. */
  readonly visibility: 'public' | 'tenant';
  /** Of the event in the log: announcements of one event share it. */
  readonly position: Position;
  /** When it happened, ISO 8601. */
  readonly timestamp: string;
  readonly data: JsonObject;
}

/** Whom an announcement may reach: isolation of tenants on sockets and webhooks sits here and nowhere else. */
export function isVisible(
  { visibility, tenant }: Pick<Announcement, 'visibility' | 'tenant'>,
  to: Scope,
): boolean {
  return to.kind === 'platform' || visibility === 'public' || tenant === to.tenant;
}
