/** Random documents and questions over them, for the properties of the contract. */
import fc from 'fast-check';
import { words } from '../../src/domain/words.ts';
import type { CollectionSpec, Document, Filter, Scope } from '../../src/ports/read-models.ts';

/** Declared twice, so that each question is asked of what a tenant may see of both. */
export function specs(): readonly CollectionSpec[] {
  const indexes = [
    { fields: ['status', 'n'], covers: ['n', 'flag', 'mixed'] },
    { fields: ['n'] },
    { fields: ['flag'] },
    { fields: ['mixed'] },
    { fields: ['nested.deep.name'] },
    { fields: ['tags'], multi: true },
  ] as const;
  const text = ['title', 'nested.deep.name', 'tags'];
  const textFilters = ['status', 'n', 'flag', 'mixed', 'tags', 'missing'];
  return [
    { name: 'private_things', visibility: 'tenant', indexes, text, textFilters },
    { name: 'public_things', visibility: 'public', indexes, text, textFilters },
  ];
}

const text = fc.oneof(
  fc.constantFrom('a', 'B', 'b', 'é', '', '[1]', '{', '1', 'true', "o'clock", '\u{1F600}', '\uFFFD'),
  fc.string({ unit: 'grapheme', maxLength: 4 }),
);
const number = fc.oneof(
  fc.constantFrom(0, 1, -1, 2, 0.5, 1e21, -1e300, 2 ** 53, 1e18, 0.1 + 0.2),
  fc.integer({ min: -5, max: 5 }),
);
const scalar = fc.oneof(text, number, fc.boolean(), fc.constant(null));
/** Few, so that documents often have what is asked for. */
const element = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 1, true) },
  { weight: 1, arbitrary: scalar },
);
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });

/** Few letters, so that words are often within a typo of each other. */
const word = fc.oneof(
  fc.constantFrom('payment', 'payments', 'paymnet', 'pay', 'Straße', 'o’clock'),
  fc.string({ unit: fc.constantFrom('a', 'b', 'É'), minLength: 1, maxLength: 6 }),
);
const title = fc.array(word, { maxLength: 4 }).map((words) => words.join(' '));
export const typed = fc.array(word, { minLength: 1, maxLength: 3 }).map((written) => written.flatMap(words));

const data = fc.record(
  {
    status: maybe(text),
    n: maybe(number),
    flag: maybe(fc.boolean()),
    mixed: fc.oneof(scalar, fc.array(scalar, { maxLength: 2 }), fc.record({ name: scalar })),
    tags: fc.array(element, { maxLength: 4 }),
    labels: fc.array(scalar, { maxLength: 4 }),
    nested: fc.record({ deep: fc.record({ name: maybe(text) }, { requiredKeys: [] }) }),
    title,
  },
  { requiredKeys: [] },
);

const tenants = ['acme', 'globex'] as const;

export const documents: fc.Arbitrary<readonly Document[]> = fc.uniqueArray(
  fc.record({
    id: fc.string({ unit: fc.constantFrom('a', 'b', '-', 'Z'), maxLength: 5 }),
    tenant: maybe(fc.constantFrom(...tenants)),
    data,
  }),
  { maxLength: 40, selector: ({ id }) => id },
);

export const scope: fc.Arbitrary<Scope> = fc.oneof(
  fc.constant<Scope>({ kind: 'platform' }),
  fc.constantFrom(...tenants, 'nobody').map((tenant): Scope => ({ kind: 'tenant', tenant })),
);

const scalarPath = fc.constantFrom(
  'status',
  'n',
  'flag',
  'mixed',
  'nested.deep.name',
  'title',
  'missing',
  'status.below',
);
const arrayPath = fc.constantFrom('tags', 'labels', 'mixed', 'status');
const bounds = fc.record({ gt: scalar, gte: scalar, lt: scalar, lte: scalar }, { requiredKeys: [] });

export const { filter } = fc.letrec<{ filter: Filter; leaf: Filter }>((tie) => ({
  leaf: fc.oneof(
    fc.tuple(scalarPath, scalar).map((equal): Filter => ({ equal })),
    fc.tuple(scalarPath, fc.array(scalar, { maxLength: 4 })).map((oneOf): Filter => ({ in: oneOf })),
    fc.tuple(scalarPath, bounds).map((range): Filter => ({ range })),
    fc.tuple(arrayPath, element).map((contains): Filter => ({ contains })),
  ),
  filter: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    tie('leaf'),
    fc.array(tie('filter'), { maxLength: 3 }).map((and): Filter => ({ and })),
    fc.array(tie('filter'), { maxLength: 3 }).map((or): Filter => ({ or })),
  ),
}));

export const sort = fc.uniqueArray(
  fc.record({
    path: fc.constantFrom('status', 'n', 'flag', 'nested.deep.name', 'title', 'missing'),
    order: fc.constantFrom('asc', 'desc'),
  }),
  { maxLength: 3, selector: ({ path }) => path },
);
