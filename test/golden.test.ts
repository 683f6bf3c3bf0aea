import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { z } from 'zod';
import { allEvents } from '../src/events.ts';
import { goldenFaults } from './support/golden.ts';

describe('golden samples', () => {
  it('exist for every schema of every event type, and can still be read', () => {
    expect(goldenFaults(allEvents, join(import.meta.dirname, 'golden'))).to.deep.equal([]);
  });

  it('are missed, and found unreadable, when they are', () => {
    const folder = mkdtempSync(join(tmpdir(), 'slipway-golden-'));
    try {
      writeFileSync(join(folder, 'Renamed.v1.json'), '{"name":1}');
      writeFileSync(join(folder, 'Gone.v1.json'), '{}');
      const schemas = {
        Renamed: { schema: 2, data: z.object({ name: z.string() }), upcasts: { 1: (data: unknown) => data } },
      };
      const faults = goldenFaults([schemas], folder);
      expect(faults.map((fault) => fault.split(':')[0])).to.deep.equal([
        'Gone.v1.json',
        'Renamed.v1.json',
        'Renamed.v2.json',
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
