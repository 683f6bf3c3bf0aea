/** What plugins can do for one another: a row for each capability in each of its versions (decisions 19). */
import type { Collection, Documents } from '../core/projection.ts';
import type { PluginId } from '../domain/ids.ts';
import type { PublishedVersion } from '../domain/plugin.ts';
import type { ReadModels, Scope } from '../ports/read-models.ts';

/** There is one for as long as a plugin has the capability in its latest version. */
export interface CapabilityDocument {
  readonly capabilityId: string;
  /** Free text: `1.0`. */
  readonly version: string;
  /** As the plugin calls it that {@link namedBy} is: nobody else may rename what others have. */
  readonly name: string;
  /** Who had the capability first; null once that one has it no longer, until the next plugin takes it up. */
  readonly namedBy: PluginId | null;
  /** At least 1. */
  readonly pluginCount: number;
}

export const capabilities: Collection<CapabilityDocument> = {
  name: 'capabilities',
  visibility: 'public',
  indexes: [{ fields: ['capabilityId', 'version'] }],
  text: [],
};

type Capabilities = PublishedVersion['capabilities'];

/** Takes note of which capabilities a plugin has from now on. None: it is gone, or offers nothing. */
export async function countCapabilities(
  documents: Documents,
  pluginId: PluginId,
  before: Capabilities,
  after: Capabilities,
): Promise<void> {
  const old = namesOf(before);
  const now = namesOf(after);
  for (const capability of before)
    if (!now.has(keyOf(capability))) await leave(documents, pluginId, capability);
  for (const capability of after) {
    const called = old.get(keyOf(capability));
    if (called !== capability.name) await take(documents, pluginId, capability, called !== undefined);
  }
}

/** @param had the plugin has the capability already, but has called it otherwise */
async function take(
  documents: Documents,
  pluginId: PluginId,
  { capabilityId, version, name }: Capabilities[number],
  had: boolean,
): Promise<void> {
  const key = keyOf({ capabilityId, version });
  const found = await documents.get(capabilities, key);
  const pluginCount = (found?.pluginCount ?? 0) + (had ? 0 : 1);
  const keepsName = found !== null && found.namedBy !== null && found.namedBy !== pluginId;
  const naming = keepsName ? { name: found.name, namedBy: found.namedBy } : { name, namedBy: pluginId };
  documents.put(capabilities, key, null, { capabilityId, version, ...naming, pluginCount });
}

async function leave(documents: Documents, pluginId: PluginId, left: Capabilities[number]): Promise<void> {
  const key = keyOf(left);
  const found = await documents.get(capabilities, key);
  if (!found) throw new Error(`nobody has the capability ${key}`);
  const namedBy = found.namedBy === pluginId ? null : found.namedBy;
  const pluginCount = found.pluginCount - 1;
  if (pluginCount === 0) documents.delete(capabilities, key);
  else documents.put(capabilities, key, null, { ...found, namedBy, pluginCount });
}

function namesOf(list: Capabilities): ReadonlyMap<string, string> {
  return new Map(list.map((one) => [keyOf(one), one.name]));
}

function keyOf({
  capabilityId,
  version,
}: {
  readonly capabilityId: string;
  readonly version: string;
}): string {
  return JSON.stringify([capabilityId, version]);
}

export interface CapabilityPage {
  readonly capabilities: readonly CapabilityDocument[];
  /** On all pages. */
  readonly total: number;
}

/** By id, then by version, both as text. @param page.limit 1..100 */
export async function listCapabilities(
  models: ReadModels,
  scope: Scope,
  page: { readonly limit: number; readonly offset: number },
): Promise<CapabilityPage> {
  const sort = ['capabilityId', 'version'].map((path) => ({ path, order: 'asc' }) as const);
  const [total, { documents }] = await Promise.all([
    models.count(capabilities.name, { scope }),
    models.find<CapabilityDocument>(capabilities.name, { ...page, scope, sort }),
  ]);
  return { capabilities: documents.map(({ data }) => data), total };
}
