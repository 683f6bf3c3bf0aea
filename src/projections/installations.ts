/** Where plugins are installed: a tenant has a plugin once, in however many of its environments it is current. */
import type { Collection, Documents } from '../core/projection.ts';
import type { Slot } from '../domain/ids.ts';

/** By tenant and plugin. */
export interface Installation {
  /** In lower case, those where the plugin is current. */
  readonly environments: readonly string[];
}

/**
 * Takes note of whether a slot has a current deployment.
 * @param slot its environment in lower case
 * @returns by how much the number of the tenant's plugins, and of the plugin's tenants, changes
 */
export async function install(
  documents: Documents,
  collection: Collection<Installation>,
  { tenant, environment, plugin }: Slot,
  isCurrent: boolean,
): Promise<-1 | 0 | 1> {
  const id = `${tenant}.${plugin}`;
  const before = (await documents.get(collection, id))?.environments ?? [];
  if (before.includes(environment) === isCurrent) return 0;
  const environments = isCurrent ? [...before, environment] : before.filter((other) => other !== environment);
  if (environments.length === 0) documents.delete(collection, id);
  else documents.put(collection, id, tenant, { environments });
  if (before.length === 0) return 1;
  return environments.length === 0 ? -1 : 0;
}
