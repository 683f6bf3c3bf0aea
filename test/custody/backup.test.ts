/** Backups of a platform that runs, and what comes back of them. */
import { execFile } from 'node:child_process';
import { appendFile, cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { openFolderBlobs } from '../../src/adapters/filesystem/blobs.ts';
import { Refused } from '../../src/client/api.ts';
import { backUp } from '../../src/custody/backup.ts';
import { restore, type RestoreOptions } from '../../src/custody/restore.ts';
import { verifyFolder } from '../../src/custody/verified-folder.ts';
import { failure } from '../contract/event-store-given.ts';
import { tamper } from '../core/seals/world.ts';
import { adminEmail, adminPassword, startTestServer, type TestServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('a backup', function () {
  this.timeout(120_000);
  let place: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: TestServer;
  let data: string;
  let backups: string;
  let token: string;
  beforeEach(async () => {
    place = await temporaryFolder();
    [data, backups] = [join(place.path, 'data'), join(place.path, 'backups')];
    server = await startTestServer({ folder: data });
    token = await server.asRole('PlatformAdmin');
  });
  afterEach(async () => {
    await server.stop();
    await place.remove();
  });

  let taken = 0;
  const nowMs = (): number => Date.now() + (taken += 1) * 1_000;
  const take = () => backUp({ data, to: backups, nowMs: nowMs() });
  const back = (from: string, more: Partial<RestoreOptions> = {}) =>
    restore({ from, data, replace: true, until: null, nowMs: nowMs(), ...more });
  async function makeTenant(tenantId: string): Promise<string> {
    const body = { tenantId, name: tenantId, contactEmail: `${tenantId}@example.com` };
    const { status, headers } = await server.call('POST', '/api/v1/tenants', { token, body });
    expect(status).to.equal(201);
    return headers.get('x-position') ?? '';
  }
  async function tenants(): Promise<readonly string[]> {
    await server.settle();
    const { body } = await server.call('GET', '/api/v1/tenants?limit=100', { token });
    return (body as { tenants: readonly { tenantId: string }[] }).tenants
      .map(({ tenantId }) => tenantId)
      .sort();
  }
  async function contactOf(tenantId: string): Promise<unknown> {
    const { body } = await server.call('GET', `/api/v1/tenants/${tenantId}`, { token });
    return (body as { contactEmail?: unknown }).contactEmail;
  }
  /** Nothing but what was there may be there. */
  async function names(): Promise<readonly string[]> {
    return (await readdir(place.path)).sort();
  }

  it('is taken while others write, and brings back what was acknowledged before it began', async () => {
    await makeTenant('before');
    let made = 0;
    const over = new AbortController();
    const writing = (async () => {
      while (!over.signal.aborted) await makeTenant(`during-${(made += 1)}`);
    })();
    const blobs = await openFolderBlobs({ folder: join(data, 'blobs') });
    const { digest } = await blobs.put(Buffer.from('a package'));
    const { folder, manifest } = await take();
    over.abort();
    await writing;
    await makeTenant('after');
    expect(manifest.files.map(({ path }) => path)).to.include.members(['log.db', 'vault.db', 'seals.db']);
    await server.server.stop();
    const { aside, verified } = await back(folder);
    expect(aside).to.be.a('string');
    expect(verified.found).to.equal(0);
    await server.restart();
    const there = await tenants();
    expect(there).to.include('before').and.not.to.include('after');
    // What it holds of those in between is a prefix of them.
    const during = there.filter((id) => id.startsWith('during')).length;
    expect(there.filter((id) => id.startsWith('during')).sort()).to.deep.equal(
      Array.from({ length: during }, (_, n) => `during-${n + 1}`).sort(),
    );
    expect(await contactOf('before')).to.equal('before@example.com');
    expect((await server.login(adminEmail, adminPassword)).status).to.equal(200);
    expect(await (await openFolderBlobs({ folder: join(data, 'blobs') })).stat(digest)).to.include({
      size: 9,
    });
    await makeTenant('goes-on');
    await server.server.stop();
    expect(await verifyFolder(data, Date.now())).to.include({ found: 0 });
  });

  it('comes back as it was at a position or a time, sealed as it was then', async () => {
    const position = await makeTenant('first');
    await server.settle();
    await makeTenant('second');
    const until = Date.now();
    while (Date.now() <= until + 1) await server.settle();
    await makeTenant('third');
    const { folder } = await take();
    await server.server.stop();
    await back(folder, { until: { position } });
    await server.restart();
    expect(await tenants()).to.deep.equal(['first']);
    await makeTenant('other');
    await server.server.stop();
    await back(folder, { until: { atMs: until } });
    await server.restart();
    expect(await tenants()).to.deep.equal(['first', 'second']);
    await server.server.stop();
    expect(await verifyFolder(data, Date.now())).to.include({ found: 0 });
    const before = await names();
    expect(
      (await failure(back(folder, { until: { atMs: Date.now() + 3_600_000 } }), Refused)).message,
    ).to.include('later');
    expect(
      (await failure(back(folder, { until: { position: position.replace(/:.*/, ':999999') } }), Refused))
        .message,
    ).to.include('ends at');
    expect((await failure(back(folder, { until: { position: 'elsewhere:1' } }), Refused)).message).to.include(
      'not of the log',
    );
    expect(await names()).to.deep.equal(before);
  });

  it('is refused when it is damaged, foreign, newer or not whole, and then nothing has changed', async () => {
    await makeTenant('kept');
    const { folder } = await take();
    await server.server.stop();
    const before = await names();
    const spoiled = join(place.path, 'backups', 'spoiled');
    const cases: Readonly<Record<string, readonly [said: string, spoil: () => Promise<unknown>]>> = {
      'a flipped bit in the log': [
        'log.db is not what was written',
        async () => {
          const bytes = await readFile(join(spoiled, 'log.db'));
          bytes[5_000] = (bytes[5_000] ?? 0) ^ 1;
          await writeFile(join(spoiled, 'log.db'), bytes);
        },
      ],
      'a vault that is longer': ['vault.db is not', () => appendFile(join(spoiled, 'vault.db'), 'x')],
      'a file that is missing': ['seals.db is missing', () => rm(join(spoiled, 'seals.db'))],
      'no manifest': ['is no backup', () => rm(join(spoiled, 'manifest.json'))],
      'half a manifest': [
        'is no JSON',
        () => writeFile(join(spoiled, 'manifest.json'), '{"kind":"slipway ba'),
      ],
      'another JSON': [
        'no backup of Slipway',
        () => writeFile(join(spoiled, 'manifest.json'), '{"kind":"x"}'),
      ],
      'a newer format': [
        'newer Slipway',
        () => writeFile(join(spoiled, 'manifest.json'), '{"kind":"slipway backup","format":2,"more":1}'),
      ],
      'a file that lies outside': [
        'lies outside',
        async () => {
          const path = join(spoiled, 'manifest.json');
          await writeFile(path, (await readFile(path, 'utf8')).replace('"log.db"', '"../../log.db"'));
        },
      ],
    };
    for (const [what, [said, spoil]] of Object.entries(cases)) {
      await cp(folder, spoiled, { recursive: true });
      await spoil();
      expect((await failure(back(spoiled), Refused)).message, what).to.include(said);
      await rm(spoiled, { recursive: true });
      expect(await names(), what).to.deep.equal(before);
    }
    const keys = join(backups, 'personal-keys.db');
    const kept = await readFile(keys);
    await rm(keys);
    expect((await failure(back(folder), Refused)).message).to.include('--key-file');
    await writeFile(keys, 'nonsense');
    expect((await failure(back(folder), Refused)).message).to.include('no file of personal keys');
    await writeFile(keys, kept);
    tamper(keys, (db) => db.exec("UPDATE meta SET value = x'00' WHERE name = 'key-check'"));
    expect((await failure(back(folder), Refused)).message).to.include('another platform');
    expect((await failure(back(folder, { replace: false }), Refused)).message).to.be.a('string');
    expect(await names()).to.deep.equal(before);
    await server.restart();
    expect(await tenants()).to.deep.equal(['kept']);
  });

  it('is restored into no folder where a platform runs, nor over what is there unless told so', async () => {
    const { folder } = await take();
    const running = await failure(back(folder), Error);
    expect(running.message).to.include('in use by another Slipway');
    await server.server.stop();
    expect((await failure(back(folder, { replace: false }), Refused)).message).to.include('--replace');
    const fresh = join(place.path, 'new', 'data');
    const { hasMasterKey } = await back(folder, { data: fresh, replace: false });
    expect(hasMasterKey).to.equal(false);
    expect(await readdir(fresh)).to.have.members(['log.db', 'seals.db', 'seals.ndjson', 'vault.db']);
    await server.restart();
  });

  it('is not made of a log that was rewritten', async () => {
    await makeTenant('victim');
    await server.call('POST', '/api/v1/audit/seal', { token });
    await take();
    tamper(join(data, 'log.db'), (db) =>
      db.exec("UPDATE events SET data = '{}' WHERE stream = 'tenant-victim'"),
    );
    expect((await failure(take(), Refused)).message).to.include('revision 0 of tenant-victim');
    expect((await readdir(backups)).filter((name) => name.startsWith('.'))).to.deep.equal([]);
    tamper(join(data, 'log.db'), (db) => db.exec("DELETE FROM events WHERE stream = 'tenant-victim'"));
    await server.server.stop();
    const [first = ''] = (await readdir(backups)).filter((name) => name.startsWith('slipway-'));
    await back(join(backups, first));
    await server.restart();
    expect(await tenants()).to.deep.equal(['victim']);
  });

  it('leaves nothing half-done when the disk is full in the middle', async function () {
    // eslint-disable-next-line no-restricted-syntax -- the limit on the size of files is Linux's
    if (process.platform !== 'linux') this.skip();
    for (let n = 0; n < 40; n += 1) await makeTenant(`tenant-${n}`);
    const { folder } = await take();
    const run = (blocks: number, ...args: readonly string[]) =>
      promisify(execFile)(
        'sh',
        ['-c', `trap '' XFSZ; ulimit -f ${blocks}; exec "$0" src/cli.ts "$@"`, process.execPath, ...args],
        { cwd: fileURLToPath(new URL('../..', import.meta.url)), env: { PATH: process.env['PATH'] } },
      ).then(
        () => ({ code: 0, stderr: '' }),
        (error: unknown) => error as { code: number; stderr: string },
      );
    const before = await readdir(backups);
    // In units of 512 bytes: less than the log, or than any of them.
    for (const blocks of [40, 4]) {
      const full = await run(blocks, 'backup', '--data', data, '--to', backups);
      expect(full).to.include({ code: 1 });
      expect(full.stderr).to.include('nothing was left half-done');
      expect(await readdir(backups)).to.deep.equal(before);
    }
    await server.server.stop();
    const all = await names();
    const full = await run(40, 'restore', folder, '--data', data, '--replace');
    expect(full.stderr).to.include('nothing was left half-done');
    expect(full).to.include({ code: 1 });
    expect(await names()).to.deep.equal(all);
    await server.restart();
    expect(await tenants()).to.have.length(40);
  });

  it('can be read by nobody else', async () => {
    const { folder } = await take();
    const { mode } = await stat(folder);
    expect(mode & 0o077).to.equal(0);
  });
});
