/** Changes to plugins and their versions, and their end (decisions 5, 6, 22, 29). */
import { changeVersionState } from '../../commands/change-version-state.ts';
import { deletePlugin, type DeletePluginDeps } from '../../commands/delete-plugin.ts';
import { editPlugin, type EditPluginDeps } from '../../commands/edit-plugin.ts';
import { featurePlugin } from '../../commands/feature-plugin.ts';
import { NotThereYet } from '../../core/consistency.ts';
import type { Projector } from '../../core/projector.ts';
import { PluginId } from '../../domain/ids.ts';
import { editionOf } from '../../domain/plugin.ts';
import type { EventStore, Position } from '../../ports/event-store.ts';
import type { ReadModels } from '../../ports/read-models.ts';
import { getPlugin, getPluginVersion, pluginsProjection } from '../../projections/plugins.ts';
import { route, type Route } from '../http/route.ts';
import {
  ChangeVersionBody,
  EditPluginBody,
  PluginDetailsAnswer,
  pluginDetailsAnswer,
  PluginParams,
  PluginVersionAnswer,
  pluginVersionAnswer,
  PluginVersionParams,
} from './plugin-schemas.ts';
import { callerOf, idInPath, notFound, scopeOf } from './scope.ts';

export interface PluginChangeRoutesDeps extends EditPluginDeps, DeletePluginDeps {
  readonly store: Pick<EventStore, 'readStream' | 'compare' | 'head'>;
  readonly models: ReadModels;
  readonly projector: Pick<Projector, 'waitFor'>;
}

const tag = 'Plugins';
const writing = {
  tag,
  policy: { permission: 'plugins:write' },
  idempotent: true,
  etag: 'version',
  conditional: 'change',
} as const;
const featuring = {
  tag: 'Marketplace',
  path: '/marketplace/plugins/:pluginId/featured',
  policy: { permission: 'marketplace:write' },
  idempotent: true,
  params: PluginParams,
  responses: { 204: null },
} as const;
const readBackWithinMs = 2_000;

export function pluginChangeRoutes(deps: PluginChangeRoutesDeps): readonly Route[] {
  const { models, projector, store } = deps;

  /** What a change answers is what the next read shows. @param position null: all was so already */
  async function readBack(position: Position | null): Promise<void> {
    const reached = position ?? (await store.head());
    if (!(await projector.waitFor([pluginsProjection.name], reached, readBackWithinMs)))
      throw new NotThereYet('changed, but the read models do not show it yet');
  }

  return [
    route({
      ...writing,
      method: 'PATCH',
      path: '/plugins/:pluginId',
      summary: 'Edit what is said of a plugin',
      params: PluginParams,
      body: EditPluginBody,
      responses: { 200: PluginDetailsAnswer },
      handler: async ({ principal, context, params, body: edit }) => {
        const pluginId = idInPath(PluginId, params.pluginId, 'plugin');
        const publisher = callerOf(principal);
        const { position } = await editPlugin(deps, { ...context, publisher }, { pluginId, edit });
        await readBack(position);
        const plugin = await getPlugin(deps, scopeOf(principal), pluginId);
        if (!plugin) throw notFound('plugin', pluginId);
        return { status: 200, body: pluginDetailsAnswer(plugin), version: plugin.revision, position };
      },
    }),
    route({
      ...writing,
      method: 'PATCH',
      path: '/plugins/:pluginId/versions/:version',
      summary: 'Change the state of a version',
      params: PluginVersionParams,
      body: ChangeVersionBody,
      responses: { 200: PluginVersionAnswer },
      handler: async ({ principal, context, params, body: { state } }) => {
        const pluginId = idInPath(PluginId, params.pluginId, 'plugin');
        const publisher = callerOf(principal);
        const { position } = await changeVersionState(
          deps,
          { ...context, publisher },
          { pluginId, semanticVersion: params.version, state },
        );
        await readBack(position);
        const version = await getPluginVersion(models, scopeOf(principal), pluginId, params.version);
        if (!version) throw notFound('version', `${params.version} of a plugin ${pluginId}`);
        const body = pluginVersionAnswer(version);
        return { status: 200, body, version: editionOf(version), position };
      },
    }),
    route({
      method: 'DELETE',
      path: '/plugins/:pluginId',
      summary: 'Delete a plugin that nobody has deployed',
      tag,
      policy: { permission: 'plugins:delete' },
      idempotent: true,
      conditional: 'change',
      params: PluginParams,
      responses: { 204: null },
      handler: async ({ context, params }) => {
        const pluginId = idInPath(PluginId, params.pluginId, 'plugin');
        const { position } = await deletePlugin(deps, context, pluginId);
        return { status: 204, position };
      },
    }),
    route({
      ...featuring,
      method: 'PUT',
      operationId: 'featurePlugin',
      summary: 'Show a plugin among the featured ones',
      handler: async ({ context, params }) => {
        const pluginId = idInPath(PluginId, params.pluginId, 'plugin');
        const { position } = await featurePlugin(deps, context, { pluginId, featured: true });
        return { status: 204, position };
      },
    }),
    route({
      ...featuring,
      method: 'DELETE',
      operationId: 'unfeaturePlugin',
      summary: 'Show a plugin among the featured ones no longer',
      handler: async ({ context, params }) => {
        const pluginId = idInPath(PluginId, params.pluginId, 'plugin');
        const { position } = await featurePlugin(deps, context, { pluginId, featured: false });
        return { status: 204, position };
      },
    }),
  ];
}
