/** What the vault holds of a tenant's secret, for who may look into it: tests. */
import type { Executor } from '../../src/core/executor.ts';
import type { TenantId } from '../../src/domain/ids.ts';
import { findSecret, secrets } from '../../src/domain/secrets.ts';
import type { Vault } from '../../src/ports/vault.ts';

/** The value that was set last; undefined: there is none. */
export async function sealedValue(
  { executor, vault }: { readonly executor: Pick<Executor, 'load'>; readonly vault: Pick<Vault, 'get'> },
  tenant: TenantId,
  name: string,
): Promise<string | undefined> {
  const secret = findSecret((await executor.load(secrets, tenant)).state, name);
  if (!secret) return undefined;
  const [{ version }] = secret.versions;
  const sealed = await vault.get({ kind: 'tenant-secret', name: `${tenant}/${name}/${version}` });
  return sealed ? Buffer.from(sealed).toString() : undefined;
}
