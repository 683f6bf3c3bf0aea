/** Schemas of routes as JSON Schema, each that has an id (`.meta({ id: 'Plugin' })`) told once under `components`. */
import { z } from 'zod';
import { JsonObject } from './json.ts';

type Direction = 'input' | 'output';

export interface Schemas {
  /** The schema, or a reference to it. Requests are described as they are sent, answers as they come. */
  describe(schema: z.ZodType, direction: Direction): JsonObject;
  /** A body of JSON, with the example of its schema. */
  content(schema: z.ZodType, direction: Direction): JsonObject;
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

  function describe(schema: z.ZodType, direction: Direction): JsonObject {
    const {
      $schema: _dialect,
      $defs,
      ...own
    } = z.toJSONSchema(schema, {
      io: direction,
      unrepresentable: 'any',
    });
    for (const [id, definition] of Object.entries(Definitions.parse($defs)))
      if (!isAnyJson(id, definition)) add(id, told(definition, direction));
    return told(own, direction);
  }

  return {
    components,
    describe,
    content(schema, direction) {
      const { example } = schema.meta() ?? {};
      const shown = example === undefined ? {} : { example };
      return { 'application/json': { schema: describe(schema, direction), ...shown } };
    },
  };
}

const Definitions = z.record(z.string(), JsonObject).default({});

/** The one schema that refers to itself and has no id. Whatever refers to it takes anything. */
function isAnyJson(id: string, { anyOf }: JsonObject): boolean {
  if (!id.startsWith('__')) return false;
  if (JSON.stringify(anyOf).includes('{"type":"boolean"}')) return true;
  throw new Error('a schema that refers to itself needs an id');
}

/** @returns as this document says it: references to its components, `examples`, and nothing that goes without saying */
function told({ example: _besideTheSchema, ...definition }: JsonObject, direction: Direction): JsonObject {
  return JsonObject.parse(keywords(definition));

  function keywords(schema: unknown): unknown {
    if (Array.isArray(schema)) return schema.map(keywords);
    if (typeof schema !== 'object' || schema === null) return schema;
    const kept: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(schema))
      if (values.has(key)) kept[key] = value;
      else if (key === 'example') kept['examples'] = [value];
      else if (key === 'properties') kept[key] = members(JsonObject.parse(value));
      else if (key === '$ref') Object.assign(kept, reference(String(value)));
      else if (!goesWithoutSaying(key, value, schema, direction)) kept[key] = keywords(value);
    return kept;
  }

  function members(properties: JsonObject): JsonObject {
    return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, keywords(schema)]));
  }
}

/** Keywords that hold values, no schemas. */
const values: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples', 'required']);

function reference(local: string): JsonObject {
  const id = local.replace('#/$defs/', '');
  return id.startsWith('__') ? {} : { $ref: `#/components/schemas/${id}` };
}

/** Their patterns only spell them out. */
const formats = ['date-time', 'email', 'date', 'uri'];

function goesWithoutSaying(key: string, value: unknown, beside: object, direction: Direction): boolean {
  if (key === 'id' || value === undefined) return true;
  if (key === 'propertyNames') return JSON.stringify(value) === '{"type":"string"}';
  if (key === 'minimum' || key === 'maximum') return Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
  if (key === 'pattern') return 'format' in beside && formats.includes(String(beside.format));
  // Who reads answers must let members pass that later versions add.
  return key === 'additionalProperties' && value === false && direction === 'output';
}
