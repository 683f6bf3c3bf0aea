/** People who are forgotten: nobody can read them any more, and nothing else has changed. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { UserAnswer } from '../../../src/api/plugin-manager/user-schemas.ts';
import { UserId } from '../../../src/domain/ids.ts';
import { filesBelow } from '../../../src/adapters/filesystem/durable-copies.ts';
import { backUp } from '../../../src/custody/backup.ts';
import { restore } from '../../../src/custody/restore.ts';
import { verifyFolder } from '../../../src/custody/verified-folder.ts';
import { runCommand } from '../../support/command-line.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { expectRefusal } from './whole-server.ts';

const [email, name] = ['planted-7c1f@example.com', 'Planted Person 7c1f'];

describe('a person who is forgotten', function () {
  this.timeout(120_000);
  let place: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: TestServer;
  let data: string;
  let backups: string;
  let token: string;
  let userId: string;
  beforeEach(async () => {
    place = await temporaryFolder();
    [data, backups] = [join(place.path, 'data'), join(place.path, 'backups')];
    server = await startTestServer({ folder: data, settings: { SLIPWAY_BACKUP_DIR: backups } });
    token = await server.asRole('PlatformAdmin');
    userId = await makeUser();
  });
  afterEach(async () => {
    await server.stop();
    await place.remove();
  });

  async function makeUser(): Promise<string> {
    const body = { email, name, role: 'PluginDeveloper', password: 'Planted123!' };
    const made = await server.call('POST', '/api/v1/users', {
      token,
      body,
      headers: { 'Idempotency-Key': 'once' },
    });
    expect(made.status, JSON.stringify(made.body)).to.be.within(200, 201);
    return UserAnswer.parse(made.body).userId;
  }
  const forget = () => server.call('DELETE', `/api/v1/users/${userId}/personal-data`, { token });
  async function shown() {
    await server.settle();
    return UserAnswer.parse((await server.call('GET', `/api/v1/users/${userId}`, { token })).body);
  }
  /** As the vault holds it, sealed: whoever has these bytes and the master key reads the person. */
  function personalKey(): Buffer {
    const vault = new DatabaseSync(join(data, 'vault.db'), { readOnly: true });
    try {
      const row = vault.prepare('SELECT sealed FROM personal_keys WHERE subject = ?').get(userId);
      return Buffer.from(row?.['sealed'] as Uint8Array);
    } finally {
      vault.close();
    }
  }
  async function filesWith(...searched: readonly (Buffer | string)[]): Promise<readonly string[]> {
    const found: string[] = [];
    for (const path of await filesBelow(place.path)) {
      const bytes = await readFile(join(place.path, path)).catch(() => Buffer.alloc(0));
      if (searched.some((text) => bytes.includes(text))) found.push(path);
    }
    return found;
  }

  it('is unreadable everywhere: log, read models, backups, every file; and the log still verifies', async () => {
    expect(await shown()).to.include({ email, name });
    const { folder } = await backUp({ data, to: backups, nowMs: Date.now() });
    const key = personalKey();
    expect(await filesWith(key), 'where the key is before').to.include('backups/personal-keys.db');
    expect(await filesWith(key)).to.satisfy((files: string[]) =>
      files.some((path) => path.startsWith('data/vault.db')),
    );
    const { token: theirs } = (await server.login(email, 'Planted123!')).body as { token: string };

    expect((await forget()).status).to.equal(204);

    expect(await filesWith(key, email, name)).to.deep.equal([]);
    expect(await shown()).to.include({ email: null, name: null, disabled: true });
    expect((await server.call('GET', '/api/v1/users/me', { token: theirs })).status).to.equal(401);
    expect((await server.login(email, 'Planted123!')).status).to.equal(401);
    await server.call('POST', '/api/v1/audit/seal', { token });
    expect((await server.call('POST', '/api/v1/audit/verification', { token })).body).to.include({
      whole: true,
    });

    // An older backup, with the key file that lies beside it now.
    await server.server.stop();
    await restore({ from: folder, data, replace: true, until: null, nowMs: Date.now() });
    for (const path of (await readdir(place.path)).filter((one) => one.startsWith('data.before')))
      await rm(join(place.path, path), { recursive: true });
    await server.restart();
    expect(await shown()).to.include({ email: null, name: null });
    expect(await filesWith(key)).to.deep.equal([]);
    await server.server.stop();
    expect(await verifyFolder(data, Date.now())).to.include({ found: 0 });
    const later = await backUp({ data, to: backups, nowMs: Date.now() + 5_000 });
    expect(later.manifest.log.events).to.be.above(0);
    expect(await filesWith(key)).to.deep.equal([]);
  });

  it('may come again under the same address, as somebody else', async () => {
    expect((await forget()).status).to.equal(204);
    expect((await forget()).status, 'again').to.equal(204);
    const body = { email, name, role: 'PluginDeveloper', password: 'Planted456!' };
    const again = await server.call('POST', '/api/v1/users', { token, body });
    expect(again.status).to.equal(201);
    expect(UserAnswer.parse(again.body).userId).not.to.equal(userId);
    expect(await shown()).to.include({ email: null, name: null });
    // Asked once more, it leaves who has the address now alone.
    expect((await forget()).status).to.equal(204);
    expect((await server.login(email, 'Planted456!')).status).to.equal(200);
  });

  it('cannot be changed or enabled any more', async () => {
    await forget();
    for (const body of [{ disabled: false }, { name: 'Someone' }, { role: 'PlatformAdmin' }])
      expectRefusal(await server.call('PATCH', `/api/v1/users/${userId}`, { token, body }), 409, 'CONFLICT');
    expect(await shown()).to.include({ email: null, name: null, disabled: true });
  });

  it('is never the last administrator, nor somebody who is not there', async () => {
    const me = UserAnswer.parse((await server.call('GET', '/api/v1/users/me', { token })).body);
    const admins = `/api/v1/users/${me.userId}/personal-data`;
    expectRefusal(await server.call('DELETE', admins, { token }), 409, 'CONFLICT');
    expect(UserAnswer.parse((await server.call('GET', '/api/v1/users/me', { token })).body)).to.include({
      email: me.email,
    });
    const nobody = `/api/v1/users/usr_${'0'.repeat(20)}/personal-data`;
    expectRefusal(await server.call('DELETE', nobody, { token }), 404, 'NOT_FOUND');
  });

  it('is forgotten by one command, said twice', async () => {
    const how = ['audit', 'forget', UserId.parse(userId), '--url', server.url, '--key', token];
    expect(await runCommand(how)).to.include({ code: 2 });
    expect(await shown()).to.include({ email });
    const told = await runCommand([...how, '--yes']);
    expect([told.code, told.stderr]).to.deep.equal([0, '']);
    expect(await shown()).to.include({ email: null });
  });
});
