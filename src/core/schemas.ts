/** Every event type the program knows: validated before it is appended, validated and upcast when it is read. */
import type { EventSchema, EventSchemas } from '../domain/event.ts';
import type { JsonObject, RecordedEvent } from '../ports/event-store.ts';
import { z } from 'zod';

/** Why an event cannot be read by this version of the program. */
export type Undecodable = 'unknown type' | 'newer schema' | 'invalid';

export type Decoded =
  | { readonly ok: true; readonly event: RecordedEvent }
  | { readonly ok: false; readonly reason: Undecodable; readonly message: string };

export interface Schemas {
  /** Every known type with its current schema version. */
  readonly current: ReadonlyMap<string, number>;
  /** The event with `data` validated and brought to the current schema, which `metadata.schema` then names. */
  decode(recorded: RecordedEvent): Decoded;
  /** @throws {InvalidEvent} when the type is unknown or the data breaks its schema: a defect of the caller */
  encode(type: string, data: unknown): { readonly data: JsonObject; readonly schema: number };
}

/** An event that was about to be appended does not have the shape that its type declares. */
export class InvalidEvent extends Error {
  override readonly name = 'InvalidEvent';
}

type AnySchema = EventSchema<z.ZodType>;

/** @throws {Error} when two aggregates declare the same type */
export function createSchemas(all: readonly EventSchemas[]): Schemas {
  const byType = new Map<string, AnySchema>();
  for (const [type, schema] of all.flatMap((schemas) => Object.entries(schemas))) {
    if (byType.has(type)) throw new Error(`two aggregates declare the event type ${type}`);
    byType.set(type, schema);
  }

  return {
    current: new Map([...byType].map(([type, { schema }]) => [type, schema])),
    decode(recorded) {
      const known = byType.get(recorded.type);
      if (!known) return failed('unknown type', `no event type ${recorded.type} is known here`);
      const { schema } = recorded.metadata;
      if (schema > known.schema) {
        return failed(
          'newer schema',
          `${recorded.type} is known up to schema ${known.schema}, not ${schema}`,
        );
      }
      return validate(recorded, known);
    },
    encode(type, data) {
      const known = byType.get(type);
      if (!known) throw new InvalidEvent(`no event type ${type} is known here`);
      const parsed = known.data.safeParse(data);
      if (!parsed.success) throw new InvalidEvent(`${type}: ${z.prettifyError(parsed.error)}`);
      return { data: asObject(parsed.data), schema: known.schema };
    },
  };
}

function validate(recorded: RecordedEvent, known: AnySchema): Decoded {
  try {
    const parsed = known.data.safeParse(upcast(recorded, known));
    if (!parsed.success) return failed('invalid', `${recorded.type}: ${z.prettifyError(parsed.error)}`);
    const metadata = { ...recorded.metadata, schema: known.schema };
    return { ok: true, event: { ...recorded, data: asObject(parsed.data), metadata } };
  } catch (error) {
    // An upcast met data that its schema never allowed.
    return failed('invalid', `${recorded.type}: ${String(error)}`);
  }
}

function upcast(recorded: RecordedEvent, known: AnySchema): unknown {
  let data: unknown = recorded.data;
  for (let from = recorded.metadata.schema; from < known.schema; from += 1) {
    const step = known.upcasts?.[from];
    if (!step) throw new Error(`there is no upcast from schema ${from}`);
    data = step(data);
  }
  return data;
}

function failed(reason: Undecodable, message: string): Decoded {
  return { ok: false, reason, message };
}

/** Events are objects of JSON: their schemas may validate and default, but not turn data into something else. */
function asObject(data: unknown): JsonObject {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw new InvalidEvent('the data of an event is an object');
  }
  return data as JsonObject;
}
