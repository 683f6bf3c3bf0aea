/** The writer thread: fsyncs and WAL checkpoints happen here, so that they never stall a request. */
import type { DatabaseSync } from 'node:sqlite';
import type { Checkpoint, Generation, Write } from '../../ports/read-models.ts';
import { openForWriting } from './read-models-file.ts';
import { readCatalogue, type StoredCollection } from './read-models-schema.ts';
import { serveThread } from './thread.ts';
import { writing, type Writing } from './read-models-writing.ts';

export interface Writer extends Omit<Writing, 'commit'> {
  /** @param writes {@link Write}s as JSON: as a text they pass between threads at a fraction of what objects cost */
  commit(generation: Generation, writes: string, checkpoint: Checkpoint, fence?: number): void;
  /** First of all. Makes the file if need be. */
  open(path: string): readonly StoredCollection[];
}

let db: DatabaseSync | undefined;
let opened: Writing | undefined;

function writer(): Writing {
  if (!opened) throw new Error('not opened');
  return opened;
}

const functions: Writer = {
  open(path) {
    db = openForWriting(path);
    opened = writing(db);
    opened.sweep();
    return readCatalogue(db);
  },
  declare: (generation, collections) => writer().declare(generation, collections),
  activate: (generation, fence) => writer().activate(generation, fence),
  sweep: () => writer().sweep(),
  reset: (generation, fence) => writer().reset(generation, fence),
  fence: (generation, fence) => writer().fence(generation, fence),
  commit: (generation, writes, checkpoint, fence) =>
    writer().commit(generation, JSON.parse(writes) as readonly Write[], checkpoint, fence),
};

serveThread(functions, () => db?.close());
