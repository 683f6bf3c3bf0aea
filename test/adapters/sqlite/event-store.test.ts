import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { eventStoreContract } from '../../contract/event-store.ts';

eventStoreContract('the event store on SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-log-'));
  let passed = 0;
  const options = { path: join(folder, 'log.sqlite'), clock: { now: (): number => Date.now() + passed } };
  let store = await openSqliteEventStore(options);
  return {
    store,
    async reopen() {
      await store.close();
      return (store = await openSqliteEventStore(options));
    },
    async destroy() {
      await store.close();
      await rm(folder, { recursive: true });
    },
    advance: (ms) => void (passed += ms),
  };
});
