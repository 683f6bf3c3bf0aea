import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { openSnapshots } from '../../../src/adapters/sqlite/snapshots.ts';

describe('snapshots in SQLite', () => {
  let folder: string;
  let file: string;
  const snapshot = {
    state: { total: 3, tags: ['a', null] },
    revision: 9,
    eventId: 'e9',
    fingerprint: 'counter/1',
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-snapshots-'));
    file = join(folder, 'snapshots.sqlite');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('keep the latest of each stream across restarts', async () => {
    const first = await openSnapshots({ file });
    expect(await first.read('counter-a')).to.be.null;
    await first.write('counter-a', { ...snapshot, revision: 3 });
    await first.write('counter-a', snapshot);
    await first.close();
    await first.close();
    const second = await openSnapshots({ file });
    expect(await second.read('counter-a')).to.deep.equal(snapshot);
    await second.close();
  });

  it('are absent rather than wrong when a row was changed', async () => {
    const snapshots = await openSnapshots({ file });
    await snapshots.write('counter-a', snapshot);
    const database = new DatabaseSync(file);
    database.exec(`UPDATE snapshots SET snapshot = replace(snapshot, '"total":3', '"total":4')`);
    database.close();
    expect(await snapshots.read('counter-a')).to.be.null;
    await snapshots.close();
  });

  it('begin anew when the file is damaged', async () => {
    writeFileSync(file, 'this is no database '.repeat(1_000));
    const snapshots = await openSnapshots({ file });
    expect(await snapshots.read('counter-a')).to.be.null;
    await snapshots.write('counter-a', snapshot);
    expect(await snapshots.read('counter-a')).to.deep.equal(snapshot);
    await snapshots.close();
  });
});
