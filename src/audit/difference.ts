/** What is different between two states, field by field, as a person reads it. */
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../ports/event-store.ts';

/** `before` or `after` is absent where the field was, or is, not there. */
export interface Change {
  /** `rateLimits.maxRequestsPerMinute`, `versions[1].state`; empty: the whole, which is no object. */
  readonly field: string;
  readonly before?: Json;
  readonly after?: Json;
}

/** Nobody reads more of one step; what is beyond is told as a change of all that is left, in one. */
const mostChanges = 200;

/**
 * In the order of the fields. What is new or gone as a whole is one change, not one for each of its members; where nothing was,
 * each member of an object is one.
 */
export function differences(before: Json | undefined, after: Json | undefined): readonly Change[] {
  const changes: Change[] = [];
  const start = before === null || before === undefined;
  walk('', start && isObject(after) ? {} : before, after, changes);
  return changes;
}

function walk(field: string, before: Json | undefined, after: Json | undefined, changes: Change[]): void {
  if (isDeepStrictEqual(before, after)) return;
  const members = changes.length < mostChanges ? membersOf(field, before, after) : null;
  if (!members) {
    changes.push({
      field,
      ...(before !== undefined && { before }),
      ...(after !== undefined && { after }),
    });
    return;
  }
  for (const [name, was, is] of members) walk(name, was, is, changes);
}

type Member = readonly [field: string, before: Json | undefined, after: Json | undefined];

/** Null: they have no members in common, and are compared as wholes. */
function membersOf(
  field: string,
  before: Json | undefined,
  after: Json | undefined,
): readonly Member[] | null {
  if (isList(before) && isList(after)) {
    // Elements of scalars have no names to tell them apart by.
    if (![...before, ...after].every(isObject)) return null;
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, index) => [`${field}[${index}]`, before[index], after[index]]);
  }
  if (!isObject(before) || !isObject(after)) return null;
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const named = (name: string): string => (field === '' ? name : `${field}.${name}`);
  return names.map((name) => [named(name), own(before, name), own(after, name)]);
}

function own(of: Readonly<Record<string, Json>>, name: string): Json | undefined {
  return Object.hasOwn(of, name) ? of[name] : undefined;
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json | undefined): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** States of aggregates may hold maps and sets: objects and lists here. @param state not undefined */
export function asJson(state: unknown): Json {
  const text = JSON.stringify(state, (_name, value: unknown) => {
    if (value instanceof Map) return Object.fromEntries(value) as unknown;
    return value instanceof Set ? [...value] : value;
  });
  return JSON.parse(text) as Json;
}
