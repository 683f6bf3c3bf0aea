/** `slipway migrate`, typed. */
import { join } from 'node:path';
import { expect } from 'chai';
import { runCommand } from '../../support/command-line.ts';
import { openS3Server } from '../../support/s3-server.ts';
import { startTestServer } from '../../support/server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { commands, describeMove, settingsOf } from './moving.ts';

describeMove('a platform that moves its packages to S3', async () => ({
  settings: {},
  remove: async () => undefined,
}));

describe('slipway migrate', function () {
  this.timeout(240_000);

  it('is refused in a sentence where options or settings are wrong', async () => {
    const place = await temporaryFolder();
    const s3 = await openS3Server();
    try {
      const [away = []] = await commands(place.path);
      const said = async (args: readonly string[], settings: Readonly<Record<string, string>> = {}) => {
        const { code, stderr } = await runCommand(args, undefined, settings);
        return `${code} ${stderr}`;
      };
      expect(await said(away)).to.match(/^1 There are no seals in .*data: start this version on it once/);
      expect(await said(away.with(2, 'production'))).to.match(
        /^2 .*a platform moves between embedded and production/,
      );
      expect(await said(away.with(2, 'elsewhere'))).to.match(
        /^1 error: option '--from <stores>' argument 'elsewhere'/,
      );
      expect(await said([...away, '--in-flight', '0'])).to.include('must be 1 to 9999');
      const data = join(place.path, 'data');
      await (await startTestServer({ folder: data })).stop();
      expect(await said(away)).to.match(/^1 Production stores are those that settings name/);
      expect(await said(away, { S3_ENDPOINT: 'nowhere' })).to.match(/^2 S3_ENDPOINT: must be an address/);
      const settings = { ...settingsOf(s3), SLIPWAY_MASTER_KEY: Buffer.alloc(32).toString('base64') };
      expect(await said(away, settings)).to.match(/^1 .*was sealed under another master key/);
    } finally {
      await s3.stop();
      await place.remove();
    }
  });
});
