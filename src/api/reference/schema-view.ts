/** JSON Schema in words: types, bounds and members, with links to schemas that have a name. */
import { anchors } from './anchors.ts';
import { joined, type Markup, markup, sentence } from './markup.ts';
import { boundsOf, type Schema, waysOf } from './schema.ts';

/** One thing that has a name and a type: a parameter, a header, a member. @param facts beside those of its schema */
export function named(
  name: string,
  {
    schema,
    description,
    facts = [],
    example,
    anchor,
  }: {
    readonly schema: Schema;
    readonly description?: string;
    readonly facts?: readonly string[];
    readonly example?: unknown;
    readonly anchor?: string;
  },
): Markup {
  const sense = description ?? schema.description;
  const told = [...facts, ...factsOf(schema), ...(example === undefined ? [] : [suchAs(example)])];
  return markup`<li${anchor === undefined ? null : markup` id="${anchor}"`}><code class="name">${name}</code> ${typeAnd(told, schema)}
${sense === '' ? null : markup`<p>${sentence(sense)}</p>`}${membersOf(schema)}</li>`;
}

/** The schema as a whole: its type, what is said of it, its members. */
export function schemaView(schema: Schema): Markup {
  const { description } = schema;
  return markup`<div class="schema"><p>${typeAnd(factsOf(schema), schema)}</p>
${description === '' ? null : markup`<p>${sentence(description)}</p>`}${membersOf(schema)}</div>`;
}

/** `string`, `array of Plugin`, `"Beta" or "Stable"` */
function typeOf(schema: Schema): Markup {
  const { $ref, type, items, properties, additionalProperties } = schema;
  if ($ref !== undefined) {
    const name = $ref.slice($ref.lastIndexOf('/') + 1);
    return markup`<a href="#${anchors.schema(name)}">${name}</a>`;
  }
  const values = valuesOf(schema);
  if (values) return markup`${joined(values.map(literal), ' or ')}`;
  const ways = waysOf(schema);
  if (ways) return markup`${joined(ways.map(typeOf), ' or ')}`;
  if (type === 'array') return markup`array of ${items ? typeOf(items) : 'anything'}`;
  const isMap = type === 'object' && Object.keys(properties).length === 0;
  if (isMap && typeof additionalProperties === 'object')
    return markup`object whose members are ${typeOf(additionalProperties)}`;
  return markup`${[type ?? 'anything'].flat().join(' or ')}`;
}

/** Its bounds, and examples; what there is beside null, and what is in an array, as if it stood alone. */
function factsOf(schema: Schema): readonly string[] {
  const [only, ...others] = (waysOf(schema) ?? []).filter(({ type }) => type !== 'null');
  return [
    ...boundsOf(schema),
    ...(only && others.length === 0 ? factsOf(only) : []),
    ...(schema.items ? factsOf(schema.items).map((one) => `each ${one}`) : []),
    ...('default' in schema ? [`default ${JSON.stringify(schema.default)}`] : []),
    ...schema.examples.map(suchAs),
  ];
}

function suchAs(example: unknown): string {
  return `such as ${JSON.stringify(example)}`;
}

/** Members of the object, of the objects of the array, or of each way that it may be. */
function membersOf(schema: Schema): Markup | null {
  const { items, properties, required, additionalProperties } = schema;
  const members = Object.entries(properties);
  if (members.length > 0)
    return markup`<ul class="members">${members.map(([name, member]) =>
      named(name, { schema: member, facts: required.includes(name) ? ['required'] : [] }),
    )}</ul>`;
  if (items) return membersOf(items);
  if (typeof additionalProperties === 'object') return membersOf(additionalProperties);
  const ways = (waysOf(schema) ?? []).flatMap((way) => membersOf(way) ?? []);
  return ways.length === 0 ? null : markup`${joined(ways, ' or ')}`;
}

function valuesOf(schema: Schema): readonly unknown[] | null {
  return 'const' in schema ? [schema.const] : (schema.enum ?? null);
}

function literal(value: unknown): Markup {
  return markup`<code>${JSON.stringify(value)}</code>`;
}

function typeAnd(facts: readonly string[], schema: Schema): Markup {
  const told = facts.map((fact) => markup` <span class="fact">${fact}</span>`);
  return markup`<span class="type">${typeOf(schema)}</span>${told}`;
}
