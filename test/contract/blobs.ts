/** What every {@link Blobs} owes. An adapter's test calls {@link describeBlobs} with a way to open one. */
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import fc from 'fast-check';
import { BlobMismatch, BlobTooLarge } from '../../src/ports/blobs.ts';
import type { BlobDigest, Blobs } from '../../src/ports/blobs.ts';
import { rejection } from '../support/rejection.ts';

/** One place where blobs are kept; opened again, it holds what it held. */
export interface BlobsPlace {
  open(): Promise<Blobs>;
  remove(): Promise<void>;
}

export function digestOf(content: Uint8Array): BlobDigest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

export function describeBlobs(name: string, newPlace: () => Promise<BlobsPlace>): void {
  describe(`Blobs contract: ${name}`, () => {
    let place: BlobsPlace;
    let blobs: Blobs;
    const content = Buffer.from('0123456789');
    const digest = digestOf(content);
    const absent = digestOf(Buffer.from('absent'));

    async function read(of: BlobDigest, range?: { start: number; end?: number }): Promise<string | null> {
      const stream = await blobs.get(of, range);
      return stream && (await buffer(stream)).toString();
    }

    beforeEach(async () => {
      place = await newPlace();
      blobs = await place.open();
    });
    afterEach(async () => {
      await blobs.close();
      await place.remove();
    });

    it('gives back what was put, also after it was opened again', async () => {
      expect(await blobs.put(content)).to.deep.equal({ digest, size: 10 });
      await blobs.close();
      blobs = await place.open();
      expect(await read(digest)).to.equal('0123456789');
      expect(await blobs.stat(digest)).to.deep.equal({ digest, size: 10 });
    });

    it('names a blob by its bytes, however they were cut', async () => {
      const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), { maxLength: 8 });
      const property = fc.asyncProperty(chunks, async (pieces) => {
        const whole = Buffer.concat(pieces);
        const stored = await blobs.put(Readable.from(pieces, { objectMode: true }));
        expect(stored).to.deep.equal({ digest: digestOf(whole), size: whole.length });
        expect((await buffer((await blobs.get(stored.digest))!)).equals(whole)).to.be.true;
      });
      await fc.assert(property, { numRuns: 25 });
    });

    it('keeps the same bytes once, whoever puts them at the same time', async () => {
      const stored = await Promise.all(Array.from({ length: 10 }, () => blobs.put(Readable.from([content]))));
      for (const blob of stored) expect(blob).to.deep.equal({ digest, size: 10 });
      expect(await blobs.delete(digest)).to.be.true;
      expect(await blobs.stat(digest)).to.be.null;
    });

    it('keeps an empty blob', async () => {
      const empty = digestOf(Buffer.alloc(0));
      expect(await blobs.put(new Uint8Array())).to.deep.equal({ digest: empty, size: 0 });
      expect(await read(empty)).to.equal('');
    });

    it('reads ranges, both ends included', async () => {
      await blobs.put(content);
      expect(await read(digest, { start: 2, end: 4 })).to.equal('234');
      expect(await read(digest, { start: 7 })).to.equal('789');
      expect(await read(digest, { start: 0, end: 0 })).to.equal('0');
      expect(await read(digest, { start: 8, end: 99 })).to.equal('89');
    });

    it('answers null for what is not there', async () => {
      expect(await blobs.get(absent)).to.be.null;
      expect(await blobs.stat(absent)).to.be.null;
      expect(await blobs.delete(absent)).to.be.false;
    });

    it('names no blob by what is no digest', async () => {
      await blobs.put(content);
      for (const wrong of [
        '',
        '../../etc/passwd',
        digest.slice(7).toUpperCase(),
        digest.slice(7, 70),
        `${digest.slice(7)}\n`,
      ]) {
        expect(await blobs.get(`sha256:${wrong}`), wrong).to.be.null;
        expect(await blobs.stat(`sha256:${wrong}`), wrong).to.be.null;
        expect(await blobs.delete(`sha256:${wrong}`), wrong).to.be.false;
      }
    });

    it('deletes, and takes the same bytes again', async () => {
      await blobs.put(content);
      expect(await blobs.delete(digest)).to.be.true;
      expect(await blobs.delete(digest)).to.be.false;
      expect(await read(digest)).to.be.null;
      await blobs.put(content);
      expect(await read(digest)).to.equal('0123456789');
    });

    it('tells all that are there, and nothing that is not', async () => {
      expect(await Array.fromAsync(blobs.all())).to.deep.equal([]);
      const pieces = Array.from({ length: 30 }, (_, n) => Buffer.from('x'.repeat(n)));
      for (const piece of pieces) await blobs.put(piece);
      await blobs.put(content);
      await blobs.delete(digest);
      await rejection(blobs.put(content, { maxBytes: 3 }));
      const found = await Array.fromAsync(blobs.all());
      const told = found.map(({ digest: of, size }) => `${of} ${size}`).sort();
      expect(told).to.deep.equal(pieces.map((piece) => `${digestOf(piece)} ${piece.length}`).sort());
    });

    it('takes as many bytes as are allowed and none more, keeping nothing', async () => {
      await blobs.put(content, { maxBytes: 10 });
      const larger = Buffer.concat([content, content]);
      const stream = Readable.from([content, content], { objectMode: true });
      expect(await rejection(blobs.put(stream, { maxBytes: 19 }))).to.be.instanceOf(BlobTooLarge);
      expect(stream.destroyed).to.be.true;
      expect(await blobs.stat(digestOf(larger))).to.be.null;
    });

    it('stops reading an endless stream at the limit', async () => {
      const endless = Readable.from(
        (function* () {
          for (;;) yield randomBytes(1024);
        })(),
      );
      expect(await rejection(blobs.put(endless, { maxBytes: 100_000 }))).to.be.instanceOf(BlobTooLarge);
    });

    it('takes bytes with the announced digest, and refuses others, keeping nothing', async () => {
      await blobs.put(content, { expected: digest });
      const other = Buffer.from('other');
      expect(await rejection(blobs.put(other, { expected: digest }))).to.be.instanceOf(BlobMismatch);
      expect(await blobs.stat(digestOf(other))).to.be.null;
      expect(await read(digest)).to.equal('0123456789');
    });

    it('keeps nothing of a stream that fails, and says why', async () => {
      const failing = Readable.from(
        (function* () {
          yield content;
          throw new Error('the sender went away');
        })(),
      );
      expect(await rejection(blobs.put(failing))).to.have.property('message', 'the sender went away');
      expect(await blobs.stat(digest)).to.be.null;
    });
  });
}
