import { expect } from 'chai';
import { glob, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { mayBeShortened, mayHaveExpired, retentionOf } from '../../src/domain/retention.ts';

const root = resolve(import.meta.dirname, '../..');

describe('what streams keep', () => {
  it('is everything, but for those that are listed', () => {
    for (const stream of ['plugin-x', 'healthy-x', 'tenant-health-x', 'health']) {
      expect(mayBeShortened(stream), stream).to.equal(false);
      expect(() => retentionOf(stream)).to.throw(RangeError, stream);
    }
    for (const stream of ['health-dep-1', 'healthsummary-dep-1', 'webhookdeliveries-wh_1']) {
      const { maxAgeSeconds } = retentionOf(stream);
      const at = '2030-01-01T00:00:00.000Z';
      const end = Date.parse(at) + maxAgeSeconds * 1_000;
      expect(mayHaveExpired(stream, at, end - 1), stream).to.equal(false);
      expect(mayHaveExpired(stream, at, end), stream).to.equal(true);
      expect(mayHaveExpired('plugin-x', at, end)).to.equal(false);
    }
  });

  it('is set nowhere to anything else: who verifies the log would call what expired a theft', async () => {
    const inner = '{commands,core,processes,projections,audit,api}/**/*.ts';
    const calls: string[] = [];
    for await (const file of glob(inner, { cwd: join(root, 'src') })) {
      const text = await readFile(join(root, 'src', file), 'utf8');
      calls.push(...[...text.matchAll(/setRetention\(.*/g)].map(([call]) => call));
    }
    expect(calls.length).to.be.at.least(3);
    for (const call of calls) expect(call).to.match(/^setRetention\((\w+), retentionOf\(\1\)\);$/);
  });
});
