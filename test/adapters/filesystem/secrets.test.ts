import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { UnusableSecret } from '../../../src/adapters/filesystem/generated-secret.ts';
import { loadJwtSecret } from '../../../src/adapters/filesystem/jwt-secret.ts';
import { loadMasterKey } from '../../../src/adapters/filesystem/master-key.ts';
import { rejection } from '../../support/rejection.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('secrets of the data folder', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let path: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
    path = join(folder.path, 'secret');
  });
  afterEach(() => folder.remove());

  describe('the master key', () => {
    it('is the one of the setting, which leaves no file', async () => {
      const key = randomBytes(32);
      const loaded = await loadMasterKey({ fromSetting: key.toString('base64'), path });
      expect(Buffer.from(loaded).equals(key)).to.be.true;
      expect(await readdir(folder.path)).to.deep.equal([]);
    });

    it('is generated once, for its owner alone', async () => {
      const first = await loadMasterKey({ path });
      expect(first).to.have.length(32);
      expect((await stat(path)).mode & 0o777).to.equal(0o600);
      expect(await readdir(folder.path)).to.deep.equal(['secret']);
      expect(await loadMasterKey({ path })).to.deep.equal(first);
    });

    it('refuses a setting that is no 32 bytes in base64, naming it and not showing it', async () => {
      for (const fromSetting of ['', 'hunter2', randomBytes(31).toString('base64'), 'ä'.repeat(44)]) {
        const error = await rejection(loadMasterKey({ fromSetting, path }));
        expect(error).to.be.instanceOf(UnusableSecret);
        expect(String(error)).to.contain('SLIPWAY_MASTER_KEY');
        if (fromSetting !== '') expect(String(error)).not.to.contain(fromSetting);
      }
    });

    it('refuses a damaged file, naming it', async () => {
      await writeFile(path, 'damaged');
      expect(String(await rejection(loadMasterKey({ path })))).to.contain(path);
    });
  });

  describe('the token secret', () => {
    it('is the one of the setting', async () => {
      const fromSetting = 'a setting of at least 32 characters';
      expect((await loadJwtSecret({ fromSetting, path })).export().toString()).to.equal(fromSetting);
    });

    it('is generated once, with at least 256 bits', async () => {
      const first = await loadJwtSecret({ path });
      expect((await loadJwtSecret({ path })).equals(first)).to.be.true;
      expect(Buffer.from(await readFile(path, 'utf8'), 'base64')).to.have.length(32);
      expect((await stat(path)).mode & 0o777).to.equal(0o600);
    });

    it('refuses a short setting, naming it and not showing it', async () => {
      const error = await rejection(loadJwtSecret({ fromSetting: 'short-secret', path }));
      expect(error).to.be.instanceOf(UnusableSecret);
      expect(String(error)).to.contain('JWT_SECRET').and.not.contain('short-secret');
    });
  });
});
