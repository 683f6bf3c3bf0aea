/** Events as they lie in logs: every schema that ever was must still be read. Samples are added, never changed. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { EventSchemas } from '../../../src/domain/event.ts';
import { deploymentEvents } from '../../../src/domain/deployment/events.ts';
import { healthEvents } from '../../../src/domain/health.ts';
import { slotEvents } from '../../../src/domain/slot.ts';

interface Sample {
  readonly type: string;
  readonly schema: number;
  readonly data: unknown;
}

const aggregates: Readonly<Record<string, EventSchemas>> = {
  deployment: deploymentEvents,
  slot: slotEvents,
  health: healthEvents,
};

for (const [name, events] of Object.entries(aggregates)) {
  describe(`golden samples of ${name}`, () => {
    const file = new URL(`../../golden/${name}.json`, import.meta.url);
    const samples = JSON.parse(readFileSync(file, 'utf8')) as readonly Sample[];

    it('has one of every event and schema', () => {
      const wanted = Object.entries(events).flatMap(([type, { schema }]) =>
        Array.from({ length: schema }, (_, i) => `${type} ${i + 1}`),
      );
      expect(samples.map(({ type, schema }) => `${type} ${schema}`)).to.have.members(wanted);
    });

    for (const sample of samples) {
      it(`${sample.type} ${sample.schema}`, () => {
        const event = events[sample.type]!;
        let { data } = sample;
        for (let n = sample.schema; n < event.schema; n += 1) data = event.upcasts![n]!(data);
        expect(event.data.parse(data)).to.deep.equal(data);
      });
    }
  });
}
