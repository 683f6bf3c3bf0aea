/** `slipway audit verify|seal|prove|check-proof`, as a person uses them. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { z } from 'zod';
import { tamper } from '../core/seals/world.ts';
import { runCommand } from '../support/command-line.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('slipway audit, for proof', function () {
  this.timeout(300_000);
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

  const file = (name: string): string => join(place.path, name);
  const kept = (): readonly string[] => ['--head', file('kept.json')];
  const run = async (...args: readonly string[]) => {
    const ran = await runCommand(['audit', ...args]);
    return { code: ran.code, said: ran.stdout + ran.stderr };
  };

  it('proves that the log continues a head that was kept, alone and with an event', async () => {
    await writeFile(file('kept.json'), (await run('seal', ...how, '--json')).said);
    const token = await server.asRole('PlatformAdmin');
    await server.call('PATCH', '/api/v1/tenants/acme', { token, body: { name: 'Acme Inc' } });
    expect(await run('prove', ...how, ...kept(), '--out', file('since.json'))).to.include({ code: 0 });
    expect((await run('check-proof', file('since.json'), ...kept())).said).to.match(
      /^The log continues what you kept: the first \d+ of \d+ events are those that were sealed at /,
    );
    for (const [revision, said] of [
      [0, 'The event was among them.'],
      [1, 'The event came later'],
    ] as const) {
      const proof = file(`event-${revision}.json`);
      await run('prove', `tenant-acme@${revision}`, ...how, ...kept(), '--out', proof);
      expect((await run('check-proof', proof, ...kept())).said).to.include(said);
    }
  });

  it('says what is missing to prove it, or to check the proof', async () => {
    const lines = await readFile(join(data, 'seals.ndjson'), 'utf8');
    await writeFile(file('first.ndjson'), lines.split('\n').slice(0, 1).join('\n'));
    const { since: _since, ...bare } = z
      .looseObject({ since: z.unknown() })
      .parse(JSON.parse(await readFile(file('event-0.json'), 'utf8')));
    await writeFile(file('bare.json'), JSON.stringify(bare));
    for (const [args, code, said] of [
      [['prove', ...how], 2, 'which head was kept'],
      [['prove', ...how, '--head', file('none.json')], 1, 'There is no'],
      [['check-proof', file('event-0.json')], 0, 'name yours with --head'],
      [['check-proof', file('since.json')], 1, 'name the one that you kept'],
      [['check-proof', file('since.json'), '--head', file('first.ndjson')], 3, 'speaks of one over'],
      [['check-proof', file('since.json'), '--head', join(data, 'master.key')], 1, 'holds no signed head'],
      [['check-proof', file('bare.json'), ...kept()], 1, 'audit prove --head'],
    ] as const) {
      const ran = await run(...args);
      expect([ran.code, ran.said.includes(said)], `${args.join(' ')}: ${ran.said}`).to.deep.equal([
        code,
        true,
      ]);
    }
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
