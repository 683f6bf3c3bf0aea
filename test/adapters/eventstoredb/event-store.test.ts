import { openEventStoreDb } from '../../../src/adapters/eventstoredb/event-store.ts';
import { eventStoreContract } from '../../contract/event-store.ts';
import { withStore } from '../../support/stores.ts';

withStore('EVENTSTORE_URL', 'the event store on EventStoreDB', (url) => {
  eventStoreContract('it', async () => {
    const options = { url, scavengePauseMs: 0 };
    let store = await openEventStoreDb(options);
    return {
      store,
      async reopen() {
        await store.close();
        return (store = await openEventStoreDb(options));
      },
      destroy: () => store.close(),
      modelRuns: 20,
    };
  });
});
