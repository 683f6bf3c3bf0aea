/** What those who say what an event means to the outside have in common. */
import type { Executor } from '../../core/executor.ts';
import type { Past } from '../../core/past.ts';
import type { PluginId, UserId } from '../../domain/ids.ts';
import { livePlugin, plugin, type Plugin } from '../../domain/plugin.ts';
import { knownUser, user } from '../../domain/user.ts';
import type { Position, RecordedEvent } from '../../ports/event-store.ts';
import type { Vault } from '../../ports/vault.ts';
import type { Announcement } from './types.ts';

/** What is said of an event; the rest of an announcement follows from the event itself. */
export type Told = Pick<Announcement, 'type' | 'tenant' | 'visibility' | 'data'>;

export interface TellingDeps {
  readonly past: Past;
  readonly executor: Pick<Executor, 'load'>;
  readonly vault: Pick<Vault, 'openFor'>;
}

/** @param event decoded: its data has the shape that its type declares */
export type Telling = (event: RecordedEvent, deps: TellingDeps) => Promise<readonly Told[]>;

/** By type of event. */
export type Tellings = Readonly<Record<string, Telling>>;

/** How every announcement names a plugin. */
export function namesOf({ id, pluginId, packageName, name }: Plugin) {
  return { pluginId: id, slug: pluginId, name: packageName, displayName: name };
}

/** The same of a plugin that something else is about, as it was then; it may have been deleted. */
export async function pluginNames(past: Past, slug: PluginId, position: Position) {
  const known = livePlugin(await past.asOf(plugin, slug, position));
  return known ? namesOf(known) : { pluginId: null, slug, name: null, displayName: null };
}

/** The e-mail address of who did it; null: nobody did, or it has been forgotten. */
export async function emailOf(
  { executor, vault }: Pick<TellingDeps, 'executor' | 'vault'>,
  id: UserId | null,
): Promise<string | null> {
  if (id === null) return null;
  const known = knownUser((await executor.load(user, id)).state);
  return known && vault.openFor(id, known.email);
}

/** `RollbackFailed` is `rollback_failed` (decisions 18). */
export function snakeCase(word: string): string {
  return word.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}
