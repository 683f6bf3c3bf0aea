/** Registers a plugin with its first version, or adds a version to a plugin that is known already (decisions 5). */
import { CommandRefused, type CommandContext, type Executor } from '../core/executor.ts';
import { uuidV5 } from '../core/uuid-v5.ts';
import { publicationConflict } from '../domain/dependencies.ts';
import type { TenantId } from '../domain/ids.ts';
import {
  plugin,
  pluginStatus,
  publish,
  publishedCandidates,
  type Plugin,
  type PluginStatus,
  type Publication,
  type Publisher,
} from '../domain/plugin.ts';
import { isRefusal } from '../domain/refusal.ts';
import type { Author, Registration } from '../domain/registration.ts';
import { packageNameReservation } from '../domain/reservation.ts';
import type { Clock } from '../ports/clock.ts';
import type { Position } from '../ports/event-store.ts';
import type { Vault } from '../ports/vault.ts';
import { lookUpRequired } from './look-up-required.ts';
import { refuseSuspended } from './refuse-suspended.ts';
import { withName, type Claim } from './reserve-name.ts';

export interface RegisterPluginDeps {
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
  const { state: known } = await executor.load(plugin, pluginId);
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
  const { state, events, position } = claim
    ? await actClaiming(executor, context, { claim, publication, act })
    : await act();
  const published = events.find((event) => event.type === 'VersionPublished');
  if (!state || !published) throw new Error(`registering ${pluginId} published nothing`);
  return {
    pluginId,
    name: state.name,
    status: pluginStatus(state.versions, state.matured),
    version: published.data.semanticVersion,
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
    act,
  }: { readonly claim: Claim; readonly publication: Publication; readonly act: () => Promise<T> },
): Promise<T> {
  const early = publish(null, publication);
  if (isRefusal(early)) throw new CommandRefused(early);
  const { pluginId } = publication.registration;
  const hasName = async () => (await executor.load(plugin, pluginId)).state?.packageName === claim.name;
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

/** The same author sealed twice is two texts, so the one that is stored stands for an author who has not changed. */
async function sealAuthor(
  vault: RegisterPluginDeps['vault'],
  owner: TenantId,
  author: Author,
  known: Plugin | null,
): Promise<string> {
  const subject = `tenant:${owner}`;
  const text = JSON.stringify({ name: author.name, email: author.email });
  if (known?.author && (await vault.openFor(subject, known.author)) === text) return known.author;
  return await vault.sealFor(subject, text);
}

/** Deterministic: a repeated command mints the same id. */
function mint(prefix: string, { commandId }: CommandContext): string {
  return prefix + uuidV5(prefix, commandId).replaceAll('-', '').slice(0, 20);
}
