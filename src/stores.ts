/** The stores beside the data folder that settings name, as a migration needs them. */
import { openS3Blobs } from './adapters/s3/blobs.ts';
import { createSystemClock } from './adapters/system-clock.ts';
import { Refused } from './client/api.ts';
import { readS3Place } from './config.ts';
import type { Stores } from './custody/migrate/open.ts';

/** @throws {WrongSetting}; {@link Refused} when none is named */
export async function openStores(environment: Readonly<Record<string, string | undefined>>): Promise<Stores> {
  const place = readS3Place(environment);
  if (!place)
    throw new Refused('Production stores are those that settings name, and none is named: set S3_ENDPOINT.');
  const blobs = openS3Blobs({ ...place, clock: createSystemClock() });
  return { log: null, vault: null, blobs, close: () => blobs.close() };
}
