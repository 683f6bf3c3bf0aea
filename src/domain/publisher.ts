/** Who may change a plugin (decisions 6), and when nobody may. */
import type { TenantId } from './ids.ts';
import type { Role } from './permissions.ts';
import { livePlugin, type Plugin, type PluginState } from './plugin.ts';
import { refuse, type Refusal } from './refusal.ts';

/** Who wants to change a plugin. */
export interface Publisher {
  readonly tenant: TenantId;
  readonly role: Role;
}

/** @param plugin null: one that is not there yet */
export function forbidden(plugin: Plugin | null, { role, tenant }: Publisher): Refusal | null {
  if (role === 'PlatformAdmin') return null;
  if (role === 'PluginDeveloper' && (!plugin || plugin.ownerTenant === tenant)) return null;
  return refuse(
    'Forbidden',
    'Only PluginDevelopers of the tenant that owns a plugin and PlatformAdmins may change it',
  );
}

/** While it is found out whether a plugin can be deleted, it neither changes nor gets deployed. */
export function beingDeleted({ deletion, pluginId }: Plugin): Refusal | null {
  if (!deletion) return null;
  const message = `Plugin ${pluginId} is being deleted: try again in a moment`;
  return refuse('Conflict', message, { field: 'pluginId', message });
}

/** The plugin, for one who may change it now: NotFound, Forbidden or Conflict otherwise, in this order. */
export function changeable(state: PluginState, publisher: Publisher): Plugin | Refusal {
  const plugin = livePlugin(state);
  if (!plugin) return refuse('NotFound', 'There is no such plugin');
  return forbidden(plugin, publisher) ?? beingDeleted(plugin) ?? plugin;
}
