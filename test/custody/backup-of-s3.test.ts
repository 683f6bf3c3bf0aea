/** Packages that are not in the data folder are in its backups all the same. */
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { exists } from '../../src/adapters/filesystem/durable-copies.ts';
import { openS3Blobs } from '../../src/adapters/s3/blobs.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { digestOf } from '../contract/blobs.ts';
import { runCommand, type Ran } from '../support/command-line.ts';
import { openS3Server, type S3Server } from '../support/s3-server.ts';
import { startTestServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('a backup of a platform whose packages are on S3', function () {
  this.timeout(120_000);
  let place: Awaited<ReturnType<typeof temporaryFolder>>;
  let s3: S3Server;
  let settings: Record<string, string>;
  beforeEach(async () => {
    place = await temporaryFolder();
    s3 = await openS3Server();
    const { endpoint, accessKey, secretKey, bucket } = s3.place;
    settings = {
      ...{ S3_ENDPOINT: endpoint, S3_ACCESS_KEY: accessKey, S3_SECRET_KEY: secretKey, S3_BUCKET: bucket },
    };
  });
  afterEach(async () => {
    await s3.stop();
    await place.remove();
  });
  const slipway = (...args: string[]): Promise<Ran> => runCommand(args, undefined, settings);

  it('holds them, and restoring stores what is missing where the settings say', async () => {
    const [data, backups] = [join(place.path, 'data'), join(place.path, 'backups')];
    const server = await startTestServer({ folder: data, settings });
    await server.stop();
    const [one, other] = [Buffer.from('one package'), Buffer.alloc(3_000_000, 'x')];
    const blobs = openS3Blobs({ ...s3.place, clock: createSystemClock(), partBytes: 1_000_000 });
    for (const content of [one, other]) await blobs.put(content);

    const made = await slipway('backup', '--data', data, '--to', backups, '--json');
    expect(made.code, made.stderr).to.equal(0);
    const { folder, manifest } = JSON.parse(made.stdout) as {
      folder: string;
      manifest: { files: readonly { path: string; sha256: string }[] };
    };
    const hashes = [one, other].map((content) => digestOf(content).slice('sha256:'.length));
    const kept = manifest.files.filter(({ path }) => path.startsWith('blobs/'));
    expect(kept.map(({ sha256 }) => sha256)).to.have.members(hashes);

    await blobs.delete(digestOf(other));
    const puts = s3.count('PUT');
    const restored = await slipway('restore', folder, '--data', data, '--replace');
    expect(restored.code, restored.stderr).to.equal(0);
    expect(s3.count('PUT')).to.equal(puts + 1);
    expect((await buffer((await blobs.get(digestOf(other)))!)).equals(other)).to.be.true;
    expect(await exists(join(data, 'blobs'))).to.be.false;
    await blobs.close();
  });

  it('is refused in a sentence while the server is away, and leaves nothing', async () => {
    const [data, backups] = [join(place.path, 'data'), join(place.path, 'backups')];
    await (await startTestServer({ folder: data, settings })).stop();
    settings['S3_ENDPOINT'] = 'http://127.0.0.1:1';
    const { code, stderr } = await slipway('backup', '--data', data, '--to', backups);
    expect(code).to.equal(1);
    expect(stderr).to.match(/^the blobs \(bucket slipway at 127[.]0[.]0[.]1:1\): .*ECONNREFUSED.*\n$/);
    expect(stderr).to.not.include(settings['S3_SECRET_KEY']);
    settings['S3_SECRET_KEY'] = '';
    const wrong = await slipway('backup', '--data', data, '--to', backups);
    expect([wrong.code, wrong.stderr]).to.deep.equal([2, 'S3_SECRET_KEY: S3_ENDPOINT needs it\n']);
  });
});
