/** What is said at start where MongoDB cannot be used. */
import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Server } from 'node:net';
import { expect } from 'chai';
import { connectMongo } from '../../../src/adapters/mongodb/connection.ts';
import { StoreUnavailable } from '../../../src/ports/event-store.ts';
import { failure } from '../../contract/read-models-support.ts';
import {
  openOwnReadModels,
  testDatabase,
  throughProxy,
  type TestDatabase,
} from '../../support/mongo-database.ts';
import { withStore } from '../../support/stores.ts';

async function refusal(url: string): Promise<string> {
  const error = await failure(connectMongo({ url, serverWithin: 300 }));
  expect(error).to.be.instanceOf(StoreUnavailable);
  return (error as StoreUnavailable).message;
}

describe('an address of a MongoDB', () => {
  it('where nobody answers ends with what to look for, and without the password', async () => {
    const message = await refusal('mongodb://user:hunter2@127.0.0.1:1/slipway');
    expect(message)
      .to.match(/^MONGODB_URL: no server .* within 0.3 seconds/)
      .and.not.include('hunter2');
  });

  for (const [what, url] of [
    ['an option that there is not', 'mongodb://user:hunter2@127.0.0.1:1/slipway?majority=yes'],
    ['two ports', 'mongodb://user:hunter2@127.0.0.1:1:2/slipway'],
    ['a password that is not encoded', 'mongodb://user:hunter2%@127.0.0.1:1/slipway'],
  ] as const)
    it(`with ${what} is refused, without the password`, async () => {
      expect(await refusal(url))
        .to.match(/^MONGODB_URL: this is no address/)
        .and.not.include('hunter2');
    });
});

withStore('MONGODB_URL', 'a MongoDB', (server) => {
  let database: TestDatabase;
  beforeEach(() => {
    database = testDatabase(server);
  });
  afterEach(() => database.drop());

  it('that does not know the user is told apart from one that is not there', async function () {
    const url = new URL(database.url);
    // eslint-disable-next-line no-restricted-syntax -- a server that lets everybody in has nothing to refuse
    if (url.username === '') this.skip();
    url.password = 'not-the-password';
    expect(await refusal(url.href)).to.match(/^MONGODB_URL: the server does not take the user and password/);
  });

  it('that says nothing against transactions and does not keep them is refused, with the way out', async () => {
    const { url, target } = throughProxy(database.url);
    const proxy = await forgetsTransactions(target);
    try {
      const error = await failure(openOwnReadModels({ url: url(addressOf(proxy)), serverWithin: 5_000 }));
      expect(error).to.be.instanceOf(StoreUnavailable);
      expect((error as StoreUnavailable).message).to.include('rs.initiate()');
    } finally {
      proxy.close();
    }
  });
});

function addressOf(server: Server): { readonly host: string; readonly port: number } {
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

/** The server, as one that speaks its protocol and takes each write of a transaction for one by itself. */
async function forgetsTransactions(target: {
  readonly host: string;
  readonly port: number;
}): Promise<Server> {
  const respelt = (bytes: Buffer): Buffer =>
    Buffer.from(
      bytes
        .toString('latin1')
        .replaceAll('startTransaction', 'ignoredTransacti')
        .replaceAll('autocommit', 'ignoredall'),
      'latin1',
    );
  const server = createServer((client) => {
    const upstream = createConnection(target);
    client.on('data', (bytes) => upstream.write(respelt(Buffer.from(bytes))));
    upstream.on('data', (bytes) => client.write(bytes));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('close', () => other.destroy());
      one.on('error', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
