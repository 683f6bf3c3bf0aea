/**
 * A plugin and its published versions. One stream a slug: whoever appends first owns the slug, also after the plugin was deleted.
 * What may be decided is in publication.ts, plugin-changes.ts and plugin-deletion.ts.
 */
import { z } from 'zod';
import type { Candidate } from './dependencies.ts';
import type { Aggregate, EventsOf } from './event.ts';
import { DeploymentId, PluginId, TenantId } from './ids.ts';
import {
  capabilityData,
  dependencyData,
  metadataChanges,
  metadataData,
  resourcesData,
  runtimeData,
  withChanges,
} from './plugin-data.ts';
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
  PluginMetadataEdited: {
    schema: 1,
    data: z.object({
      pluginId: PluginId,
      /** What is different from now on, and nothing else. */
      changes: metadataChanges,
      editedAt: z.string(),
    }),
  },
  PluginFeatured: { schema: 1, data: z.object({ pluginId: PluginId, featuredAt: z.string() }) },
  PluginUnfeatured: { schema: 1, data: z.object({ pluginId: PluginId, unfeaturedAt: z.string() }) },
  /** From here on nobody can deploy the plugin; who claimed a slot before is looked for. */
  PluginDeletionStarted: {
    schema: 1,
    data: z.object({ pluginId: PluginId, deletionId: z.string(), startedAt: z.string() }),
  },
  /** Somebody had it deployed: all is as before. */
  PluginDeletionRefused: {
    schema: 1,
    data: z.object({
      pluginId: PluginId,
      deletionId: z.string(),
      /** The first of those that are live. */
      deployments: z.array(DeploymentId),
      refusedAt: z.string(),
    }),
  },
  PluginDeleted: {
    schema: 1,
    data: z.object({ pluginId: PluginId, deletionId: z.string(), deletedAt: z.string() }),
  },
} as const;
export type PluginEvent = EventsOf<typeof pluginEvents>;
type Registered = z.output<typeof pluginEvents.PluginRegistered.data>;
export type PublishedVersion = z.output<typeof pluginEvents.VersionPublished.data>;

// State

/** A version that was published, as it is now. */
export interface KnownVersion extends PublishedVersion {
  /** How often its state has changed. */
  readonly changes: number;
}

export interface Plugin extends Registered {
  readonly versions: readonly KnownVersion[];
  /** It has had a Stable version. */
  readonly matured: boolean;
  readonly featured: boolean;
  /** Set while it is found out whether it can be deleted. */
  readonly deletion: { readonly deletionId: string; readonly startedAt: string } | null;
}

/** Of a plugin that was deleted only this is left: to whom its slug returns. */
export interface DeletedPlugin {
  readonly deletedAt: string;
  readonly ownerTenant: TenantId;
}

/** Null: nobody ever had the slug. */
export type PluginState = Plugin | DeletedPlugin | null;

export const plugin: Aggregate<PluginState, PluginEvent> = {
  name: 'plugin',
  events: pluginEvents,
  initial: null,
  evolve: (state, event) => {
    if (event.type === 'PluginRegistered')
      return { ...event.data, versions: [], matured: false, featured: false, deletion: null };
    const live = livePlugin(state);
    if (!live) return state;
    switch (event.type) {
      case 'VersionPublished': {
        const matured = live.matured || event.data.state === 'Stable';
        return { ...live, matured, versions: [...live.versions, { ...event.data, changes: 0 }] };
      }
      case 'VersionStateChanged': {
        const { semanticVersion, state: changed } = event.data;
        const versions = live.versions.map((version) =>
          version.semanticVersion === semanticVersion
            ? { ...version, state: changed, changes: version.changes + 1 }
            : version,
        );
        return { ...live, matured: live.matured || changed === 'Stable', versions };
      }
      case 'PluginMetadataEdited':
        return withChanges(live, event.data.changes);
      case 'PluginFeatured':
        return { ...live, featured: true };
      case 'PluginUnfeatured':
        return { ...live, featured: false };
      case 'PluginDeletionStarted': {
        const { deletionId, startedAt } = event.data;
        return { ...live, deletion: { deletionId, startedAt } };
      }
      case 'PluginDeletionRefused':
        return { ...live, deletion: null };
      case 'PluginDeleted':
        return { deletedAt: event.data.deletedAt, ownerTenant: live.ownerTenant };
    }
  },
};

// Questions

/** Null: there never was one, or it was deleted. */
export function livePlugin(state: PluginState): Plugin | null {
  return state && !('deletedAt' in state) ? state : null;
}

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

export function findVersion(state: PluginState, semanticVersion: string): KnownVersion | null {
  const versions = livePlugin(state)?.versions ?? [];
  return versions.find((version) => sameVersion(version.semanticVersion, semanticVersion)) ?? null;
}

/** Another one as soon as the version has changed, or is one of a plugin that came anew under the slug. */
export function editionOf({ versionId, changes }: Pick<KnownVersion, 'versionId' | 'changes'>): string {
  return `${versionId}-${changes}`;
}

/** What may satisfy a dependency of a version that is being published; null: there is no such plugin. */
export function publishedCandidates(state: PluginState): readonly Candidate[] | null {
  return livePlugin(state)?.versions.filter((version) => version.state !== 'Yanked') ?? null;
}
