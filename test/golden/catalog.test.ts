/** Events as they were stored once: every schema that ever was must be read for ever. */
import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { z } from 'zod';
import { pluginEvents } from '../../src/domain/plugin.ts';
import { reservationEvents } from '../../src/domain/reservation.ts';
import { tenantEvents } from '../../src/domain/tenant.ts';

const Sample = z.strictObject({ type: z.string(), schema: z.int(), data: z.json() });

describe('Stored events of the catalog', () => {
  for (const [type, { schema, data }] of Object.entries({
    ...pluginEvents,
    ...tenantEvents,
    ...reservationEvents,
  })) {
    it(`${type} of schema ${schema} is read as it was written`, async () => {
      const path = new URL(`${type}.v${schema}.json`, import.meta.url);
      const sample = Sample.parse(JSON.parse(await readFile(path, 'utf8')));
      expect(sample).to.include({ type, schema });
      expect(data.parse(sample.data)).to.deep.equal(sample.data);
    });
  }
});
