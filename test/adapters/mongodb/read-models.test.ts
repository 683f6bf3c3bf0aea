import { readModelsContract } from '../../contract/read-models.ts';
import { openOwnReadModels, testDatabase } from '../../support/mongo-database.ts';
import { withStore } from '../../support/stores.ts';

withStore('MONGODB_URL', 'read models in MongoDB', (server) => {
  describe('of a server that may be slow', function () {
    // Some servers take seconds to make indexes.
    this.timeout(240_000);

    readModelsContract('mongodb', async () => {
      const { url, drop } = testDatabase(server);
      let models = await openOwnReadModels({ url });
      return {
        models,
        async reopen() {
          await models.close();
          return (models = await openOwnReadModels({ url }));
        },
        async dispose() {
          await models.close();
          await drop();
        },
      };
    });
  });
});
