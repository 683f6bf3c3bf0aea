/** `slipway audit log`, against a platform that runs and against its folder when it does not. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { Entry } from '../../src/audit-client/entry.ts';
import { runCommand } from '../support/command-line.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('slipway audit log', function () {
  this.timeout(60_000);
  let server: TestServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let token: string;
  before(async () => {
    folder = await temporaryFolder();
    server = await startTestServer({ folder: folder.path });
    token = await server.asRole('PlatformAdmin');
    await change('POST', '/tenants', { tenantId: 'acme', name: 'Acme' });
    await change('PATCH', '/tenants/acme', { name: 'Acme Inc' });
  });
  after(async () => {
    await server.stop();
    await folder.remove();
  });

  async function change(method: string, path: string, body: object): Promise<void> {
    const { status } = await server.call(method, `/api/v1${path}`, { token, body });
    expect(status).to.be.within(200, 299);
  }
  const ask = (...args: readonly string[]) =>
    runCommand(['audit', 'log', '--url', server.url, '--key', token, ...args]);
  const typesIn = (stdout: string): readonly string[] =>
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => Entry.parse(JSON.parse(line)).type);

  it('tells in lines what changed, the newest first', async () => {
    const { code, stdout, stderr } = await ask('--about', 'acme', '-n', '2');
    expect([code, stderr]).to.eql([0, '']);
    expect(stdout).to.match(
      /^\S+ {2}Tenant edited .*\n.* by admin@example\.com .*\n {4}name: Acme → Acme Inc\n/,
    );
    expect(stdout.indexOf('Tenant edited')).to.be.lessThan(stdout.indexOf('Tenant created'));
  });

  it('speaks JSON, a line an entry, of all pages', async () => {
    const { stdout } = await ask('--json', '-n', '0', '--oldest');
    expect(typesIn(stdout).at(0)).to.equal('EmailReserved');
    expect(typesIn(stdout).slice(-2)).to.eql(['TenantCreated', 'TenantEdited']);
    expect(typesIn((await ask('--json', '-n', '3')).stdout)).to.have.length(3);
  });

  it('follows', async () => {
    let changed = false;
    const args = ['audit', 'log', '--url', server.url, '--key', token, '--follow', '--json', '-n', '1'];
    const { stdout } = await runCommand(args, (printed) => {
      if (!changed && printed.includes('\n')) {
        changed = true;
        void change('PATCH', '/tenants/acme', { name: 'Acme AG' });
      }
      return printed.trim().split('\n').length === 2;
    });
    const [before, followed] = stdout
      .trim()
      .split('\n')
      .map((line) => Entry.parse(JSON.parse(line)));
    expect(before?.data).to.include({ name: 'Acme Inc' });
    expect(followed?.data).to.include({ name: 'Acme AG' });
  });

  it('follows a platform that is away for a while, from the same place on', async () => {
    const shown = await ask('--json', '-n', '1');
    const entry = Entry.parse(JSON.parse(shown.stdout));
    const asked: string[] = [];
    const platform = createServer((request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'http://localhost');
      asked.push(`${searchParams.get('order')} ${searchParams.get('cursor')}`);
      if (asked.length === 2) response.destroy();
      else {
        const page = { entries: [entry], next: `place-${asked.length}`, end: true, head: 'head' };
        response.setHeader('content-type', 'application/json').end(JSON.stringify(page));
      }
    }).listen(0, '127.0.0.1');
    await once(platform, 'listening');
    const { port } = platform.address() as AddressInfo;
    const args = ['audit', 'log', '--url', `http://127.0.0.1:${port}`, '--key', 'x', '--follow', '--json'];
    const { stdout, stderr } = await runCommand(args, (printed) => printed.trim().split('\n').length === 2);
    platform.close();
    expect(stdout.trim().split('\n')).to.have.length(2);
    expect(stderr).to.match(/^not reached, asked again: /);
    expect(asked.slice(0, 3)).to.eql(['newest null', 'oldest head', 'oldest head']);
  });

  it('ends without a word when nobody reads on, as in a pipe to head', async () => {
    const shown = await ask('--json', '-n', '1');
    const page = { entries: [Entry.parse(JSON.parse(shown.stdout))], next: 'on', end: false, head: 'head' };
    const endless = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(page));
    }).listen(0, '127.0.0.1');
    await once(endless, 'listening');
    const { port } = endless.address() as AddressInfo;
    const args = ['audit', 'log', '--url', `http://127.0.0.1:${port}`, '--key', 'x', '--limit', '100000'];
    const { code, stderr } = await runCommand(args, (_printed, child) => child.stdout?.destroy());
    endless.closeAllConnections();
    endless.close();
    expect([code, stderr]).to.deep.equal([0, '']);
  });

  it('says in a sentence what is wrong', async () => {
    for (const [args, code, sentence] of [
      [['--tenant', 'NO'], 1, /tenantId: /],
      [['--type', 'a b'], 1, /type: must be types of events/],
      [['--from', 'soon'], 1, /must be a time such as/],
      [['--limit', 'x'], 1, /must be a whole number/],
      [['--follow', '--to', '1h'], 2, /--follow has no end/],
    ] as const) {
      const refused = await ask(...args);
      expect(refused.code, args.join(' ')).to.equal(code);
      expect(refused.stderr).to.match(sentence).and.not.to.contain('    at ');
      expect(refused.stdout).to.equal('');
    }
    const unreachable = await runCommand(['audit', 'log', '--url', 'http://127.0.0.1:9', '--key', 'x']);
    expect(unreachable.code).to.equal(1);
    expect(unreachable.stderr).to.match(/^The platform is not reached/);
    expect((await runCommand(['audit', 'log', '--url', server.url])).code).to.equal(2);
  });

  it('reads the folder of a platform that does not run, and of no other', async () => {
    const offline = (...args: readonly string[]) =>
      runCommand(['audit', 'log', '--data', folder.path, ...args]);
    const busy = await offline();
    expect([busy.code, busy.stdout]).to.eql([1, '']);
    expect(busy.stderr).to.match(/in use by another Slipway/);
    const online = await ask('--json', '-n', '0');
    await server.server.stop();
    const read = await offline('--json', '-n', '0');
    expect(typesIn(read.stdout)).to.eql(typesIn(online.stdout));
    const wrong = await offline('--cursor', 'x');
    expect(wrong.code).to.equal(1);
    const nowhere = await runCommand(['audit', 'log', '--data', `${folder.path}/none`]);
    expect(nowhere.code).to.equal(1);
    expect(nowhere.stderr).to.match(/^There is no log in /);
    await server.restart();
  });
});
