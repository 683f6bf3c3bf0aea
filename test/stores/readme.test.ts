/** What the README shows is the same whatever stores keep it. */
import { testDatabase } from '../support/mongo-database.ts';
import { walkReadme } from '../support/readme-walk.ts';
import { withStore } from '../support/stores.ts';

withStore('MONGODB_URL', 'the README, with read models in MongoDB', (server) => {
  it('shows the same', async function () {
    this.timeout(240_000);
    const database = testDatabase(server);
    try {
      await walkReadme({ MONGODB_URL: database.url });
    } finally {
      await database.drop();
    }
  });
});
