/** The collections and helpers that the parts of the contract share. */
import type { JsonObject, Position } from '../../src/ports/event-store.ts';
import type { CollectionSpec, Document, Scope, TextPage, Write } from '../../src/ports/read-models.ts';

export const platform: Scope = { kind: 'platform' };
export const acme: Scope = { kind: 'tenant', tenant: 'acme' };
export const globex: Scope = { kind: 'tenant', tenant: 'globex' };

export const plugins: CollectionSpec = {
  name: 'plugins',
  visibility: 'public',
  indexes: [{ fields: ['name'] }, { fields: ['tags'], multi: true }],
  text: ['name', 'description'],
  textFilters: ['tags', 'n'],
};
export const deployments: CollectionSpec = {
  name: 'deployments',
  visibility: 'tenant',
  indexes: [{ fields: ['status', 'createdAt'] }],
  text: ['note'],
};
export const first = { projection: 'catalog', version: 1 };
export const second = { projection: 'catalog', version: 2 };

export function checkpoint(at: number): { position: Position; eventId: string } {
  return { position: `log:${at}` as Position, eventId: `event-${at}` };
}

export function put(collection: string, id: string, tenant: string | null, data: JsonObject): Write {
  return { put: { collection, document: { id, tenant, data } } };
}

export function ids(documents: readonly Document<object>[]): readonly string[] {
  return documents.map(({ id }) => id);
}

export function foundIds({ found }: TextPage<object>): readonly string[] {
  return found.map(({ document }) => document.id);
}

export async function failure(attempt: Promise<unknown>): Promise<unknown> {
  try {
    await attempt;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}
