/** People: by their ids, for answers that name who did something, and in lists for who looks after them. What is personal stays sealed until it is asked for. */
import type { z } from 'zod';
import type { Collection, Documents, Projection } from '../core/projection.ts';
import type { TenantId, UserId } from '../domain/ids.ts';
import type { Role } from '../domain/permissions.ts';
import { userEvents } from '../domain/user.ts';
import type { RecordedEvent } from '../ports/event-store.ts';
import type { Filter, ReadModels, Scope } from '../ports/read-models.ts';
import type { Vault } from '../ports/vault.ts';
import { on } from './event-data.ts';

/** One user, by the id. `email` and `name` are sealed for the user. */
interface StoredUser extends z.output<typeof userEvents.UserCreated.data> {
  readonly disabled: boolean;
  /** Of the user's stream. */
  readonly revision: number;
  /** ISO 8601, as is `updatedAt`. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** For its readers: e-mail address and name in the clear, null when they were forgotten (or there is no name). */
export interface UserDocument extends Omit<StoredUser, 'email'> {
  readonly email: string | null;
}

export const users: Collection<StoredUser> = {
  name: 'users',
  visibility: 'tenant',
  indexes: [
    { fields: ['userId'] },
    { fields: ['createdAt'] },
    { fields: ['tenantId', 'createdAt'] },
    { fields: ['role', 'createdAt'] },
  ],
  text: [],
};

export const usersProjection: Projection = {
  name: 'users',
  version: 3,
  collections: [users],
  on: {
    UserCreated: on(userEvents.UserCreated, (created, documents, { revision, metadata: { at } }) => {
      const { userId, tenantId } = created;
      const stored = { ...created, disabled: false, revision, createdAt: at, updatedAt: at };
      documents.put(users, userId, tenantId, stored);
    }),
    UserRenamed: on(userEvents.UserRenamed, ({ userId, name }, ...rest) => change(userId, { name }, ...rest)),
    UserRoleChanged: on(userEvents.UserRoleChanged, ({ userId, role }, ...rest) =>
      change(userId, { role }, ...rest),
    ),
    UserDisabled: on(userEvents.UserDisabled, ({ userId }, ...rest) =>
      change(userId, { disabled: true }, ...rest),
    ),
    UserEnabled: on(userEvents.UserEnabled, ({ userId }, ...rest) =>
      change(userId, { disabled: false }, ...rest),
    ),
    UserForgotten: reach,
    PasswordChanged: reach,
    ApiKeyCreated: reach,
    ApiKeyRevoked: reach,
  },
};

async function change(
  userId: UserId,
  changed: Partial<StoredUser>,
  documents: Documents,
  { revision, metadata: { at } }: RecordedEvent,
): Promise<void> {
  const found = await documents.get(users, userId);
  if (found) documents.put(users, userId, found.tenantId, { ...found, ...changed, revision, updatedAt: at });
}

/** Of what nobody sees here, only that it happened. */
async function reach({ stream, revision }: RecordedEvent, documents: Documents): Promise<void> {
  const userId = stream.slice('user-'.length);
  const found = await documents.get(users, userId);
  if (found) documents.put(users, userId, found.tenantId, { ...found, revision });
}

export interface UsersDeps {
  readonly models: ReadModels;
  readonly vault: Pick<Vault, 'openFor'>;
}

export interface UserQuery {
  readonly tenantId?: TenantId | undefined;
  readonly role?: Role | undefined;
  readonly disabled?: boolean | undefined;
  /** 1..100. */
  readonly limit: number;
  readonly offset: number;
}

/** The newest first. `total`: how many match, on all pages. */
export async function listUsers(
  { models, vault }: UsersDeps,
  scope: Scope,
  query: UserQuery,
): Promise<{ readonly users: readonly UserDocument[]; readonly total: number }> {
  const matching = { scope, ...filterOf(query) };
  const [total, page] = await Promise.all([
    models.count(users.name, matching),
    models.find<StoredUser>(users.name, {
      ...{ ...matching, limit: query.limit, offset: query.offset },
      sort: [{ path: 'createdAt', order: 'desc' }],
    }),
  ]);
  return { users: await Promise.all(page.documents.map(({ data }) => opened(vault, data))), total };
}

function filterOf({ tenantId, role, disabled }: UserQuery): { readonly filter?: Filter } {
  const and: Filter[] = [];
  if (tenantId !== undefined) and.push({ equal: ['tenantId', tenantId] });
  if (role !== undefined) and.push({ equal: ['role', role] });
  if (disabled !== undefined) and.push({ equal: ['disabled', disabled] });
  return and.length === 0 ? {} : { filter: { and } };
}

/** Null when there is none within the scope. */
export async function getUser(
  { models, vault }: UsersDeps,
  scope: Scope,
  userId: UserId,
): Promise<UserDocument | null> {
  const found = await models.get<StoredUser>(users.name, userId, scope);
  return found && opened(vault, found.data);
}

async function opened(vault: UsersDeps['vault'], stored: StoredUser): Promise<UserDocument> {
  const { userId, email, name } = stored;
  return {
    ...stored,
    email: await vault.openFor(userId, email),
    name: name === null ? null : await vault.openFor(userId, name),
  };
}

/**
 * The addresses of users of any tenant: whoever may see what a person did may see who it was. Absent are those that are unknown,
 * or forgotten.
 * @param ids at most 1,000
 */
export async function emailsOf(
  { models, vault }: UsersDeps,
  ids: Iterable<string>,
): Promise<ReadonlyMap<string, string>> {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) return new Map();
  const { documents } = await models.find<StoredUser>(users.name, {
    scope: { kind: 'platform' },
    filter: { in: ['userId', wanted] },
    limit: wanted.length,
  });
  const opened = await Promise.all(
    documents.map(async ({ data }): Promise<readonly [UserId, string | null]> => {
      return [data.userId, await vault.openFor(data.userId, data.email)];
    }),
  );
  return new Map(opened.flatMap(([id, email]) => (email === null ? [] : [[id, email]])));
}
