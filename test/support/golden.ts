/**
 * One stored sample for every schema that an event type ever had, `test/golden/{Type}.v{schema}.json`: what was written
 * once must be readable for ever.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSchemas } from '../../src/core/schemas.ts';
import type { EventSchemas } from '../../src/domain/event.ts';
import type { JsonObject, Position, RecordedEvent } from '../../src/ports/event-store.ts';

/** What is wrong with the samples in `folder`, one line each; empty when all is well. */
export function goldenFaults(all: readonly EventSchemas[], folder: string): readonly string[] {
  const schemas = createSchemas(all);
  const present = readdirSync(folder).filter((file) => file.endsWith('.json'));
  const wanted = [...schemas.current].flatMap(([type, current]) =>
    Array.from({ length: current }, (_, before) => ({ type, schema: before + 1 })),
  );
  const names = new Set(wanted.map(nameOf));
  const strays = present.filter((file) => !names.has(file)).map((file) => `${file}: no such type and schema`);
  const faults = wanted.flatMap((sample) => {
    const file = nameOf(sample);
    if (!present.includes(file)) return [`${file}: missing`];
    const data = JSON.parse(readFileSync(join(folder, file), 'utf8')) as JsonObject;
    const decoded = schemas.decode(recorded(sample.type, sample.schema, data));
    return decoded.ok ? [] : [`${file}: ${decoded.message}`];
  });
  return [...strays, ...faults];
}

function nameOf({ type, schema }: { readonly type: string; readonly schema: number }): string {
  return `${type}.v${schema}.json`;
}

function recorded(type: string, schema: number, data: JsonObject): RecordedEvent {
  const base = { id: '', type, data, stream: 'golden-1', revision: 0, position: 'golden:1' as Position };
  const who = { tenant: null, actor: { id: 'usr_golden', face: 'test' }, correlationId: '', causationId: '' };
  return { ...base, metadata: { ...who, at: '2030-01-01T00:00:00.000Z', schema } };
}
