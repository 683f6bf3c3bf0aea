/** Plugins as the Plugin Manager API writes them: requests, answers, and how answers are made. */
import { z } from 'zod';
import { pluginStatuses } from '../../domain/plugin.ts';
import {
  capabilityData,
  dependencyData,
  metadataData,
  resourcesData,
  runtimeData,
} from '../../domain/plugin-data.ts';
import {
  Author,
  ConfigurationSchema,
  MetadataEdit,
  NewVersion,
  Registration,
} from '../../domain/registration.ts';
import { versionStates } from '../../domain/version.ts';
import type { PluginPage } from '../../projections/plugin-lists.ts';
import type { PluginDetails, PluginDocument, PluginVersionDocument } from '../../projections/plugins.ts';
import { renderedOnce } from '../http/answer.ts';
import { NotJson, parseJson } from '../http/json.ts';
import * as examples from './answer-examples.ts';
import { pageMembers, pagingQuery } from './paging.ts';
import { newPlugin } from './request-examples.ts';

// Requests

/** A JSON Schema as a string of JSON; elsewhere it is the schema itself (decisions 3). */
const ConfigurationSchemaText = z
  .string()
  .max(65_536)
  .transform((text, context): unknown => {
    try {
      return parseJson(Buffer.from(text));
    } catch (error) {
      const why = error instanceof NotJson ? `: it ${error.message}` : '';
      context.addIssue({
        code: 'custom',
        message: `Must be a JSON Schema, written as a string of JSON${why}`,
      });
      return z.NEVER;
    }
  })
  .pipe(ConfigurationSchema)
  .meta({
    description: 'A JSON Schema that configurations must satisfy: 2020-12, or draft-07 where $schema says so',
    example: '{"type":"object"}',
  });

export const RegisterPluginBody = Registration.extend({
  version: NewVersion.extend({ configurationSchema: ConfigurationSchemaText.optional() }),
}).meta({
  id: 'NewPlugin',
  description: 'A plugin with its first version; or, for a plugin that is known, another version of it',
  example: newPlugin,
});

export const EditPluginBody = MetadataEdit.meta({
  id: 'PluginEdit',
  description: 'What is left out stays as it is; null says nothing any more',
  example: { description: 'Process payments via Stripe API', tags: ['payment'], repositoryUrl: null },
});

export const ChangeVersionBody = z.strictObject({ state: z.enum(versionStates) }).meta({
  id: 'VersionChange',
  description: 'Nothing leads out of Yanked',
  example: { state: 'Deprecated' },
});

/** What every list of plugins can be narrowed to. */
export const pluginFilters = {
  category: z.string().max(100).optional().meta({ example: 'PaymentGateway' }),
  status: z.enum(pluginStatuses).optional().meta({ example: 'Active' }),
  tags: z
    .string()
    .max(2_600)
    .transform((list) => list.split(',').flatMap((tag) => tag.trim() || []))
    .pipe(z.array(z.string()).max(50))
    .optional()
    .meta({
      description: 'Tags separated by commas; a plugin must have all of them',
      example: 'payment,stripe',
    }),
};

export const ListPluginsQuery = z.strictObject({
  ...pluginFilters,
  search: z
    .string()
    .max(200)
    .optional()
    .meta({ description: 'Words of the name or description', example: 'stripe' }),
  ...pagingQuery,
});

/** Any text: what is no slug, or no version number, does not exist. */
export const PluginParams = z.strictObject({ pluginId: z.string() });
export const PluginVersionParams = PluginParams.extend({ version: z.string() });

// Answers

const instant = z.iso.datetime().meta({ example: '2025-11-23T12:00:00.000Z' });

export const RegisteredPluginAnswer = z
  .object({
    pluginId: z.string(),
    name: z.string(),
    status: z.enum(pluginStatuses),
    version: z.string().meta({ description: 'The version that was published', example: '2.0.0' }),
    createdAt: instant,
  })
  .meta({ id: 'RegisteredPlugin', example: examples.registeredPlugin });

