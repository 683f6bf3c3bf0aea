import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import fc from 'fast-check';
import { openSqliteVault } from '../../../src/adapters/sqlite/vault.ts';
import { WrongMasterKey } from '../../../src/adapters/vault/keys.ts';
import { SealBroken } from '../../../src/ports/vault.ts';
import type { Vault } from '../../../src/ports/vault.ts';
import { describeVault } from '../../contract/vault.ts';
import { rejection } from '../../support/rejection.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describeVault('sqlite', async () => {
  const folder = await temporaryFolder();
  const masterKey = randomBytes(32);
  return {
    open: (clock) => openSqliteVault({ path: join(folder.path, 'vault.db'), masterKey, clock }),
    remove: () => folder.remove(),
  };
});

describe('the SQLite vault', () => {
  const masterKey = randomBytes(32);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let path: string;
  let vault: Vault;

  beforeEach(async () => {
    folder = await temporaryFolder();
    path = join(folder.path, 'vault.db');
    vault = await openSqliteVault({ path, masterKey });
  });
  afterEach(async () => {
    await vault.close();
    await folder.remove();
  });

  /** Everything that is on disk, journal included. */
  async function onDisk(): Promise<Buffer> {
    const files = await readdir(folder.path);
    return Buffer.concat(await Promise.all(files.map((name) => readFile(join(folder.path, name)))));
  }

  function inFile<T>(work: (database: DatabaseSync) => T): T {
    const database = new DatabaseSync(path);
    try {
      return work(database);
    } finally {
      database.close();
    }
  }

  it('ends the opening with a clear error under another master key', async () => {
    await vault.close();
    const error = await rejection(openSqliteVault({ path, masterKey: randomBytes(32) }));
    expect(error).to.be.instanceOf(WrongMasterKey);
    expect(String(error)).to.contain('another master key').and.contain(path);
    expect(await rejection(openSqliteVault({ path, masterKey: randomBytes(16) }))).to.be.instanceOf(
      WrongMasterKey,
    );
  });

  it('ends the opening by the name of a file that is no vault', async () => {
    const other = join(folder.path, 'other.db');
    await writeFile(
      other,
      'this is no database, and long enough to be read as the header of one '.repeat(20),
    );
    for (const wrong of [other, join(folder.path, 'missing', 'vault.db')]) {
      const error = await rejection(openSqliteVault({ path: wrong, masterKey }));
      expect(error).to.have.property('name', 'StoreUnavailable');
      expect(String(error)).to.contain(wrong);
    }
  });

  it('has everything that it acknowledged before it was killed', async () => {
    await vault.close();
    const script = join(import.meta.dirname, '../../support/vault-filler.ts');
    const filler = spawn(process.execPath, [script, path, masterKey.toString('hex')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(filler, 'close');
    const acknowledged: string[] = [];
    for await (const line of createInterface({ input: filler.stdout })) {
      acknowledged.push(line);
      if (acknowledged.length === 300) filler.kill('SIGKILL');
    }
    await ended;
    expect(acknowledged).to.have.length.at.least(300);
    vault = await openSqliteVault({ path, masterKey });
    for (const name of acknowledged) {
      expect(Buffer.from((await vault.get({ kind: 'filled', name }))!).toString()).to.equal(
        `value of ${name}`,
      );
    }
  });

  it('keeps its files to their owner', async () => {
    await vault.put({ kind: 'k', name: 'n' }, randomBytes(8));
    for (const name of await readdir(folder.path)) {
      expect((await stat(join(folder.path, name))).mode & 0o077, name).to.equal(0);
    }
  });

  it('writes no value down as it is', async () => {
    const planted = Array.from(
      { length: 20 },
      (_, index) => `planted-${index}-${randomBytes(16).toString('hex')}`,
    );
    for (const value of planted) {
      await vault.put({ kind: 'secret', name: 'one' }, Buffer.from(value));
      await vault.sealFor('usr_1', value);
      await vault.fingerprint('email', value);
    }
    const before = await onDisk();
    await vault.close();
    const after = await onDisk();
    for (const value of planted) {
      expect(before.includes(value)).to.be.false;
      expect(after.includes(value)).to.be.false;
    }
    expect(after.includes(masterKey)).to.be.false;
  });

  it('notices any flipped bit of a sealed value', async () => {
    const key = { kind: 'secret', name: 'one' };
    await vault.put(key, Buffer.from('a value'));
    const sealed = inFile((file) => file.prepare('SELECT sealed FROM records').get()?.['sealed']);
    if (!(sealed instanceof Uint8Array)) throw new Error('no record');
    const property = fc.asyncProperty(fc.nat({ max: sealed.length * 8 - 1 }), async (bit) => {
      const damaged = Buffer.from(sealed);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      inFile((file) => file.prepare('UPDATE records SET sealed = ?').run(damaged));
      expect(await rejection(vault.get(key))).to.be.instanceOf(SealBroken);
    });
    await fc.assert(property, { numRuns: 50 });
    inFile((file) => file.prepare('UPDATE records SET sealed = ?').run(sealed.subarray(0, 10)));
    expect(await rejection(vault.get(key))).to.be.instanceOf(SealBroken);
  });

  it('notices a value moved to another name or kind, or given a longer life', async () => {
    const soon = new Date(Date.now() + 60_000);
    await vault.put({ kind: 'session', name: 'one' }, Buffer.from('a value'), { expiresAt: soon });
    inFile((file) => file.exec("UPDATE records SET name = 'two'"));
    expect(await rejection(vault.get({ kind: 'session', name: 'two' }))).to.be.instanceOf(SealBroken);
    inFile((file) => file.exec("UPDATE records SET name = 'one', kind = 'other'"));
    expect(await rejection(vault.get({ kind: 'other', name: 'one' }))).to.be.instanceOf(SealBroken);
    inFile((file) => file.exec("UPDATE records SET kind = 'session', expires_at = expires_at + 1"));
    expect(await rejection(vault.get({ kind: 'session', name: 'one' }))).to.be.instanceOf(SealBroken);
  });

  it('leaves no trace of a forgotten key on disk', async () => {
    const subjects = Array.from({ length: 20 }, (_, index) => `usr_${index}`);
    for (const subject of subjects) await vault.sealFor(subject, 'text');
    const sealed = inFile((file) =>
      file.prepare('SELECT sealed FROM personal_keys ORDER BY rowid').all(),
    ).map((row) => Buffer.from(row['sealed'] as Uint8Array));
    const kept = async () => {
      const bytes = await onDisk();
      return subjects.filter((_, index) => bytes.includes(sealed[index]!.subarray(-32)));
    };
    expect(await kept()).to.deep.equal(subjects);
    for (const subject of subjects.slice(5, 15)) await vault.forget(subject);
    expect(await kept()).to.deep.equal([...subjects.slice(0, 5), ...subjects.slice(15)]);
  });

  it('fails what it cannot write, and goes on when it can again', async () => {
    const key = { kind: 'k', name: 'n' };
    await vault.put(key, Buffer.from('first'));
    inFile((file) =>
      file.exec("CREATE TRIGGER full BEFORE UPDATE ON records BEGIN SELECT RAISE(FAIL, 'full'); END"),
    );
    expect(await rejection(vault.put(key, Buffer.from('second')))).to.have.property(
      'name',
      'StoreUnavailable',
    );
    inFile((file) => file.exec('DROP TRIGGER full'));
    await vault.put(key, Buffer.from('third'));
    expect(Buffer.from((await vault.get(key))!).toString()).to.equal('third');
  });
});
