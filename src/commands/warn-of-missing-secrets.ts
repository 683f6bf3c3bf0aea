import type { Executor } from '../core/executor.ts';
import type { DeploymentRequest } from '../domain/deployment/events.ts';
import { fieldName } from '../domain/field-name.ts';
import { secretReferences } from '../domain/secret-reference.ts';
import { findSecret, secrets } from '../domain/secrets.ts';

/** What a person does not read to its end warns of nothing. */
const mostWarnings = 20;

/** Where a deployment refers to secrets that do not exist: accepted, since they can still be set, and told. */
export async function warnOfMissingSecrets(
  { executor }: { readonly executor: Pick<Executor, 'load'> },
  { tenant, configuration }: Pick<DeploymentRequest, 'tenant' | 'configuration'>,
): Promise<{ readonly field: string; readonly message: string }[]> {
  const references = secretReferences(configuration);
  if (references.length === 0) return [];
  const { state } = await executor.load(secrets, tenant);
  return references
    .filter(({ name }) => !findSecret(state, name))
    .slice(0, mostWarnings)
    .map(({ path, name }) => ({
      field: fieldName(['configuration', ...path]),
      message: `There is no secret ${name} yet: PUT /api/v1/tenants/${tenant}/secrets/${name}`,
    }));
}
