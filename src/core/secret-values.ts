/** Values of secrets: in the vault, and nowhere else. Nothing reads them yet: no runtime of this version starts what would need one. */
import { findSecret, type Secrets } from '../domain/secrets.ts';
import type { TenantId } from '../domain/ids.ts';
import type { SecretName } from '../domain/secret-reference.ts';
import type { Vault, VaultKey } from '../ports/vault.ts';

const kind = 'tenant-secret';

/** No two of them meet: neither ids of tenants nor names of secrets hold a slash. The seal is bound to it. */
function keyOf(tenant: TenantId, name: string, version: number): VaultKey {
  return { kind, name: `${tenant}/${name}/${version}` };
}

/**
 * Seals a value under the first version that is free.
 * @param from the first to try
 * @returns which it was; the value counts once an event says so
 */
export async function sealValue(
  vault: Pick<Vault, 'putIfAbsent'>,
  tenant: TenantId,
  name: SecretName,
  { value, from }: { readonly value: string; readonly from: number },
): Promise<number> {
  for (let version = from; ; version += 1)
    if (await vault.putIfAbsent(keyOf(tenant, name, version), Buffer.from(value))) return version;
}

/** Destroys what no event speaks of, or no more: values that were replaced long ago, deleted, or left by a server that died. */
export async function discardValues(
  vault: Pick<Vault, 'names' | 'delete'>,
  tenant: TenantId,
  name: SecretName,
  state: Secrets,
): Promise<void> {
  const prefix = `${tenant}/${name}/`;
  const kept = new Set(findSecret(state, name)?.versions.map(({ version }) => version));
  for (const sealed of await vault.names(kind, prefix)) {
    const version = Number(sealed.slice(prefix.length));
    // A later one may belong to a change under way.
    if (version <= state.version && !kept.has(version)) await vault.delete({ kind, name: sealed });
  }
}
