/** The process that event-store-crash.test.ts kills: appends from several writers at once, and says what was acknowledged. */
import { randomUUID } from 'node:crypto';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { event } from '../../contract/event-store-given.ts';

const [path = '', writers = '8'] = process.argv.slice(2);
const store = await openSqliteEventStore({ path });

async function write(stream: string): Promise<never> {
  const [last] = await store.readStream(stream, { direction: 'backwards', limit: 1 });
  for (let revision = last?.revision ?? -1; ;) {
    const batch = Array.from({ length: 1 + (revision % 3 === 0 ? 2 : 0) }, () => event({ id: randomUUID() }));
    const appended = await store.append(stream, revision < 0 ? 'none' : revision, batch);
    ({ revision } = appended);
    process.stdout.write(`${stream} ${appended.revision} ${batch.at(-1)?.id ?? ''}\n`);
  }
}

await Promise.all(Array.from({ length: Number(writers) }, (_, i) => write(`writer-${i}`)));
