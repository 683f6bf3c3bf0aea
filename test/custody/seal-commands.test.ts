/** `slipway audit verify|seal|prove|check-proof`, as a person uses them. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { tamper } from '../core/seals/world.ts';
import { runCommand } from '../support/command-line.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('slipway audit, for proof', function () {
  this.timeout(120_000);
  let place: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: TestServer;
  let data: string;
  let how: readonly string[];
  before(async () => {
    place = await temporaryFolder();
    data = join(place.path, 'data');
    server = await startTestServer({ folder: data });
    const token = await server.asRole('PlatformAdmin');
    how = ['--url', server.url, '--key', token];
    await server.call('POST', '/api/v1/tenants', { token, body: { tenantId: 'acme', name: 'Acme' } });
  });
  after(async () => {
    await server.stop();
    await place.remove();
  });

  it('seals, proves an event, and checks the proof without a platform', async () => {
    const sealed = await runCommand(['audit', 'seal', ...how, '--json']);
    const { publicKey } = JSON.parse(sealed.stdout) as { publicKey: string };
    const file = join(place.path, 'proof.json');
    const proved = await runCommand(['audit', 'prove', 'tenant-acme@0', ...how, '--out', file]);
    expect([proved.code, proved.stderr]).to.deep.equal([0, '']);
    const checked = await runCommand(['audit', 'check-proof', file, '--public-key', publicKey]);
    expect(checked.code).to.equal(0);
    expect(checked.stdout).to.include('The proof holds').and.to.include('TenantCreated');
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('Acme', 'Evil'));
    expect(await runCommand(['audit', 'check-proof', file, '--public-key', publicKey])).to.include({
      code: 3,
    });
    await writeFile(file, '{}');
    expect((await runCommand(['audit', 'check-proof', file])).stderr).to.include('is no proof');
    const nothing = await runCommand(['audit', 'prove', 'tenant-nobody@0', ...how]);
    expect(nothing).to.include({ code: 1, stdout: '' });
  });

  it('verifies beside the server, and says what somebody changed', async () => {
    const whole = await runCommand(['audit', 'verify', '--data', data]);
    expect([whole.code, whole.stderr]).to.deep.equal([0, '']);
    expect(whole.stdout).to.match(/^Whole: \d+ events are as they were sealed/);
    expect((await runCommand(['audit', 'verify', '--data', place.path])).stderr).to.match(
      /^There is no .*seals.ndjson/,
    );
    tamper(join(data, 'log.db'), (db) =>
      db.exec("UPDATE events SET data = '{}' WHERE stream = 'tenant-acme'"),
    );
    const changed = await runCommand(['audit', 'verify', '--data', data]);
    expect(changed.code).to.equal(3);
    expect(changed.stdout).to.include('is not what was sealed: revision 0 of tenant-acme.');
  });
});
