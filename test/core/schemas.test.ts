import { expect } from 'chai';
import { z } from 'zod';
import { createSchemas, InvalidEvent } from '../../src/core/schemas.ts';
import type { JsonObject, Position, RecordedEvent } from '../../src/ports/event-store.ts';

const recorded = (type: string, schema: number, data: JsonObject): RecordedEvent => ({
  ...{ id: '1', type, data, stream: 's-1', revision: 0, position: 'log:1' as Position },
  metadata: {
    ...{ tenant: null, actor: { id: 'a', face: 'f' }, correlationId: 'c', causationId: 'd' },
    ...{ at: '2030-01-01T00:00:00.000Z', schema },
  },
});

describe('schemas', () => {
  const schemas = createSchemas([
    {
      Renamed: {
        schema: 3,
        data: z.object({ first: z.string(), last: z.string() }),
        upcasts: {
          1: (data) => ({ full: z.object({ name: z.string() }).parse(data).name }),
          2: (data) => {
            const [first, last] = z.object({ full: z.string() }).parse(data).full.split(' ');
            return { first, last };
          },
        },
      },
    },
  ]);

  it('bring old events to the current schema, step by step', () => {
    const decoded = schemas.decode(recorded('Renamed', 1, { name: 'Ada Lovelace' }));
    expect(decoded).to.deep.include({ ok: true });
    expect(decoded.ok && decoded.event.data).to.deep.equal({ first: 'Ada', last: 'Lovelace' });
    expect(decoded.ok && decoded.event.metadata.schema).to.equal(3);
  });

  it('say why an event cannot be read, and never throw', () => {
    const reason = (event: RecordedEvent) => {
      const decoded = schemas.decode(event);
      return decoded.ok ? 'ok' : decoded.reason;
    };
    expect(reason(recorded('Forgotten', 1, {}))).to.equal('unknown type');
    expect(reason(recorded('Renamed', 4, {}))).to.equal('newer schema');
    expect(reason(recorded('Renamed', 3, { first: 1 }))).to.equal('invalid');
    expect(reason(recorded('Renamed', 1, {}))).to.equal('invalid');
    expect(reason(recorded('Renamed', 0, {}))).to.equal('invalid');
  });

  it('refuse to append what breaks its schema', () => {
    expect(() => schemas.encode('Renamed', { first: 'Ada' })).to.throw(InvalidEvent, 'last');
    expect(() => schemas.encode('Forgotten', {})).to.throw(InvalidEvent);
    expect(schemas.encode('Renamed', { first: 'A', last: 'L' }).schema).to.equal(3);
  });

  it('refuse one type in two aggregates', () => {
    const one = { Same: { schema: 1, data: z.object({}) } };
    expect(() => createSchemas([one, { ...one }])).to.throw('Same');
  });
});
