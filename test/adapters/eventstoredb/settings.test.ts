/** What is wrong with EVENTSTORE_URL is told before anything is opened, and never shows what stands in it. */
import { expect } from 'chai';
import { connect } from '../../../src/adapters/eventstoredb/connection.ts';
import { runCommand } from '../../support/command-line.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const wrong = [
  ['esdb://admin:geheim@host:2113?nonsense=1', 'nonsense'],
  ['esdb://admin:geheim@host:2113?tls=perhaps', 'true or false'],
  ['esdb://admin:geheim@host:many', 'port number'],
  ['esdb://admin:geheim@host:2113?tlsVerifyCert=false', 'tlsCAFile'],
  ['esdb://admin:geheim@host:2113?tlsCAFile=/nowhere/ca.pem', 'certificate'],
  ['esdb://admin:geheim@', 'host'],
  ['esdb://admin:geheim@a:2113,10.0.0.7:2113', 'a host is named'],
] as const;

describe('a connection string of EventStoreDB', () => {
  for (const [url, says] of wrong)
    it(`is refused where it is wrong, without its password (${says})`, () => {
      const said: unknown[] = [];
      const warn = console.warn;
      console.warn = (...words: readonly unknown[]) => void said.push(...words);
      try {
        expect(() => connect(url, 1_000))
          .to.throw(RangeError, says)
          .with.property('message')
          .that.does.not.contain('geheim');
      } finally {
        console.warn = warn;
      }
      expect(said).to.eql([]);
    });

  it('is accepted with hosts, users and settings in any writing', async () => {
    for (const url of [
      'esdb://user:p%40ss@a:2113,b:2113?tls=true&keep-alive-interval=10000',
      'esdb+discover://cluster.example.com:2113?nodePreference=leader',
      'esdb://127.0.0.1?TLS=false',
    ])
      await connect(url, 1_000).close();
  });
});

describe('commands on a platform whose log is on EventStoreDB', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => void (folder = await temporaryFolder()));
  afterEach(() => folder.remove());
  const run = (args: readonly string[], url: string) =>
    runCommand([...args, '--data', folder.path], undefined, { EVENTSTORE_URL: url });

  it('refuse what takes a log’s file', async () => {
    const replay = ['audit', 'replay', '--into', '/tmp/nowhere-to-be-made'];
    const { code, stderr } = await run(replay, 'esdb://127.0.0.1:1?tls=false');
    expect(stderr).to.match(/^EVENTSTORE_URL: the log is kept by EventStoreDB, and .*[.]\n$/);
    expect(code).to.equal(1);
  });

  for (const args of [
    ['audit', 'log'],
    ['audit', 'export'],
    ['audit', 'replay', '--projection', 'tenants'],
  ])
    it(`tell what is wrong with its address: ${args.join(' ')}`, async () => {
      const { code, stderr } = await run(args, 'esdb://u:geheim@127.0.0.1:1?nonsense=1');
      expect(stderr).to.match(/^EVENTSTORE_URL: the client has no setting nonsense/);
      expect(stderr).not.to.contain('geheim');
      expect(code).to.equal(2);
    });
});
