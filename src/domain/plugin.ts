/** A plugin and its published versions. One stream a slug: whoever appends first owns the slug. */
import { z } from 'zod';
import type { Candidate } from './dependencies.ts';
import type { Aggregate, EventsOf } from './event.ts';
import { PluginId, TenantId } from './ids.ts';
import type { Role } from './permissions.ts';
import { capabilityData, dependencyData, metadataData, resourcesData, runtimeData } from './plugin-data.ts';
import { refuse, type Decision, type Refusal } from './refusal.ts';
import type { Registration } from './registration.ts';
import { sameVersion, versionStates, type VersionState } from './version.ts';

// Events: their shape alone; what may be asked for is in registration.ts.

export const pluginEvents = {
  PluginRegistered: {
    schema: 1,
    data: z.object({
      pluginId: PluginId,
      /** `plg_…` */
      id: z.string(),
      ownerTenant: TenantId,
      ...metadataData,
      registeredAt: z.string(),
    }),
  },
  VersionPublished: {
    schema: 1,
    data: z.object({
      pluginId: PluginId,
      /** `ver-…` */
      versionId: z.string(),
      semanticVersion: z.string(),
      state: z.enum(versionStates),
      runtime: runtimeData,
      resources: resourcesData,
      binaryUrl: z.string().nullable(),
      checksum: z.string().nullable(),
      checksumVerified: z.boolean(),
      configurationSchema: z.json(),
      dependencies: z.array(dependencyData),
      capabilities: z.array(capabilityData),
      releaseNotes: z.string().nullable(),
      publishedAt: z.string(),
    }),
  },
  VersionStateChanged: {
    schema: 1,
    data: z.object({
      pluginId: PluginId,
      semanticVersion: z.string(),
      state: z.enum(versionStates),
      changedAt: z.string(),
    }),
  },
} as const;
export type PluginEvent = EventsOf<typeof pluginEvents>;
type Registered = z.output<typeof pluginEvents.PluginRegistered.data>;
export type PublishedVersion = z.output<typeof pluginEvents.VersionPublished.data>;

// State

export interface Plugin extends Registered {
  readonly versions: readonly PublishedVersion[];
  /** It has had a Stable version. */
  readonly matured: boolean;
}

export const plugin: Aggregate<Plugin | null, PluginEvent> = {
  name: 'plugin',
  events: pluginEvents,
  initial: null,
  evolve: (state, event) => {
    if (event.type === 'PluginRegistered') return { ...event.data, versions: [], matured: false };
    if (!state) return state;
    const matured = state.matured || event.data.state === 'Stable';
    switch (event.type) {
      case 'VersionPublished':
        return { ...state, matured, versions: [...state.versions, event.data] };
      case 'VersionStateChanged': {
        const { semanticVersion, state: changed } = event.data;
        const versions = state.versions.map((version) =>
          version.semanticVersion === semanticVersion ? { ...version, state: changed } : version,
        );
        return { ...state, matured, versions };
      }
    }
  },
};

// Questions

export const pluginStatuses = ['Registered', 'Active', 'Deprecated'] as const;
export type PluginStatus = (typeof pluginStatuses)[number];

/**
 * Registered until it had a Stable version or a completed deployment, then Active; Deprecated while no version is on offer to
 * newcomers, each one Deprecated or Yanked (decisions 22).
 * @param active it had a Stable version, or a completed deployment
 */
export function pluginStatus(
  versions: readonly { readonly state: VersionState }[],
  active: boolean,
): PluginStatus {
  const offered = versions.some(({ state }) => state === 'Beta' || state === 'Stable');
  if (versions.length > 0 && !offered) return 'Deprecated';
  return active ? 'Active' : 'Registered';
}

export function findVersion(plugin: Plugin | null, semanticVersion: string): PublishedVersion | null {
  return plugin?.versions.find((version) => sameVersion(version.semanticVersion, semanticVersion)) ?? null;
}

/** What may satisfy a dependency of a version that is being published; null: there is no such plugin. */
export function publishedCandidates(plugin: Plugin | null): readonly Candidate[] | null {
  return plugin?.versions.filter(({ state }) => state !== 'Yanked') ?? null;
}

// Decisions

/** Who wants to change a plugin. */
export interface Publisher {
  readonly tenant: TenantId;
  readonly role: Role;
}

export interface Publication {
  readonly registration: Registration;
  /** `registration.author`, sealed for the owner; where it is what the plugin has already, the plugin's own sealed text. */
  readonly sealedAuthor: string | null;
  readonly publisher: Publisher;
  /** `plg_…` and `ver-…`, used for what is new. */
  readonly ids: { readonly plugin: string; readonly version: string };
  readonly at: string;
  /** What {@link publicationConflict} found. */
  readonly dependencyConflict: Refusal | null;
}

