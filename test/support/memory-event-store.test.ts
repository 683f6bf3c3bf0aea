import { eventStoreContract } from '../contract/event-store.ts';
import { emptyMemoryLog, openMemoryEventStore } from './memory-event-store.ts';

eventStoreContract('the event store in memory', async () => {
  const log = emptyMemoryLog();
  let passed = 0;
  const clock = { now: (): number => Date.now() + passed };
  let store = openMemoryEventStore({ clock, log });
  return {
    store,
    async reopen() {
      await store.close();
      return (store = openMemoryEventStore({ clock, log }));
    },
    destroy: () => store.close(),
    advance: (ms) => void (passed += ms),
  };
});
