/** Schemas of routes as JSON Schema, each that has an id (`.meta({ id: 'Plugin' })`) told once under `components`. */
import { z } from 'zod';
import { JsonObject } from './json.ts';

export interface Schemas {
  /** The schema, or a reference to it. Requests are described as they are sent, answers as they come. */
  describe(schema: z.ZodType, io: 'input' | 'output'): JsonObject;
  /** All that has an id, by it. */
  readonly components: Readonly<Record<string, JsonObject>>;
}

export function createSchemas(): Schemas {
  const components: Record<string, JsonObject> = {};

  /** @throws when another schema has this id: one of them would be described as the other */
  function add(id: string, definition: JsonObject): void {
    const before = components[id];
    if (before !== undefined && JSON.stringify(before) !== JSON.stringify(definition))
      throw new Error(`two schemas have the id ${id}: give one of them another`);
    components[id] = definition;
  }

  return {
    components,
    describe(schema, io) {
      const { $schema: _dialect, $defs, ...own } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
      const definitions = Definitions.parse($defs);
      const names = new Map(Object.entries(definitions).map(([id, one]) => [id, nameOf(id, one)]));
      for (const [id, definition] of Object.entries(definitions))
        add(names.get(id) ?? id, described(definition, names, io));
      return described(own, names, io);
    },
  };
}

const Definitions = z.record(z.string(), z.record(z.string(), z.unknown())).default({});

/** What refers to itself needs a name. The one such schema that has none of its own is any JSON at all. */
function nameOf(id: string, definition: JsonObject): string {
  if (!id.startsWith('__')) return id;
  if (JSON.stringify(definition).includes('"type":"boolean"')) return 'JsonValue';
  throw new Error('a schema that refers to itself needs an id');
}

/** Patterns that only spell a format out. */
const formats = ['date-time', 'email', 'date', 'uri'];
const textKeys = JSON.stringify({ type: 'string' });

function described(
  schema: JsonObject,
  names: ReadonlyMap<string, string>,
  io: 'input' | 'output',
): JsonObject {
  return JsonObject.parse(walk(schema));

  /** @param isSchema false: its members are names of the described, no keywords */
  function walk(value: unknown, isSchema = true): unknown {
    if (Array.isArray(value)) return value.map((one: unknown) => walk(one));
    if (typeof value !== 'object' || value === null) return value;
    const told: Record<string, unknown> = {};
    for (const [key, one] of Object.entries(value))
      if (!isSchema) told[key] = walk(one);
      else if (verbatim.has(key)) told[key] = one;
      else if (key === 'example') told['examples'] = [one];
      else if (key === '$ref') told[key] = referenceTo(String(one));
      else if (!isNoise(key, one, value)) told[key] = walk(one, key !== 'properties');
    return told;
  }

  function referenceTo(local: string): string {
    const id = local.replace('#/$defs/', '');
    return `#/components/schemas/${names.get(id) ?? id}`;
  }

  function isNoise(key: string, value: unknown, beside: object): boolean {
    if (key === 'id') return true;
    if (key === 'propertyNames') return JSON.stringify(value) === textKeys;
    if (key === 'minimum' || key === 'maximum') return Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
    if (key === 'pattern') return 'format' in beside && formats.includes(String(beside.format));
    // Who reads answers must let members pass that later versions add.
    return key === 'additionalProperties' && value === false && io === 'output';
  }
}

/** Values, no schemas. */
const verbatim = new Set(['const', 'enum', 'default', 'examples', 'required']);
