/** Who may: keys, buckets, and addresses that serve without keys. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { expect } from 'chai';
import { openS3Blobs } from '../../../src/adapters/s3/blobs.ts';
import { createSystemClock } from '../../../src/adapters/system-clock.ts';
import { StoreUnavailable } from '../../../src/ports/event-store.ts';
import { digestOf } from '../../contract/blobs.ts';
import { rejection } from '../../support/rejection.ts';
import { openS3Server, type S3Server } from '../../support/s3-server.ts';
import { until } from '../../support/until.ts';

describe('access to blobs on S3', () => {
  let server: S3Server;
  const clock = createSystemClock();
  const content = Buffer.from('content');
  const digest = digestOf(content);

  beforeEach(async () => {
    server = await openS3Server();
  });
  afterEach(() => server.stop());

  it('makes the bucket where it is missing, whoever comes first', async () => {
    const many = Array.from({ length: 5 }, () => openS3Blobs({ ...server.place, clock }));
    const puts = await Promise.all(many.map((blobs) => blobs.put(content)));
    expect(puts.every((stored) => stored.digest === digest)).to.be.true;
    await Promise.all(many.map((blobs) => blobs.close()));
  });

  it('is refused with a wrong key, which the failure does not show', async () => {
    const secretKey = 'not-the-secret-of-anybody';
    const blobs = openS3Blobs({ ...server.place, secretKey, clock });
    const failure = await rejection(blobs.put(content));
    expect(failure).to.be.instanceOf(StoreUnavailable);
    expect(failure).to.have.property('message').that.includes('bucket slipway').and.includes('AccessDenied');
    expect(failure).to.not.have.property('cause');
    expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).to.not.include(secretKey);
    await blobs.close();
  });

  it('is given to anybody by an address, for so long, for this blob, under the name that was asked for', async () => {
    const blobs = openS3Blobs({ ...server.place, clock });
    await blobs.put(content);
    await blobs.put(Buffer.from('other'));
    const filename = 'payment-stripe 1.2.3+5 "ä";\r\nX: y.zip';
    const address = (await blobs.presign(digest, { expiresInSeconds: 60, filename }))!;
    const answer = await fetch(address);
    expect(await answer.text()).to.equal('content');
    expect(answer.headers.get('content-disposition')).to.equal(
      'attachment; filename="payment-stripe 1.2.3+5 ______X_ y.zip"',
    );
    const hash = digest.slice('sha256:'.length);
    const other = digestOf(Buffer.from('other')).slice('sha256:'.length);
    const path = `${other.slice(0, 2)}/${other.slice(2, 4)}/${other}`;
    const forged = address.replace(`${hash.slice(0, 2)}/${hash.slice(2, 4)}/${hash}`, path);
    expect((await fetch(forged)).status).to.equal(403);

    const short = (await blobs.presign(digest, { expiresInSeconds: 1, filename: 'a.zip' }))!;
    await until('it has expired', 10_000, async () => ((await fetch(short)).status === 403 ? true : null));
    await blobs.close();
  });

  it('goes over TLS to whom the system trusts, and to nobody else', async () => {
    const pem = (name: string): string =>
      readFileSync(join(import.meta.dirname, `../../fixtures/tls/loopback.${name}.pem`), 'utf8');
    const tls = { key: pem('key'), cert: pem('cert') };
    const secure = await openS3Server(tls);
    const trusted = getCACertificates('default');
    const blobs = openS3Blobs({ ...secure.place, clock, partBytes: 1000 });
    try {
      expect(secure.place.endpoint).to.match(/^https:/);
      const failure = await rejection(blobs.put(content));
      expect(failure).to.be.instanceOf(StoreUnavailable);
      expect(failure).to.have.property('message').that.includes('self-signed certificate');
      expect(secure.count('PUT')).to.equal(0);

      setDefaultCACertificates([tls.cert]);
      for (const sent of [content, randomBytes(2500)]) {
        await blobs.put(sent);
        expect((await buffer((await blobs.get(digestOf(sent)))!)).equals(sent)).to.be.true;
      }
    } finally {
      setDefaultCACertificates(trusted);
      await blobs.close();
      await secure.stop();
    }
  });
});
