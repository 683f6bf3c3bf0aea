import type { TenantId } from '../domain/ids.ts';
import type { Plugin } from '../domain/plugin.ts';
import type { Author } from '../domain/registration.ts';
import type { Vault } from '../ports/vault.ts';

/** The same author sealed twice is two texts, so the one that is stored stands for an author who has not changed. */
export async function sealAuthor(
  vault: Pick<Vault, 'sealFor' | 'openFor'>,
  owner: TenantId,
  author: Author,
  known: Plugin | null,
): Promise<string> {
  const subject = `tenant:${owner}`;
  const text = JSON.stringify({ name: author.name, email: author.email });
  if (known?.author && (await vault.openFor(subject, known.author)) === text) return known.author;
  return await vault.sealFor(subject, text);
}
