import { expect } from 'chai';
import { readConfig } from '../../src/config.ts';
import { openPorts } from '../../src/container.ts';
import { openS3Server } from '../support/s3-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('the blobs of a server', () => {
  it('are in its data folder, or where S3_ENDPOINT says', async () => {
    const s3 = await openS3Server();
    const folder = await temporaryFolder();
    const { endpoint, accessKey, secretKey } = s3.place;
    const there = { S3_ENDPOINT: endpoint, S3_ACCESS_KEY: accessKey, S3_SECRET_KEY: secretKey };
    try {
      for (const settings of [{}, there]) {
        const ports = await openPorts(readConfig({ SLIPWAY_DATA_DIR: folder.path, ...settings }));
        const blobs = await ports.blobs();
        await blobs.put(Buffer.from('content'));
        await ports.close();
        expect(await s3.objects()).to.have.length('S3_ENDPOINT' in settings ? 1 : 0);
      }
    } finally {
      await folder.remove();
      await s3.stop();
    }
  });
});
