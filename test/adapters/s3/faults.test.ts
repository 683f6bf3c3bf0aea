/** Faults at the wire: nothing half is ever seen, callers hear of it in time, and all goes on when the wire is back. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { openS3Blobs } from '../../../src/adapters/s3/blobs.ts';
import { createSystemClock } from '../../../src/adapters/system-clock.ts';
import type { Blobs } from '../../../src/ports/blobs.ts';
import { StoreUnavailable } from '../../../src/ports/event-store.ts';
import { digestOf } from '../../contract/blobs.ts';
import { rejection } from '../../support/rejection.ts';
import { openS3Server, type S3Server } from '../../support/s3-server.ts';
import { until } from '../../support/until.ts';
import { openWireProxy, type Fault, type WireProxy } from '../../support/wire-proxy.ts';

/** Of those alone that are to meet it: on a busy machine, anything may take as long. */
const deadlineMs = 500;
const partBytes = 100_000;
const small = randomBytes(50_000);
const large = randomBytes(350_000);

describe('blobs on S3 over a bad wire', () => {
  let server: S3Server;
  let proxy: WireProxy;
  let blobs: Blobs;

  beforeEach(async () => {
    server = await openS3Server();
    proxy = await openWireProxy({ host: '127.0.0.1', port: server.port });
    blobs = open();
    await blobs.put(Buffer.from('the bucket is there'));
  });
  afterEach(async () => {
    await blobs.close();
    await proxy.close();
    await server.stop();
  });

  function open(more: { readonly deadlineMs?: number } = {}): Blobs {
    const endpoint = `http://127.0.0.1:${proxy.port}`;
    return openS3Blobs({ ...server.place, endpoint, clock: createSystemClock(), partBytes, ...more });
  }

  async function readBack(content: Buffer): Promise<boolean> {
    return (await buffer((await blobs.get(digestOf(content)))!)).equals(content);
  }

  const resets: Record<string, Extract<Fault, { kind: 'reset' }>> = {
    'at the first byte of a request': { kind: 'reset', direction: 'up', after: 0 },
    'in its headers': { kind: 'reset', direction: 'up', after: 'x-amz-content-sha256' },
    'in the middle of its body': { kind: 'reset', direction: 'up', after: 20_000 },
    'before its answer is heard': { kind: 'reset', direction: 'down', after: 0 },
    'in the middle of its answer': { kind: 'reset', direction: 'down', after: 20 },
  };
  for (const [when, fault] of Object.entries(resets)) {
    it(`survive a connection that is reset ${when}`, async () => {
      for (const content of [small, large]) {
        proxy.fault(fault);
        const failure = await rejection(blobs.put(content));
        expect(failure).to.be.instanceOf(StoreUnavailable);
        await proxy.struck();
        // Its outcome is unknown: it is there whole, or not at all.
        const found = await blobs.get(digestOf(content));
        if (found) expect((await buffer(found)).equals(content)).to.be.true;
        expect(server.uploads()).to.deep.equal([]);
        expect((await server.objects()).filter((name) => name.startsWith('unfinished'))).to.deep.equal([]);

        expect(await blobs.put(content)).to.have.property('size', content.length);
        expect(await readBack(content)).to.be.true;
      }
    });
  }

  it('leave nothing of a part that was cut off, nor of those before it', async () => {
    proxy.fault({ kind: 'reset', direction: 'up', after: 250_000 });
    expect(await rejection(blobs.put(large))).to.be.instanceOf(StoreUnavailable);
    expect(server.uploads()).to.deep.equal([]);
    expect(await server.objects()).to.have.length(1);
    expect(await blobs.stat(digestOf(large))).to.be.null;
  });

  it('leave nothing when the answer to the last step of an upload is lost, and can be put again', async () => {
    proxy.fault({ kind: 'reset', direction: 'down', after: 'CompleteMultipartUploadResult' });
    expect(await rejection(blobs.put(large))).to.be.instanceOf(StoreUnavailable);
    expect(await server.objects()).to.have.length(1);
    await blobs.put(large);
    expect(await readBack(large)).to.be.true;
  });

  it('are stored and read over a slow wire', async () => {
    proxy.fault({ kind: 'delay', ms: 20 });
    await blobs.put(large);
    expect(await readBack(large)).to.be.true;
  });

  it('fail in time when the wire swallows everything, and go on when it is back', async () => {
    const hasty = open({ deadlineMs });
    const finds = (): Promise<true | null> =>
      hasty.stat(digestOf(small)).then(
        () => true,
        () => null,
      );
    await until('it has found the bucket', 10_000, finds);
    for (const direction of ['up', 'down', 'both'] as const) {
      proxy.fault({ kind: 'swallow', direction });
      for (const call of [
        () => hasty.put(small),
        () => hasty.stat(digestOf(small)),
        () => hasty.get(digestOf(small)),
        () => hasty.delete(digestOf(small)),
        () => Array.fromAsync(hasty.all()),
      ]) {
        const failure = await rejection(call());
        expect(failure, String(call)).to.be.instanceOf(StoreUnavailable);
        expect(failure, String(call))
          .to.have.property('message')
          .that.includes(`nothing came for ${deadlineMs} ms`);
      }
      proxy.heal();
      await blobs.put(small);
      expect(await readBack(small)).to.be.true;
    }
    await hasty.close();
  });

  it('fail in time in the middle of many parts, and leave nothing when the wire is back', async () => {
    const hasty = open({ deadlineMs });
    const stalling = Readable.from(
      (async function* () {
        yield large;
        await until('an upload has begun', 10_000, async () => server.uploads()[0] ?? null);
        proxy.fault({ kind: 'swallow', direction: 'both' });
        yield large;
      })(),
    );
    expect(await rejection(hasty.put(stalling))).to.be.instanceOf(StoreUnavailable);
    proxy.heal();
    await blobs.put(large);
    expect(await readBack(large)).to.be.true;
    expect((await server.objects()).filter((name) => name.startsWith('unfinished'))).to.deep.equal([]);
    await hasty.close();
  });

  it('break off with the failure when the wire goes while they are read: never the end, too early', async () => {
    await blobs.put(large);
    const hasty = open({ deadlineMs });
    for (const [reader, fault] of [
      [blobs, { kind: 'reset', direction: 'down', after: 200_000 }],
      [hasty, { kind: 'swallow', direction: 'down' }],
    ] as const) {
      const reading = (await reader.get(digestOf(large)))!;
      await new Promise((resolve) => reading.once('readable', resolve));
      proxy.fault(fault);
      const failure = await rejection(buffer(reading));
      expect(failure).to.be.instanceOf(StoreUnavailable);
      proxy.heal();
    }
    expect(await readBack(large)).to.be.true;
    await hasty.close();
  });

  it('wait for who reads slowly', async () => {
    await blobs.put(large);
    const hasty = open({ deadlineMs: 1_500 });
    const pieces: Buffer[] = [];
    for await (const piece of (await hasty.get(digestOf(large)))! as AsyncIterable<Buffer>) {
      if (pieces.length === 1) await pause(3_500);
      pieces.push(piece);
    }
    expect(Buffer.concat(pieces).equals(large)).to.be.true;
    await hasty.close();
  });

  it('fail while the server is away, also before anything was asked of it, and go on when it is back', async () => {
    const early = open();
    proxy.fault({ kind: 'refuse' });
    proxy.cut();
    for (const which of [early, blobs]) {
      const sent = Readable.from([small]);
      expect(await rejection(which.put(sent))).to.be.instanceOf(StoreUnavailable);
      expect(sent.destroyed).to.be.true;
      expect(await rejection(which.put(small))).to.be.instanceOf(StoreUnavailable);
      expect(await rejection(which.stat(digestOf(small)))).to.be.instanceOf(StoreUnavailable);
    }
    proxy.heal();
    for (const which of [early, blobs]) await which.put(small);
    await early.close();
    expect(await readBack(small)).to.be.true;
  });

  it('say why where a name has several addresses and nobody answers at any', async () => {
    const nowhere = openS3Blobs({
      ...server.place,
      endpoint: 'http://localhost:1',
      clock: createSystemClock(),
    });
    const failure = await rejection(nowhere.stat(digestOf(small)));
    expect(failure).to.be.instanceOf(StoreUnavailable);
    expect(failure)
      .to.have.property('message')
      .that.matches(/at localhost:1\): .*ECONNREFUSED/);
    await nowhere.close();
  });
});
