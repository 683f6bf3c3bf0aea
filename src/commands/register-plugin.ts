/** Registers a plugin with its first version, or adds a version to a plugin that is known already (decisions 5). */
import { CommandRefused, type CommandContext, type Executor } from '../core/executor.ts';
import { uuidV5 } from '../core/uuid-v5.ts';
import { publicationConflict } from '../domain/dependencies.ts';
import {
  livePlugin,
  plugin,
  pluginStatus,
  publishedCandidates,
  type PluginState,
  type PluginStatus,
} from '../domain/plugin.ts';
import { publish, type Publication } from '../domain/publication.ts';
import type { Publisher } from '../domain/publisher.ts';
import { isRefusal } from '../domain/refusal.ts';
import type { Registration } from '../domain/registration.ts';
import { packageNameReservation } from '../domain/reservation.ts';
import type { Clock } from '../ports/clock.ts';
import type { Position } from '../ports/event-store.ts';
import type { Vault } from '../ports/vault.ts';
import { refuseUnusableSchema, type ConfigurationDeps } from './check-configuration.ts';
import { lookUpRequired } from './look-up-required.ts';
import { refuseSuspended } from './refuse-suspended.ts';
import { withName, type Claim } from './reserve-name.ts';
import { sealAuthor } from './seal-author.ts';

export interface RegisterPluginDeps extends ConfigurationDeps {
  readonly executor: Executor;
  readonly vault: Pick<Vault, 'sealFor' | 'openFor'>;
  readonly clock: Pick<Clock, 'now'>;
}

export interface RegisteredPlugin {
  readonly pluginId: string;
  readonly name: string;
  readonly status: PluginStatus;
  /** The version that this command published. */
  readonly version: string;
  /** Whether the plugin itself is new. */
  readonly isNew: boolean;
  /** When it was published, ISO 8601. */
  readonly createdAt: string;
  readonly position: Position | null;
}

/**
 * One append, unless the plugin brings a package name with a scope, which is claimed first.
 * @throws {CommandRefused} Forbidden, Invalid, DependencyConflict or Conflict, in this order
 */
export async function registerPlugin(
  deps: RegisterPluginDeps,
  context: CommandContext & { readonly publisher: Publisher },
  registration: Registration,
): Promise<RegisteredPlugin> {
  const { executor, clock } = deps;
  const { publisher } = context;
  const { pluginId, version } = registration;
  await refuseSuspended(executor, publisher.tenant);
  await refuseUnusableSchema(deps, version.configurationSchema ?? null);
  const { state: before } = await executor.load(plugin, pluginId);
  const known = livePlugin(before);
  const candidates = await lookUpRequired(pluginId, version.dependencies, async (id) =>
    publishedCandidates((await executor.load(plugin, id)).state),
  );
  const owner = known?.ownerTenant ?? publisher.tenant;
  const publication = {
    registration,
    sealedAuthor: registration.author
      ? await sealAuthor(deps.vault, owner, registration.author, known)
      : null,
    publisher,
    ids: { plugin: mint('plg_', context), version: mint('ver-', context) },
    at: new Date(clock.now()).toISOString(),
    dependencyConflict: publicationConflict(pluginId, version.dependencies, candidates),
  };
  const act = () =>
    executor.execute({
      aggregate: plugin,
      id: pluginId,
      tenant: owner,
      context,
      decide: (state) => publish(state, publication),
    });

  const claim = known ? null : packageNameClaim(registration, publisher);
  const {
    state: after,
    events,
    position,
  } = claim ? await actClaiming(executor, context, { claim, publication, before, act }) : await act();
  const state = livePlugin(after);
  const published = events.find((event) => event.type === 'VersionPublished');
  if (!state || !published) throw new Error(`registering ${pluginId} published nothing`);
  return {
    pluginId,
    name: state.name,
    status: pluginStatus(state.versions, state.matured),
    version: published.data.semanticVersion,
    isNew: events.some((event) => event.type === 'PluginRegistered'),
    createdAt: published.data.publishedAt,
    position,
  };
}

/** What is refused anyway claims nothing. */
async function actClaiming<T>(
  executor: Executor,
  context: CommandContext,
  {
    claim,
    publication,
    before,
    act,
  }: {
    readonly claim: Claim;
    readonly publication: Publication;
    readonly before: PluginState;
    readonly act: () => Promise<T>;
  },
): Promise<T> {
  const early = publish(before, publication);
  if (isRefusal(early)) throw new CommandRefused(early);
  const { pluginId } = publication.registration;
  const hasName = async () =>
    livePlugin((await executor.load(plugin, pluginId)).state)?.packageName === claim.name;
  return await withName(executor, context, claim, { act, hasName });
}

function packageNameClaim({ packageName, pluginId }: Registration, { tenant }: Publisher): Claim | null {
  if (!packageName?.startsWith('@')) return null;
  return {
    reservation: packageNameReservation,
    name: packageName,
    claimant: `${tenant}/${pluginId}`,
    tenant,
    taken: { field: 'packageName', message: `Another plugin has the package name ${packageName} already` },
  };
}

/** Deterministic: a repeated command mints the same id. */
function mint(prefix: string, { commandId }: CommandContext): string {
  return prefix + uuidV5(prefix, commandId).replaceAll('-', '').slice(0, 20);
}
