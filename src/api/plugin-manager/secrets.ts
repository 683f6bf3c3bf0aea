/** Secrets of a tenant (decisions 5): values go in only. */
import { z } from 'zod';
import { deleteSecret, setSecret, type SecretDeps } from '../../commands/secrets.ts';
import { TenantId } from '../../domain/ids.ts';
import { SecretName } from '../../domain/secret-reference.ts';
import { findSecret, secrets, type Secret } from '../../domain/secrets.ts';
import { tenant } from '../../domain/tenant.ts';
import { route, type Route } from '../http/route.ts';
import { pageMembers, pagingQuery } from './paging.ts';
import { callerOf, idInPath, noTenant, notFound, refuseOtherTenant } from './scope.ts';
import { TenantParams } from './tenant-schemas.ts';

const mostBytes = 65_536;

const SetSecretBody = z
  .strictObject({
    value: z
      .string()
      .min(1)
      .refine((value) => Buffer.byteLength(value) <= mostBytes, 'Must not be longer than 64 KiB'),
  })
  .meta({ description: 'At most 64 KiB in UTF-8', example: { value: 'sk_live_51H8…' } });

const SetSecretParams = TenantParams.extend({ name: SecretName });
/** Any text: what is no name does not exist. */
const SecretParams = TenantParams.extend({ name: z.string() });
const ListSecretsQuery = z.strictObject(pagingQuery);

const instant = z.iso.datetime().meta({ example: '2025-11-23T12:00:00.000Z' });
const SecretAnswer = z.object({
  name: z.string().meta({ example: 'stripe-api-key' }),
  version: z.int().meta({ description: "Grows with every change of the tenant's secrets" }),
  createdAt: instant,
  updatedAt: instant,
});
const SecretListAnswer = z.object({ secrets: z.array(SecretAnswer), ...pageMembers });

const tag = 'Secrets';
const path = '/tenants/:tenantId/secrets';
const writing = { tag, path: `${path}/:name`, policy: { permission: 'secrets:write' } } as const;

export function secretRoutes(deps: SecretDeps): readonly Route[] {
  const { executor } = deps;
  return [
    route({
      method: 'GET',
      path,
      summary: "List the names of a tenant's secrets, never their values",
      tag,
      policy: { permission: 'secrets:read' },
      reads: [],
      params: TenantParams,
      query: ListSecretsQuery,
      responses: { 200: SecretListAnswer },
      handler: async ({ principal, params, query: { limit, offset } }) => {
        refuseOtherTenant(principal, params.tenantId);
        const tenantId = idInPath(TenantId, params.tenantId, 'tenant');
        if (!(await executor.load(tenant, tenantId)).state) throw noTenant(tenantId);
        const { secrets: all } = (await executor.load(secrets, tenantId)).state;
        const page = all.slice(offset, offset + limit).map(secretAnswer);
        return { status: 200, body: { secrets: page, total: all.length, limit, offset } };
      },
    }),
    route({
      method: 'GET',
      path: `${path}/:name`,
      summary: 'Show when a secret was set, never its value',
      tag,
      policy: { permission: 'secrets:read' },
      reads: [],
      etag: 'version',
      params: SecretParams,
      responses: { 200: SecretAnswer },
      handler: async ({ principal, params }) => {
        refuseOtherTenant(principal, params.tenantId);
        const tenantId = idInPath(TenantId, params.tenantId, 'tenant');
        if (!(await executor.load(tenant, tenantId)).state) throw noTenant(tenantId);
        const secret = findSecret((await executor.load(secrets, tenantId)).state, params.name);
        if (!secret) throw notFound('secret', params.name);
        const body = secretAnswer(secret);
        return { status: 200, body, version: body.version };
      },
    }),
    route({
      ...writing,
      etag: 'version',
      conditional: 'change or create',
      method: 'PUT',
      summary: 'Set a secret, or replace its value',
      // Not idempotent: what is kept of the body would tell who can read the log when two values are equal.
      params: SetSecretParams,
      body: SetSecretBody,
      responses: { 200: SecretAnswer },
      refusals: ['NotFound', 'Conflict'],
      handler: async ({ principal, context, params, body: { value } }) => {
        refuseOtherTenant(principal, params.tenantId);
        const tenantId = idInPath(TenantId, params.tenantId, 'tenant');
        const by = { ...context, userId: callerOf(principal).userId };
        const { secret, position } = await setSecret(deps, by, { tenantId, name: params.name, value });
        const body = secretAnswer(secret);
        return { status: 200, body, version: body.version, position };
      },
    }),
    route({
      ...writing,
      method: 'DELETE',
      summary: 'Delete a secret and every value that it had',
      idempotent: true,
      conditional: 'change',
      params: SecretParams,
      responses: { 204: null },
      handler: async ({ principal, context, params }) => {
        refuseOtherTenant(principal, params.tenantId);
        const tenantId = idInPath(TenantId, params.tenantId, 'tenant');
        const name = idInPath(SecretName, params.name, 'secret');
        const by = { ...context, userId: callerOf(principal).userId };
        const { position } = await deleteSecret(deps, by, { tenantId, name });
        return { status: 204, position };
      },
    }),
  ];
}

function secretAnswer({ name, createdAt, versions: [newest] }: Secret): z.output<typeof SecretAnswer> {
  return { name, version: newest.version, createdAt, updatedAt: newest.at };
}
