/** Publishing: a plugin with its first version, or another version of it. */
import { livePlugin, type Plugin, type PluginEvent, type PluginState } from './plugin.ts';
import { canonical } from './plugin-data.ts';
import { beingDeleted, forbidden, type Publisher } from './publisher.ts';
import { refuse, type Decision, type Refusal } from './refusal.ts';
import type { Registration } from './registration.ts';
import { sameVersion } from './version.ts';

export interface Publication {
  readonly registration: Registration;
  /** `registration.author`, sealed for the owner; where it is what the plugin has already, the plugin's own sealed text. */
  readonly sealedAuthor: string | null;
  readonly publisher: Publisher;
  /** `plg_…` and `ver-…`, used for what is new. */
  readonly ids: { readonly plugin: string; readonly version: string };
  readonly at: string;
  /** What `publicationConflict` of dependencies.ts found. */
  readonly dependencyConflict: Refusal | null;
}

/** Registers a plugin with its first version, or adds a version to a plugin that is known (decisions 5, 6). */
export function publish(state: PluginState, publication: Publication): Decision<PluginEvent> {
  const { registration, publisher } = publication;
  const plugin = livePlugin(state);
  const refusal =
    forbidden(plugin, publisher) ?? unclearPackageName(registration) ?? publication.dependencyConflict;
  if (refusal) return refusal;
  if (!plugin) return anothersSlug(state, publication) ?? [registered(publication), published(publication)];
  const deletion = beingDeleted(plugin);
  if (deletion) return deletion;
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

/** The slug of a deleted plugin returns only to its owner (decisions 6). */
function anothersSlug(state: PluginState, { registration, publisher }: Publication): Refusal | null {
  if (!state || state.ownerTenant === publisher.tenant) return null;
  const message = `The plugin ${registration.pluginId} of another tenant was deleted: only its owner may use this pluginId again`;
  return refuse('Conflict', message, { field: 'pluginId', message });
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
