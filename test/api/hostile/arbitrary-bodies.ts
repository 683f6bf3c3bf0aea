/** Bodies of requests: the example of an operation, changed. A character is a byte. */
import fc from 'fast-check';
import { rawValues, value } from './arbitrary-values.ts';

type Json = Readonly<Record<string, unknown>> | readonly unknown[];
type Path = readonly (string | number)[];

type Change =
  | { readonly at: Path; readonly is: 'set'; readonly to: unknown }
  | { readonly at: Path; readonly is: 'raw'; readonly to: string }
  | { readonly at: Path; readonly is: 'gone' }
  | { readonly at: Path; readonly is: 'added'; readonly name: string; readonly to: unknown };

const fieldNames = [
  'tenantId',
  'role',
  'status',
  'userId',
  'id',
  'disabled',
  'permissions',
  'scope',
  'x',
  '__proto__',
  'constructor',
  '',
];

function changesOf(example: object): fc.Arbitrary<Change> {
  const paths = pathsOf(example);
  const at = fc.constantFrom<Path[]>(...(paths.length > 0 ? paths : [[]]));
  const below = fc.constantFrom<Path[]>(
    [],
    ...paths.filter((path) => typeof valueAt(example, path) === 'object'),
  );
  return fc.oneof(
    { arbitrary: fc.record({ at, is: fc.constant('set' as const), to: value }), weight: 6 },
    {
      arbitrary: fc.record({ at, is: fc.constant('raw' as const), to: fc.constantFrom(...rawValues) }),
      weight: 2,
    },
    { arbitrary: fc.record({ at, is: fc.constant('gone' as const) }), weight: 2 },
    {
      arbitrary: fc.record({
        at: below,
        is: fc.constant('added' as const),
        name: fc.constantFrom(...fieldNames),
        to: value,
      }),
      weight: 1,
    },
  );
}

function pathsOf(node: unknown, at: Path = []): readonly Path[] {
  if (typeof node !== 'object' || node === null) return [at];
  const below = Object.entries(node).flatMap(([key, one]) =>
    pathsOf(one, [...at, Array.isArray(node) ? Number(key) : key]),
  );
  return at.length === 0 ? below : [at, ...below];
}

function valueAt(node: unknown, [key, ...rest]: Path): unknown {
  if (key === undefined) return node;
  return typeof node === 'object' && node !== null ? valueAt(Reflect.get(node, key), rest) : undefined;
}

const marker = 'raw value of the fuzz';

function changed(example: Json, changes: readonly Change[]): string {
  let raw = '0';
  let body: unknown = structuredClone(example);
  for (const change of changes) {
    if (change.is === 'raw') raw = change.to;
    body = apply(body, change.at, change);
  }
  return latin1(JSON.stringify(body).replace(`"${marker}"`, () => raw));
}

/** A character a byte of its UTF-8. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function apply(node: unknown, [key, ...rest]: Path, change: Change): unknown {
  if (key === undefined) {
    if (change.is === 'raw') return marker;
    if (change.is === 'set') return change.to;
    if (change.is === 'gone' || typeof node !== 'object' || node === null) return node;
    return Object.fromEntries([...Object.entries(node), [change.name, change.to]]);
  }
  // A change before this one may have taken the place away.
  if (typeof node !== 'object' || node === null) return node;
  if (rest.length === 0 && change.is === 'gone') {
    if (Array.isArray(node)) return node.filter((_, index) => index !== key);
    return Object.fromEntries(Object.entries(node).filter(([name]) => name !== key));
  }
  if (Array.isArray(node))
    return node.map((one: unknown, index) => (index === key ? apply(one, rest, change) : one));
  return Object.fromEntries(
    Object.entries(node).map(([name, one]) => [name, name === key ? apply(one, rest, change) : one]),
  );
}

export function arbitraryBody(example: object | null): fc.Arbitrary<string | null> {
  const anything = fc.oneof(
    fc.constantFrom(...rawValues).map(latin1),
    fc.json({ maxDepth: 4 }).map(latin1),
    fc.string({ unit: byte, maxLength: 60 }),
    fc.constantFrom('[1,2]', '"x"', 'null', '{}', `"${'x'.repeat(1_100_000)}"`),
  );
  if (example === null)
    return fc.oneof({ arbitrary: fc.constant(null), weight: 6 }, { arbitrary: anything, weight: 1 });
  const original = JSON.parse(JSON.stringify(example)) as Json;
  const mutated = fc
    .array(changesOf(original), { maxLength: 3 })
    .map((changes) => changed(original, changes));
  const garbled = fc
    .tuple(mutated, fc.nat(), fc.constantFrom('\0', '"', ',', '\\', '{', '}', '\xc3', '\xff'))
    .map(([text, at, other]) => text.slice(0, at % text.length) + other + text.slice((at % text.length) + 1));
  return fc.oneof(
    { arbitrary: mutated, weight: 10 },
    { arbitrary: garbled, weight: 2 },
    { arbitrary: anything, weight: 2 },
    { arbitrary: fc.constant(null), weight: 1 },
  );
}

const byte = fc.nat({ max: 255 }).map((code) => String.fromCharCode(code));
