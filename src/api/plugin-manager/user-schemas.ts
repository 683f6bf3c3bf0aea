/** Users and API keys as the Plugin Manager API writes them. */
import { z } from 'zod';
import { ApiKeyId, Environment, TenantId, UserId } from '../../domain/ids.ts';
import { Permission, Role } from '../../domain/permissions.ts';
import { Email, type ApiKey, type KnownUser } from '../../domain/user.ts';
import type { UserDocument } from '../../projections/users.ts';
import { pageMembers, pagingQuery } from './paging.ts';

// Requests

const PersonName = z.string().trim().min(1).max(200);
const password = z.string().max(1_024);

export const CreateUserBody = z
  .strictObject({
    email: Email.meta({ description: 'What the user logs in with; unique on the platform' }),
    name: PersonName.optional(),
    role: Role,
    tenantId: TenantId.optional().meta({ description: "Default: the caller's own" }),
    password: password.meta({ description: '8 to 256 characters' }),
  })
  .meta({
    id: 'NewUser',
    example: {
      email: 'ada@acme.example.com',
      name: 'Ada Lovelace',
      role: 'TenantAdmin',
      tenantId: 'tenant-acme-corp',
      password: 'correct horse battery staple',
    },
  });

export const ChangeUserBody = z
  .strictObject({
    role: Role.optional(),
    name: PersonName.nullable().optional(),
    disabled: z.boolean().optional().meta({ description: 'True ends sessions and API keys at once' }),
  })
  .refine((body) => Object.values(body).some((value) => value !== undefined), 'must name what is to change')
  .meta({ id: 'UserChange', example: { role: 'Viewer', disabled: false } });

export const ChangePasswordBody = z
  .strictObject({ currentPassword: password.min(1), newPassword: password })
  .meta({ example: { currentPassword: 'Admin123!', newPassword: 'correct horse battery staple' } });

export const ListUsersQuery = z.strictObject({
  tenantId: TenantId.optional().meta({ example: 'tenant-acme-corp' }),
  role: Role.optional().meta({ example: 'Viewer' }),
  disabled: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .meta({ example: 'false' }),
  ...pagingQuery,
});

/** Any text: what is no id does not exist. */
export const UserParams = z.strictObject({ userId: z.string() });
export const KeyParams = z.strictObject({ keyId: z.string() });

/** As they are minted: the rest need not be looked for. */
export const MintedUserId = UserId.refine((id) => /^usr_[0-9a-f]{20}$/.test(id));
export const MintedKeyId = ApiKeyId.refine((id) => /^key_[0-9a-f]{20}$/.test(id));

export const CreateApiKeyBody = z
  .strictObject({
    name: z.string().trim().min(1).max(100),
    permissions: z
      .array(Permission)
      .min(1)
      .max(Permission.options.length)
      .optional()
      .meta({ description: 'Default: all that the caller has; with a scope, what an agent needs' }),
    scope: z
      .strictObject({
        tenantId: TenantId.optional().meta({ description: "Default: the caller's own" }),
        environment: Environment,
      })
      .optional()
      .meta({ description: 'Makes it the key of an agent, good for this environment and nothing else' }),
    expiresAt: z.iso.datetime().optional(),
    expiresInDays: z.int().min(1).max(365).optional().meta({ description: 'Default 90' }),
  })
  .refine(({ expiresAt, expiresInDays }) => expiresAt === undefined || expiresInDays === undefined, {
    path: ['expiresInDays'],
    message: 'cannot come with expiresAt',
  })
  .meta({
    id: 'NewApiKey',
    example: { name: 'Nightly build', permissions: ['plugins:read', 'plugins:write'], expiresInDays: 30 },
  });

export const ListApiKeysQuery = z.strictObject(pagingQuery);

// Answers

const instant = z.iso.datetime().meta({ example: '2025-11-23T12:00:00.000Z' });

export const UserAnswer = z
  .object({
    userId: z.string(),
    email: z.string().nullable().meta({ description: 'Null when it was forgotten' }),
    name: z.string().nullable(),
    role: Role,
    tenantId: z.string(),
    disabled: z.boolean(),
  })
  .meta({ id: 'User' });
export const UserDetailsAnswer = UserAnswer.extend({ createdAt: instant, updatedAt: instant }).meta({
  id: 'UserDetails',
});
export const UserListAnswer = z
  .object({ users: z.array(UserDetailsAnswer), ...pageMembers })
  .meta({ id: 'UserPage' });
export const OwnAccountAnswer = UserAnswer.extend({
  permissions: z.array(z.string()).meta({ description: 'Of this session, or of this API key' }),
}).meta({ id: 'OwnAccount' });

export const ApiKeyAnswer = z
  .object({
    keyId: z.string(),
    name: z.string(),
    permissions: z.array(z.string()),
    scope: z
      .object({ tenantId: z.string(), environment: z.string() })
      .nullable()
      .meta({ description: "Of an agent's key: where it is good" }),
    expiresAt: instant,
    createdAt: instant,
  })
  .meta({ id: 'ApiKey' });
export const CreatedApiKeyAnswer = ApiKeyAnswer.extend({
  key: z.string().meta({ description: 'To be sent as X-API-Key: {key}. It is not shown again' }),
}).meta({ id: 'CreatedApiKey' });
export const ApiKeyListAnswer = z
  .object({ apiKeys: z.array(ApiKeyAnswer), ...pageMembers })
  .meta({ id: 'ApiKeyPage' });

/** @param opened e-mail address and name in the clear */
export function userAnswer(
  userId: UserId,
  { role, tenantId, status }: KnownUser,
  opened: { readonly email: string | null; readonly name: string | null },
): z.output<typeof UserAnswer> {
  return { userId, ...opened, role, tenantId, disabled: status !== 'Active' };
}

export function userDetailsAnswer(user: UserDocument): z.output<typeof UserDetailsAnswer> {
  const { userId, email, name, role, tenantId, disabled, createdAt, updatedAt } = user;
  return { userId, email, name, role, tenantId, disabled, createdAt, updatedAt };
}

export function apiKeyAnswer({
  keyId,
  name,
  permissions,
  scope: of,
  expiresAt,
  createdAt,
}: ApiKey): z.output<typeof ApiKeyAnswer> {
  const scope = of && { tenantId: of.tenant, environment: of.environment };
  return { keyId, name, permissions, scope, expiresAt, createdAt };
}