/** Registers a plugin with its first version, or adds a version to a plugin that is known (decisions 5, 6). */
export function publish(plugin: Plugin | null, publication: Publication): Decision<PluginEvent> {
  const { registration, publisher } = publication;
  const refusal =
    forbidden(plugin, publisher) ?? unclearPackageName(registration) ?? publication.dependencyConflict;
  if (refusal) return refusal;
  if (!plugin) return [registered(publication), published(publication)];
  const { semanticVersion } = registration.version;
  if (plugin.versions.some((version) => sameVersion(version.semanticVersion, semanticVersion))) {
    const message = `Plugin ${plugin.pluginId} has a version ${semanticVersion} already`;
    return refuse('Conflict', message, { field: 'version.semanticVersion', message });
  }
  const differing = differingFields(plugin, publication);
  if (differing.length > 0) {
    const details = differing.map((field) => ({ field, message: 'Differs from what is stored' }));
    return refuse('Conflict', 'Adding a version does not change the metadata of its plugin', ...details);
  }
  return [published(publication)];
}

/** Moves a version between its states; saying what is so already changes nothing. */
export function changeVersionState(
  plugin: Plugin | null,
  change: {
    readonly semanticVersion: string;
    readonly state: VersionState;
    readonly publisher: Publisher;
    readonly at: string;
  },
): Decision<PluginEvent> {
  const { semanticVersion, state } = change;
  const version = findVersion(plugin, semanticVersion);
  if (!plugin || !version) return refuse('NotFound', `There is no version ${semanticVersion} of this plugin`);
  const refusal = forbidden(plugin, change.publisher);
  if (refusal) return refusal;
  if (version.state === state) return [];
  const { pluginId } = plugin;
  return [{ type: 'VersionStateChanged', data: { pluginId, semanticVersion, state, changedAt: change.at } }];
}

function forbidden(plugin: Plugin | null, { role, tenant }: Publisher): Refusal | null {
  if (role === 'PlatformAdmin') return null;
  if (role === 'PluginDeveloper' && (!plugin || plugin.ownerTenant === tenant)) return null;
  return refuse(
    'Forbidden',
    'Only PluginDevelopers of the tenant that owns a plugin and PlatformAdmins may change it',
  );
}

/** Slugs and package names share one space: a name without a scope could be another plugin's slug. */
function unclearPackageName({ packageName, pluginId }: Registration): Refusal | null {
  if (packageName === undefined || packageName.startsWith('@') || packageName === pluginId) return null;
  const message = 'A package name without a scope must be the pluginId';
  return refuse('Invalid', message, { field: 'packageName', message });
}

/** The metadata that was sent and is not what is stored; what was not sent differs from nothing. */
function differingFields(plugin: Plugin, { registration, sealedAuthor }: Publication): readonly string[] {
  const {
    pluginId: _pluginId,
    version: _version,
    capabilities: _capabilities,
    author,
    ...sent
  } = registration;
  const differing = (Object.keys(sent) as (keyof typeof sent)[]).filter(
    (field) => sent[field] !== undefined && canonical(sent[field]) !== canonical(plugin[field]),
  );
  return author !== undefined && sealedAuthor !== plugin.author ? [...differing, 'author'] : differing;
}

/** JSON in which the order of keys makes no difference. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function registered({ registration: sent, sealedAuthor, publisher, ids, at }: Publication): PluginEvent {
  return {
    type: 'PluginRegistered',
    data: {
      pluginId: sent.pluginId,
      id: ids.plugin,
      ownerTenant: publisher.tenant,
      name: sent.name,
      description: sent.description ?? null,
      category: sent.category ?? null,
      publisher: sent.publisher ?? null,
      iconUrl: sent.iconUrl ?? null,
      documentationUrl: sent.documentationUrl ?? null,
      repositoryUrl: sent.repositoryUrl ?? null,
      tags: sent.tags ?? [],
      packageName: sent.packageName ?? sent.pluginId,
      author: sealedAuthor,
      license: sent.license ?? null,
      longDescription: sent.longDescription ?? null,
      screenshots: sent.screenshots ?? [],
      compatibility: sent.compatibility ?? {},
      requirements: sent.requirements ?? {},
      permissions: sent.permissions ?? [],
      price: sent.price ?? null,
      registeredAt: at,
    },
  };
}

function published({ registration: { pluginId, version, capabilities }, ids, at }: Publication): PluginEvent {
  const { runtime, resources } = version;
  return {
    type: 'VersionPublished',
    data: {
      pluginId,
      versionId: ids.version,
      semanticVersion: version.semanticVersion,
      state: version.state,
      runtime: { type: runtime.type, version: runtime.version ?? null },
      resources: {
        minCpu: resources?.minCpu ?? null,
        maxCpu: resources?.maxCpu ?? null,
        minMemoryMB: resources?.minMemoryMB ?? null,
        maxMemoryMB: resources?.maxMemoryMB ?? null,
      },
      binaryUrl: version.binaryUrl ?? null,
      checksum: version.checksum ?? null,
      checksumVerified: false,
      configurationSchema: version.configurationSchema ?? null,
      dependencies: version.dependencies,
      capabilities: capabilities.map(({ methods, ...capability }) => ({
        ...capability,
        methods: methods.map(({ returnType, ...method }) => ({ ...method, returnType: returnType ?? null })),
      })),
      releaseNotes: version.releaseNotes ?? null,
      publishedAt: at,
    },
  };
}
