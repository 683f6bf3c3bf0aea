import { mkdir, readdir, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { openFolderBlobs } from '../../../src/adapters/filesystem/blobs.ts';
import { describeBlobs, digestOf } from '../../contract/blobs.ts';
import { rejection } from '../../support/rejection.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describeBlobs('folder', async () => {
  const folder = await temporaryFolder();
  return {
    open: () => openFolderBlobs({ folder: join(folder.path, 'blobs') }),
    remove: () => folder.remove(),
  };
});

describe('the blobs in a folder', () => {
  const content = Buffer.from('content');
  const digest = digestOf(content);
  const hash = digest.slice('sha256:'.length);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const place = () => join(folder.path, hash.slice(0, 2), hash.slice(2, 4), hash);

  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => folder.remove());

  async function filesIn(path: string): Promise<string[]> {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  }

  it('is one file a blob, under its hash, for its owner alone', async () => {
    const blobs = await openFolderBlobs({ folder: folder.path });
    await blobs.put(content);
    expect(await filesIn(folder.path)).to.deep.equal([place()]);
    expect((await stat(place())).mode & 0o077).to.equal(0);
  });

  it('leaves no file of what it refused', async () => {
    const blobs = await openFolderBlobs({ folder: folder.path });
    await rejection(blobs.put(content, { maxBytes: 3 }));
    await rejection(blobs.put(content, { expected: digestOf(Buffer.from('other')) }));
    await rejection(blobs.put(Readable.from([1, 2])));
    expect(await filesIn(folder.path)).to.deep.equal([]);
  });

  it('removes what a crash left unfinished, and keeps the rest', async () => {
    await (await openFolderBlobs({ folder: folder.path })).put(content);
    await writeFile(join(folder.path, 'unfinished', 'half'), 'half of some');
    await openFolderBlobs({ folder: folder.path });
    expect(await filesIn(folder.path)).to.deep.equal([place()]);
  });

  it('heals a damaged file when its bytes come again', async () => {
    const blobs = await openFolderBlobs({ folder: folder.path });
    await blobs.put(content);
    await truncate(place(), 2);
    await blobs.put(content);
    expect((await buffer((await blobs.get(digest))!)).equals(content)).to.be.true;
  });

  it('follows no link out of the folder', async () => {
    const outside = await temporaryFolder();
    try {
      const blobs = await openFolderBlobs({ folder: folder.path });
      await writeFile(join(outside.path, hash), 'not a blob');
      await mkdir(dirname(place()), { recursive: true });
      await symlink(join(outside.path, hash), place());
      expect(await blobs.get(digest)).to.be.null;
      expect(await blobs.stat(digest)).to.be.null;

      const other = digestOf(Buffer.from('other')).slice('sha256:'.length);
      await mkdir(join(outside.path, other.slice(2, 4)));
      await symlink(outside.path, join(folder.path, other.slice(0, 2)));
      await rejection(blobs.put(Buffer.from('other')));
      expect(await blobs.delete(`sha256:${other}`)).to.be.false;
      expect((await filesIn(outside.path)).map((path) => path.slice(outside.path.length + 1))).to.deep.equal([
        hash,
      ]);
    } finally {
      await outside.remove();
    }
  });
});
