/** A database of a test's own, on the server that MONGODB_URL names. */
import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';

export interface TestDatabase {
  readonly url: string;
  readonly drop: () => Promise<void>;
}

/** @param server an address; what it says of a database counts only for who logs in */
export function testDatabase(server: string): TestDatabase {
  const url = new URL(server);
  const name = `slipway_test_${randomBytes(6).toString('hex')}`;
  // Who logs in does so where the address says.
  if (url.username !== '' && !url.searchParams.has('authSource'))
    url.searchParams.set('authSource', url.pathname.length > 1 ? url.pathname.slice(1) : 'admin');
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async drop() {
      const client = new MongoClient(url.href);
      try {
        await client.db(name).dropDatabase();
      } finally {
        await client.close();
      }
    },
  };
}
