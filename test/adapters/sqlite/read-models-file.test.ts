import { expect } from 'chai';
import { mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openForWriting } from '../../../src/adapters/sqlite/read-models-file.ts';
import { openSqliteReadModels } from '../../../src/adapters/sqlite/read-models.ts';
import { writing } from '../../../src/adapters/sqlite/read-models-writing.ts';
import { StoreUnavailable, type Position } from '../../../src/ports/event-store.ts';
import type { GenerationState, Write } from '../../../src/ports/read-models.ts';

const generation = { projection: 'things', version: 1 };
const things = {
  name: 'things',
  visibility: 'public',
  indexes: [{ fields: ['n'] }, { fields: ['tags'], multi: true }],
  text: ['text'],
} as const;

function writes(count: number, n: number): readonly Write[] {
  return Array.from({ length: count }, (_, at) => ({
    put: {
      collection: 'things',
      document: { id: `thing-${at}`, tenant: null, data: { n, text: `some words ${at}`, tags: [at] } },
    },
  }));
}

function checkpoint(at: number): { position: Position; eventId: null } {
  return { position: `log:${at}` as Position, eventId: null };
}

describe('the file of the SQLite read models', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-read-models-'));
    path = join(folder, 'read-models.sqlite');
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function filled(): Promise<void> {
    const models = await openSqliteReadModels({ path });
    await models.declare(generation, [things]);
    await models.commit(generation, writes(2000, 1), checkpoint(1));
    await models.activate(generation);
    await models.close();
  }

  /** What is there after opening; and a store that was opened must work, whatever it found. */
  async function generationsFound(): Promise<readonly GenerationState[]> {
    const models = await openSqliteReadModels({ path });
    try {
      const found = await models.generations();
      await models.declare(generation, [things]);
      await models.commit(generation, writes(10, 2), checkpoint(2));
      expect(await models.load(generation, 'things', ['thing-1'])).to.have.length(1);
      return found;
    } finally {
      await models.close();
    }
  }

  it('keeps what was written', async () => {
    await filled();
    expect(await generationsFound()).to.deep.equal([
      { ...generation, active: true, checkpoint: checkpoint(1) },
    ]);
  });

  it('begins empty where it is overwritten in its head, in the middle, or by something else', async () => {
    for (const [from, length] of [
      [0, 200],
      [0, 4096],
      [8192, 16_384],
    ] as const) {
      await filled();
      const file = await open(path, 'r+');
      await file.write(Buffer.alloc(length, 0x5a), 0, length, from);
      await file.close();
      expect(await generationsFound(), `overwritten from ${from}`).to.deep.equal([]);
    }
    await writeFile(path, 'this is no database, and long enough to be taken for the head of one'.repeat(100));
    expect(await generationsFound()).to.deep.equal([]);
  });

  it('begins empty where it is truncated, wherever that is', async () => {
    for (const part of [0, 0.1, 0.5, 0.9]) {
      await filled();
      const { size } = await stat(path);
      await truncate(path, Math.floor((size * part) / 4096) * 4096 + (part === 0 ? 0 : 100));
      expect(await generationsFound(), `truncated to ${part}`).to.deep.equal([]);
    }
  });

  it('is unavailable once damage is met in use, and begins empty at the next start', async () => {
    await filled();
    const models = await openSqliteReadModels({ path });
    const { size } = await stat(path);
    const file = await open(path, 'r+');
    await file.write(Buffer.alloc(size - 4096, 0x5a), 0, size - 4096, 4096);
    await file.close();
    let error: unknown;
    try {
      await models.commit(generation, writes(2000, 2), checkpoint(2));
    } catch (caught) {
      error = caught;
    }
    expect(error).to.be.instanceOf(StoreUnavailable);
    await models.close();
    expect(await readdir(folder)).to.include('read-models.sqlite-damaged');
    expect(await generationsFound()).to.deep.equal([]);
    expect(await readdir(folder)).not.to.include('read-models.sqlite-damaged');
  });

  it('begins empty where it is of another format, or missing', async () => {
    await filled();
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 999');
    db.close();
    expect(await generationsFound()).to.deep.equal([]);
    await rm(path);
    expect(await generationsFound()).to.deep.equal([]);
  });

  it('sets a sound database of another application aside, and never deletes it', async () => {
    const db = new DatabaseSync(path);
    db.exec('CREATE TABLE events (id TEXT); INSERT INTO events VALUES (1)');
    db.close();
    const before = await readFile(path);
    expect(await generationsFound()).to.deep.equal([]);
    const aside = (await readdir(folder)).find((name) => name.includes('foreign'));
    expect(before.equals(await readFile(join(folder, aside!)))).to.equal(true);
  });

  it('says why it cannot be opened at all', async () => {
    let error: unknown;
    try {
      await openSqliteReadModels({ path: join(folder, 'no', 'such', 'folder') });
    } catch (caught) {
      error = caught;
    }
    expect(error).to.be.instanceOf(StoreUnavailable).with.property('message').that.includes('unable to open');
  });

  it('refuses commits while the disk is full, whole, and takes them again afterwards', () => {
    const db = openForWriting(path);
    const writer = writing(db);
    writer.declare(generation, [things]);
    writer.commit(generation, writes(10, 1), checkpoint(1));
    const pages = Number(db.prepare('PRAGMA page_count').get()?.['page_count']);
    db.exec(`PRAGMA max_page_count = ${pages}`);
    expect(() => writer.commit(generation, writes(5000, 2), checkpoint(2))).to.throw(
      StoreUnavailable,
      /full/,
    );
    const stored = (): unknown =>
      db.prepare("SELECT DISTINCT data ->> 'n' AS n, position FROM documents_1, generations").all();
    expect(stored()).to.deep.equal([{ __proto__: null, n: 1, position: 'log:1' }]);
    db.exec('PRAGMA max_page_count = 1000000');
    writer.commit(generation, writes(5000, 2), checkpoint(2));
    expect(stored()).to.deep.equal([{ __proto__: null, n: 2, position: 'log:2' }]);
    db.close();
  });
});