const { author: _sealed, ...openMetadata } = metadataData;
const pluginMembers = {
  pluginId: z.string(),
  id: z.string().meta({ example: 'plg_5f0c1d2e3a4b5c6d7e8f' }),
  ...openMetadata,
  ownerTenant: z.string(),
  status: z.enum(pluginStatuses),
  latestVersion: z.string().nullable(),
  installationCount: z.int().meta({ description: 'In how many tenants it is current' }),
  averageRating: z.number().nullable(),
  featured: z.boolean(),
  createdAt: instant,
  updatedAt: instant,
};

export const PluginSummary = z
  .object({
    pluginId: pluginMembers.pluginId,
    id: pluginMembers.id,
    name: pluginMembers.name,
    description: pluginMembers.description,
    category: pluginMembers.category,
    publisher: pluginMembers.publisher,
    iconUrl: pluginMembers.iconUrl,
    tags: pluginMembers.tags,
    packageName: pluginMembers.packageName,
    status: pluginMembers.status,
    latestVersion: pluginMembers.latestVersion,
    installationCount: pluginMembers.installationCount,
    averageRating: pluginMembers.averageRating,
    featured: pluginMembers.featured,
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'PluginSummary' });
export const PluginListAnswer = z
  .object({ plugins: z.array(PluginSummary), ...pageMembers })
  .meta({ id: 'PluginPage', example: examples.pluginPage });

export const PluginDetailsAnswer = z
  .object({
    ...pluginMembers,
    author: Author.nullable(),
    versions: z.array(
      z.object({
        versionId: z.string(),
        semanticVersion: z.string(),
        state: z.enum(versionStates),
        createdAt: instant,
      }),
    ),
    capabilities: z.array(capabilityData).meta({ description: 'Those of the latest version' }),
  })
  .meta({ id: 'Plugin', example: examples.plugin });

export const PluginVersionAnswer = z
  .object({
    versionId: z.string().meta({ example: 'ver-5f0c1d2e3a4b5c6d7e8f' }),
    pluginId: z.string(),
    semanticVersion: z.string(),
    state: z.enum(versionStates),
    runtime: runtimeData,
    resources: resourcesData,
    binaryUrl: z.string().nullable(),
    checksum: z.string().nullable(),
    checksumVerified: z.boolean(),
    configurationSchema: z.string().nullable().meta({ description: 'A JSON Schema, as a string of JSON' }),
    dependencies: z.array(dependencyData),
    capabilities: z.array(capabilityData),
    releaseNotes: z.string().nullable(),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'PluginVersion', example: examples.pluginVersion });

export function pluginListAnswer({
  plugins,
  total,
  limit,
  offset,
}: PluginPage): z.output<typeof PluginListAnswer> {
  return { plugins: plugins.map(pluginSummary), total, limit, offset };
}

/** {@link pluginListAnswer}, as it is sent. */
export const pluginListText = renderedOnce(pluginListAnswer);

export function pluginSummary(plugin: PluginDocument): z.output<typeof PluginSummary> {
  return {
    pluginId: plugin.pluginId,
    id: plugin.id,
    name: plugin.name,
    description: plugin.description,
    category: plugin.category,
    publisher: plugin.publisher,
    iconUrl: plugin.iconUrl,
    tags: [...plugin.tags],
    packageName: plugin.packageName,
    status: plugin.status,
    latestVersion: plugin.latestVersion,
    installationCount: plugin.installationCount,
    averageRating: plugin.averageRating,
    featured: plugin.featured,
    createdAt: plugin.createdAt,
    updatedAt: plugin.updatedAt,
  };
}

export function pluginDetailsAnswer({
  active: _active,
  capabilityIds: _capabilityIds,
  listing: _listing,
  deletionStartedAt: _deletionStartedAt,
  revision: _revision,
  ...plugin
}: PluginDetails): z.output<typeof PluginDetailsAnswer> {
  return { ...plugin, versions: [...plugin.versions] };
}

/** {@link pluginDetailsAnswer}, as it is sent. */
export const pluginDetailsText = renderedOnce(pluginDetailsAnswer);

export function pluginVersionAnswer({
  changes: _changes,
  ...version
}: PluginVersionDocument): z.output<typeof PluginVersionAnswer> {
  const { configurationSchema: schema } = version;
  return { ...version, configurationSchema: schema === null ? null : JSON.stringify(schema) };
}
