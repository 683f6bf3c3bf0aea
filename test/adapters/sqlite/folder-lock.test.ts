import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockFolder, StoreLocked } from '../../../src/adapters/sqlite/folder-lock.ts';
import { failure } from '../../contract/event-store-given.ts';

describe('the lock of the data folder', () => {
  let folder: string;
  beforeEach(async () => (folder = join(await mkdtemp(join(tmpdir(), 'slipway-lock-')), 'data')));
  afterEach(() => rm(join(folder, '..'), { recursive: true }));

  it('is held by one, and says which folder and what to do', async () => {
    const lock = await lockFolder(folder);
    const { message } = await failure(lockFolder(folder), StoreLocked);
    expect(message).to.include(folder).and.include('SLIPWAY_DATA_DIR');
    lock.release();
    lock.release();
    (await lockFolder(folder)).release();
  });

  it('ends with the process that held it, even by kill -9', async () => {
    const url = new URL('../../../src/adapters/sqlite/folder-lock.ts', import.meta.url).href;
    const program = `import { lockFolder } from ${JSON.stringify(url)};
      await lockFolder(process.argv[1]);
      console.log('held');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await failure(lockFolder(folder), StoreLocked);
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
    (await lockFolder(folder)).release();
  });
});
