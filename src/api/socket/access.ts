/** Which channels a principal may listen to, and what of them it may see. */
import type { Announcement, Channel } from '../../projections/announcements/types.ts';
import { announcementTypes, channels, isVisible } from '../../projections/announcements/types.ts';
import type { Permission } from '../../domain/permissions.ts';
import type { Authenticated, Authentication } from '../authentication.ts';
import type { Principal } from '../http/principal.ts';
import { Problem } from '../http/problem.ts';
import { scopeOf } from '../plugin-manager/scope.ts';
import type { Filter } from './frames.ts';

const asked: Readonly<Record<Channel, Permission>> = {
  plugins: 'plugins:read',
  deployments: 'deployments:read',
  health: 'deployments:read',
  tenants: 'tenants:read',
};

/** @param text an API key or a session token, with or without the word `Bearer` (decisions 12). @throws as Authentication does */
export function authenticated(authentication: Authentication, text: string): Promise<Authenticated> {
  const credentials = text.replace(/^Bearer\s+/i, '').trim();
  return credentials.startsWith('slw_')
    ? authentication.authenticateKey(credentials)
    : authentication.authenticate(credentials);
}

/** @param names as a client wrote them; the same twice counts once */
export function namedChannels(names: readonly string[]) {
  const named = new Set(names);
  return {
    known: channels.filter((channel) => named.has(channel)),
    unknown: [...named.difference(new Set<string>(channels))],
  };
}

/** Which of the channels a principal may listen to. */
export function permitted(named: readonly Channel[], { permissions }: Principal) {
  return {
    allowed: named.filter((channel) => permissions.has(asked[channel])),
    denied: named
      .filter((channel) => !permissions.has(asked[channel]))
      .map((channel) => ({ channel, permission: asked[channel] })),
  };
}

/** @returns whether an announcement is for this principal and this filter. @throws {Problem} when the filter names unknown types */
export function wanted(principal: Principal, filter: Filter = {}): (announcement: Announcement) => boolean {
  const scope = scopeOf(principal);
  const { types, pluginId, deploymentId, environment, tenantId } = filter;
  const strange = [...(types ?? [])].find((type) => !Object.hasOwn(announcementTypes, type));
  if (strange !== undefined)
    throw new Problem('Invalid', `There is no type ${strange}; docs/events.md lists all`);
  const environments = environment && new Set([...environment].map((name) => name.toLowerCase()));
  const holds = (
    values: ReadonlySet<string> | undefined,
    data: Announcement['data'],
    ...fields: string[]
  ): boolean =>
    values === undefined ||
    fields.some((field) => {
      const value = data[field];
      return typeof value === 'string' && values.has(value);
    });
  return (announcement) => {
    const { type, tenant, data } = announcement;
    return (
      isVisible(announcement, scope) &&
      (types === undefined || types.has(type)) &&
      (tenantId === undefined || (tenant !== null && tenantId.has(tenant))) &&
      holds(deploymentId, data, 'deploymentId') &&
      holds(environments, data, 'environment') &&
      // A tenant's own announcements call its name `name` as well: they are about no plugin.
      (pluginId === undefined || ('pluginId' in data && holds(pluginId, data, 'pluginId', 'slug', 'name')))
    );
  };
}
