/** A database of a test's own, on the server that MONGODB_URL names. */
import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { connectMongo } from '../../src/adapters/mongodb/connection.ts';
import { openMongoReadModels } from '../../src/adapters/mongodb/read-models.ts';
import type { ReadModels } from '../../src/ports/read-models.ts';

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

/** Read models over a connection that ends with them. */
export async function openOwnReadModels(
  options: Parameters<typeof connectMongo>[0] & { readonly keptFor?: number },
): Promise<ReadModels> {
  const connection = await connectMongo(options);
  try {
    const models = await openMongoReadModels(connection, options);
    return {
      ...models,
      async close() {
        await models.close();
        await connection.close();
      },
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** The same database over a proxy. Of a replica set the driver would go past it, to the members that the server names. */
export function throughProxy(database: string): {
  readonly target: { readonly host: string; readonly port: number };
  readonly url: (proxy: { readonly host: string; readonly port: number }) => string;
} {
  const { hostname, port } = new URL(database);
  return {
    target: { host: hostname, port: Number(port || 27_017) },
    url: (proxy) => {
      const url = new URL(database);
      url.host = `${proxy.host}:${proxy.port}`;
      url.searchParams.set('directConnection', 'true');
      return url.href;
    },
  };
}
