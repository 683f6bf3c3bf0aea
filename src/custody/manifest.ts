/** What a backup says of itself. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { digestOf } from '../adapters/filesystem/durable-copies.ts';
import { hasCode } from '../adapters/filesystem/durable.ts';
import { Refused } from '../client/api.ts';

/** Raised when a Slipway that does not know the change could not restore it. */
export const manifestFormat = 1;

export const manifestName = 'manifest.json';

const Manifest = z.strictObject({
  kind: z.literal('slipway backup'),
  format: z.literal(manifestFormat),
  madeAt: z.iso.datetime(),
  log: z.strictObject({
    id: z.string(),
    events: z.int(),
    last: z.strictObject({ place: z.int(), at: z.iso.datetime() }).nullable(),
  }),
  /** Which vault its copy, and the file of personal keys, are of. */
  vault: z.string(),
  files: z.array(z.strictObject({ path: z.string(), size: z.int(), sha256: z.string() })),
});
export type Manifest = Readonly<z.output<typeof Manifest>>;

/** @throws {Refused} when it is no backup, or a newer version's */
export async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, manifestName), 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR'))
      throw new Refused(
        `${folder} is no backup: it holds no ${manifestName}. A backup that was cut off has none.`,
      );
    throw error;
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Refused(`${folder} is damaged: its ${manifestName} is no JSON. Take another backup.`);
  }
  const format = z.object({ kind: z.literal('slipway backup'), format: z.number() }).safeParse(json)
    .data?.format;
  if (format === undefined) throw new Refused(`${folder} is no backup of Slipway.`);
  if (format > manifestFormat)
    throw new Refused(
      `${folder} was made by a newer Slipway (format ${format}, this one knows ${manifestFormat}): restore it with that version.`,
    );
  const manifest = Manifest.safeParse(json);
  if (!manifest.success)
    throw new Refused(
      `${folder} is damaged: its ${manifestName} is not what a backup writes. Take another backup.`,
    );
  return manifest.data;
}

/** Compares every file with the manifest. @throws {Refused} at the first that is missing or other than it was */
export async function checkFiles(
  folder: string,
  { files }: Manifest,
  progress: (path: string) => void,
): Promise<void> {
  for (const { path, size, sha256 } of files) {
    if (path.startsWith('/') || path.split('/').includes('..'))
      throw new Refused(`${folder} is damaged: it names ${path}, which lies outside. Take another backup.`);
    progress(path);
    const found = await digestOf(folder, path).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT'))
        throw new Refused(`${folder} is damaged: ${path} is missing. Take another backup.`);
      throw error;
    });
    if (found.size !== size || found.sha256 !== sha256)
      throw new Refused(`${folder} is damaged: ${path} is not what was written. Take another backup.`);
  }
}
