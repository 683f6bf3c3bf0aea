/** An export that becomes the log of a platform that is not there yet. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { exists, syncFile } from '../adapters/filesystem/durable-copies.ts';
import { syncFolder } from '../adapters/filesystem/durable.ts';
import { type ImportedEvent, openLogImport } from '../adapters/sqlite/log-import.ts';
import { Refused } from '../client/api.ts';
import type { JsonObject } from '../ports/event-store.ts';
import { exportFormat } from './export.ts';

const Head = z.object({
  kind: z.literal('slipway export'),
  format: z.number(),
  log: z.string(),
  redacted: z.boolean(),
  filtered: z.boolean(),
});
const Kept = z.strictObject({
  stream: z.string().min(1),
  retention: z.strictObject({
    maxAgeSeconds: z.int().min(1).exactOptional(),
    maxCount: z.int().min(1).exactOptional(),
    truncateBefore: z.int().min(0).exactOptional(),
  }),
  last: z.int().min(0).exactOptional(),
});
const Event = z.strictObject({
  id: z.uuid(),
  type: z.string().min(1),
  // What JSON.parse made is JSON: to look into it again would take longer than everything else.
  data: z.custom<JsonObject>((data) => typeof data === 'object' && data !== null && !Array.isArray(data)),
  metadata: z.strictObject({
    tenant: z.string().nullable(),
    actor: z.strictObject({ id: z.string(), face: z.string() }),
    correlationId: z.string(),
    causationId: z.string(),
    at: z.iso.datetime(),
    schema: z.int().min(1),
  }),
  stream: z.string().min(1),
  revision: z.int().min(0),
  position: z.string().regex(/:\d{1,15}$/),
});
const End = z.strictObject({ kind: z.literal('end'), events: z.int(), sha256: z.string() });

/**
 * Reads an export to its end and makes the data folder of it, with a log of its own identity. Nothing is there before all of it is.
 * @param data absent or empty
 * @returns how many events
 * @throws {Refused} naming the line that is wrong
 */
export async function importLog(
  lines: AsyncIterable<string>,
  data: string,
  progress: (events: number) => void,
): Promise<number> {
  const folder = resolve(data);
  if ((await exists(folder)) && (await readdir(folder)).length > 0)
    throw new Refused(`${folder} is not empty: an export becomes a platform of its own.`);
  await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
  const unfinished = `${folder}.importing-${randomUUID()}`;
  await mkdir(unfinished, { mode: 0o700 });
  try {
    const events = await write(lines, join(unfinished, 'log.db'), progress);
    await syncFile(join(unfinished, 'log.db'));
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder);
    await syncFolder(dirname(folder));
    return events;
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

async function write(
  lines: AsyncIterable<string>,
  path: string,
  progress: (events: number) => void,
): Promise<number> {
  const log = openLogImport(path);
  const hash = createHash('sha256');
  let number = 0;
  let events = 0;
  let ended = false;
  const wrong = (what: string): never => {
    throw new Refused(`Line ${number} of the export ${what}. Nothing was imported.`);
  };
  try {
    for await (const line of lines) {
      number += 1;
      if (ended) wrong('comes behind its end');
      const value = parsed(line) ?? wrong('is no JSON object');
      if (number === 1) {
        checkHead(value, wrong);
      } else if ('kind' in value) {
        const end = End.safeParse(value).data ?? wrong('is none of an export');
        if (end.events !== events || end.sha256 !== hash.digest('hex'))
          wrong('says that the lines before it are not what was exported');
        ended = true;
        continue;
      } else if ('retention' in value) {
        log.retain(Kept.safeParse(value).data ?? wrong('is no retention of a stream'));
      } else {
        const event = Event.safeParse(value).data ?? wrong('is no event');
        add(
          log,
          { ...event, place: Number(event.position.slice(event.position.lastIndexOf(':') + 1)) },
          wrong,
        );
        events += 1;
        if (events % 1_000 === 0) progress(events);
      }
      hash.update(`${line}\n`);
    }
    if (number === 0) throw new Refused('The export is empty. Nothing was imported.');
    if (!ended) throw new Refused(`The export is cut off behind line ${number}. Nothing was imported.`);
    return events;
  } finally {
    log.close();
  }
}

function add(
  log: ReturnType<typeof openLogImport>,
  event: ImportedEvent,
  wrong: (what: string) => never,
): void {
  try {
    log.add(event);
  } catch (error) {
    if (error instanceof RangeError) wrong(`is out of order: ${error.message}`);
    throw error;
  }
}

function checkHead(value: object, wrong: (what: string) => never): void {
  const head = Head.safeParse(value).data ?? wrong('is not the beginning of an export of Slipway');
  if (head.format > exportFormat)
    wrong(`is of a newer Slipway (format ${head.format}, this one knows ${exportFormat})`);
  if (head.redacted) wrong('says that it was redacted: export without --redact');
  if (head.filtered) wrong('says that it is a part of a log: export all of it');
}

function parsed(line: string): object | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
