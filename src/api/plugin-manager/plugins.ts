/** Plugins and their versions ("Plugins API"). */
import { registerPlugin, type RegisterPluginDeps } from '../../commands/register-plugin.ts';
import { PluginId } from '../../domain/ids.ts';
import { editionOf } from '../../domain/plugin.ts';
import { listPlugins } from '../../projections/plugin-lists.ts';
import { getPlugin, getPluginVersion, isActive, pluginsProjection } from '../../projections/plugins.ts';
import type { ReadModels } from '../../ports/read-models.ts';
import { route, type Route } from '../http/route.ts';
import {
  ListPluginsQuery,
  PluginDetailsAnswer,
  pluginDetailsText,
  PluginListAnswer,
  pluginListText,
  PluginParams,
  PluginVersionAnswer,
  pluginVersionAnswer,
  PluginVersionParams,
  RegisteredPluginAnswer,
  RegisterPluginBody,
} from './plugin-schemas.ts';
import { prefix } from './face.ts';
import { callerOf, idInPath, notFound, scopeOf } from './scope.ts';

export interface PluginRoutesDeps extends RegisterPluginDeps {
  readonly models: ReadModels;
}

const tag = 'Plugins';
const reading = { policy: { permission: 'plugins:read' }, reads: [pluginsProjection.name] } as const;

export function pluginRoutes(deps: PluginRoutesDeps): readonly Route[] {
  const { models } = deps;
  return [
    route({
      method: 'POST',
      path: '/plugins',
      summary: 'Register a plugin, or another version of one',
      tag,
      policy: { permission: 'plugins:write' },
      idempotent: true,
      body: RegisterPluginBody,
      responses: { 201: RegisteredPluginAnswer },
      headers: { Location: 'The path of the plugin, or of the version when the plugin was known' },
      refusals: ['DependencyConflict'],
      handler: async ({ principal, context, body }) => {
        const publisher = callerOf(principal);
        const registered = await registerPlugin(deps, { ...context, publisher }, body);
        const { position, isNew, ...answer } = registered;
        // Its stream does not say whether it was ever deployed.
        const isKnownActive = !isNew && (await isActive(models, body.pluginId));
        const status = isKnownActive && answer.status === 'Registered' ? 'Active' : answer.status;
        const url = `${prefix}/plugins/${answer.pluginId}`;
        const headers = { Location: isNew ? url : `${url}/versions/${encodeURIComponent(answer.version)}` };
        return { status: 201, body: { ...answer, status }, headers, position };
      },
    }),
    route({
      ...reading,
      method: 'GET',
      path: '/plugins',
      summary: 'List plugins',
      tag,
      query: ListPluginsQuery,
      responses: { 200: PluginListAnswer },
      handler: async ({ principal, query }) => {
        const page = await listPlugins(models, scopeOf(principal), query);
        return { status: 200, ...pluginListText(page) };
      },
    }),
    route({
      ...reading,
      method: 'GET',
      path: '/plugins/:pluginId',
      summary: 'Show a plugin',
      tag,
      etag: 'version',
      params: PluginParams,
      responses: { 200: PluginDetailsAnswer },
      handler: async ({ principal, params }) => {
        const pluginId = idInPath(PluginId, params.pluginId, 'plugin');
        const plugin = await getPlugin(deps, scopeOf(principal), pluginId);
        if (!plugin) throw notFound('plugin', pluginId);
        return { status: 200, ...pluginDetailsText(plugin), version: plugin.revision };
      },
    }),
    route({
      ...reading,
      method: 'GET',
      path: '/plugins/:pluginId/versions/:version',
      summary: 'Show a version of a plugin',
      tag,
      etag: 'version',
      params: PluginVersionParams,
      responses: { 200: PluginVersionAnswer },
      handler: async ({ principal, params }) => {
        const pluginId = idInPath(PluginId, params.pluginId, 'plugin');
        const version = await getPluginVersion(models, scopeOf(principal), pluginId, params.version);
        if (!version) throw notFound('version', `${params.version} of a plugin ${pluginId}`);
        return { status: 200, body: pluginVersionAnswer(version), version: editionOf(version) };
      },
    }),
  ];
}
