import { Readable } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import { cut } from '../../../src/adapters/s3/parts.ts';
import { digestOf } from '../../contract/blobs.ts';

describe('a stream cut into parts', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });
  const sizes = fc.integer({ min: 1, max: 30 });

  it('is the same bytes, in parts of one size but for the last, which alone is called so', async () => {
    const property = fc.asyncProperty(pieces, sizes, fc.boolean(), async (chunks, partBytes, streamed) => {
      const all = Buffer.concat(chunks);
      const content = streamed ? Readable.from(chunks, { objectMode: true }) : new Uint8Array(all);
      const parts = await Array.fromAsync(cut(content, partBytes, {}));
      expect(Buffer.concat(parts.map(({ bytes }) => bytes)).equals(all)).to.be.true;
      const last = parts.pop();
      for (const { bytes, last: ending } of parts) {
        expect(bytes).to.have.length(partBytes);
        expect(ending).to.be.null;
      }
      // As few as there can be: the last is empty only where everything is.
      expect(last?.bytes).to.have.length(all.length - parts.length * partBytes);
      expect(last?.bytes.length).to.be.within(all.length === 0 ? 0 : 1, partBytes);
      expect(last?.last).to.deep.equal({ digest: digestOf(all), size: all.length });
    });
    await fc.assert(property, { numRuns: 300 });
  });

  it('cuts what comes in one piece where it lies', async () => {
    const content = new Uint8Array(100);
    for await (const { bytes } of cut(content, 30, {})) expect(bytes.buffer).to.equal(content.buffer);
  });
});
