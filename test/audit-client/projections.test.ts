import { expect } from 'chai';
import { runCommand } from '../support/command-line.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

describe('slipway projections', function () {
  this.timeout(60_000);
  let server: TestServer;
  let token: string;
  before(async () => {
    server = await startTestServer();
    token = await server.asRole('PlatformAdmin');
  });
  after(() => server.stop());
  const run = (...args: readonly string[]) =>
    runCommand(['projections', ...args, '--url', server.url, '--key', token]);

  it('lists, compares, rebuilds and tries again', async () => {
    for (const [args, word] of [
      [['list'], /^deployments +version \d+ {2}live, 0 behind/m],
      [['diff', 'users'], /^users at \S+: 1 documents, 0 different$/m],
      [['rebuild', 'users'], /^rebuilt\nusers at /],
      [['retry', 'users'], /^users: 0 streams healed, 0 still wait$/m],
      [['list', '--json'], /^\{"projections":/],
    ] as const) {
      const { code, stdout, stderr } = await run(...args);
      expect([code, stderr], args.join(' ')).to.eql([0, '']);
      expect(stdout).to.match(word);
    }
  });

  it('says in a sentence what there is not', async () => {
    const refused = await run('diff', 'nothing');
    expect(refused).to.eql({ code: 1, stdout: '', stderr: 'There is no projection nothing\n' });
  });
});
