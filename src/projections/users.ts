/** People by their ids, for answers that name who did something. What is personal stays sealed until it is asked for. */
import type { z } from 'zod';
import type { Collection, Projection } from '../core/projection.ts';
import type { UserId } from '../domain/ids.ts';
import { userEvents } from '../domain/user.ts';
import type { ReadModels } from '../ports/read-models.ts';
import type { Vault } from '../ports/vault.ts';
import { on } from './event-data.ts';

/** One user, by the id. `email` is sealed for the user: {@link emailsOf} opens it. */
export type UserDocument = Pick<
  z.output<typeof userEvents.UserCreated.data>,
  'userId' | 'tenantId' | 'role' | 'email'
>;

export const users: Collection<UserDocument> = {
  name: 'users',
  visibility: 'tenant',
  indexes: [{ fields: ['userId'] }],
  text: [],
};

export const usersProjection: Projection = {
  name: 'users',
  version: 1,
  collections: [users],
  on: {
    UserCreated: on(userEvents.UserCreated, ({ userId, tenantId, role, email }, documents) => {
      documents.put(users, userId, tenantId, { userId, tenantId, role, email });
    }),
  },
};

/**
 * The addresses of users of any tenant: whoever may see what a person did may see who it was. Absent are those that are unknown,
 * or forgotten.
 * @param ids at most 1,000
 */
export async function emailsOf(
  { models, vault }: { readonly models: ReadModels; readonly vault: Pick<Vault, 'openFor'> },
  ids: Iterable<string>,
): Promise<ReadonlyMap<string, string>> {
  const wanted = [...new Set(ids)];
  if (wanted.length === 0) return new Map();
  const { documents } = await models.find<UserDocument>(users.name, {
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
