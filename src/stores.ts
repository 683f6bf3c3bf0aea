/** The stores beside the data folder that settings name. */
import { openEventStoreDb } from './adapters/eventstoredb/event-store.ts';
import { openS3Blobs } from './adapters/s3/blobs.ts';
import { createSystemClock } from './adapters/system-clock.ts';
import { Refused } from './client/api.ts';
import { readEventStoreUrl, readS3Place, WrongSetting } from './config.ts';
import type { Stores } from './custody/migrate/open.ts';
import type { EventStore } from './ports/event-store.ts';

/** As a migration needs them. @throws {WrongSetting}; {@link Refused} when none is named; {@link StoreUnavailable} */
export async function openStores(environment: Readonly<Record<string, string | undefined>>): Promise<Stores> {
  const place = readS3Place(environment);
  const url = readEventStoreUrl(environment);
  if (!place && url === null)
    throw new Refused(
      'Production stores are those that settings name, and none is named: set EVENTSTORE_URL or S3_ENDPOINT.',
    );
  const log = url === null ? null : await openRemoteLog(url);
  const blobs = place && openS3Blobs({ ...place, clock: createSystemClock() });
  return {
    ...{ log, vault: null, blobs },
    close: async () => {
      await log?.close();
      await blobs?.close();
    },
  };
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
