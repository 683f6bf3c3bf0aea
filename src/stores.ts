/** The stores beside the data folder that settings name. */
import { openEventStoreDb } from './adapters/eventstoredb/event-store.ts';
import { connectMongo, type MongoConnection } from './adapters/mongodb/connection.ts';
import { openMongoLeases } from './adapters/mongodb/leases.ts';
import { openSealedMongoVault } from './adapters/mongodb/sealed-vault.ts';
import { openMongoVault } from './adapters/mongodb/vault.ts';
import { openS3Blobs } from './adapters/s3/blobs.ts';
import { createSystemClock } from './adapters/system-clock.ts';
import { exists } from './adapters/filesystem/durable-copies.ts';
import { Refused } from './client/api.ts';
import { readEventStoreUrl, readS3Place, WrongSetting } from './config.ts';
import type { Stores } from './custody/migrate/open.ts';
import { platformSetup } from './domain/platform-setup.ts';
import type { EventStore } from './ports/event-store.ts';

/** As a migration needs them. @throws {WrongSetting}; {@link Refused} when none is named; {@link StoreUnavailable} */
export async function openStores(environment: Readonly<Record<string, string | undefined>>): Promise<Stores> {
  const place = readS3Place(environment);
  const url = readEventStoreUrl(environment);
  const { MONGODB_URL: mongoUrl } = environment;
  if (!place && url === null && !mongoUrl)
    throw new Refused(
      'Production stores are those that settings name, and none is named: set EVENTSTORE_URL, MONGODB_URL or S3_ENDPOINT.',
    );
  const log = url === null ? null : await openRemoteLog(url);
  const clock = createSystemClock();
  const blobs = place && openS3Blobs({ ...place, clock });
  const connection = mongoUrl ? await connectMongo({ url: mongoUrl }) : null;
  const vault = connection && {
    sealed: openSealedMongoVault({ connection }),
    open: (masterKey: Uint8Array) => openMongoVault({ connection, masterKey, clock }),
  };
  return {
    ...{ log, vault, blobs },
    inUse: async () => connection !== null && isLed(connection),
    close: async () => {
      await connection?.close();
      await log?.close();
      await blobs?.close();
    },
  };
}

/** Of several processes one seals the log, whichever it is. */
async function isLed(connection: MongoConnection): Promise<boolean> {
  const leases = await openMongoLeases({ connection });
  const lease = await leases.acquire('seals', 'slipway migrate', 1_000);
  if (lease) await leases.release(lease);
  await leases.close();
  return lease === null;
}

/** @param url a connection string @throws {WrongSetting} {@link StoreUnavailable} when no server answers */
export async function openRemoteLog(url: string): Promise<EventStore> {
  try {
    return await openEventStoreDb({ url });
  } catch (error) {
    if (error instanceof RangeError) throw new WrongSetting(`EVENTSTORE_URL: ${error.message}`);
    throw error;
  }
}

/**
 * A log that a platform has written, and a data folder without a vault: nobody could log in, and two platforms may act on one log.
 * @throws {WrongSetting}
 */
export async function refuseVaultOfNobody(log: Pick<EventStore, 'readStream'>, path: string): Promise<void> {
  if (await exists(path)) return;
  const setUp = await log.readStream(`${platformSetup.name}-setup`, { limit: 1 });
  if (setUp.length > 0)
    throw new WrongSetting(
      'EVENTSTORE_URL, SLIPWAY_DATA_DIR: the log is of a platform whose vault is in another data folder; name that one, or a server with an empty database',
    );
}
