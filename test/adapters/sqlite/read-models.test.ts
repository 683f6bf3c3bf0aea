import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteReadModels } from '../../../src/adapters/sqlite/read-models.ts';
import { readModelsContract } from '../../contract/read-models.ts';

readModelsContract('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-read-models-'));
  const path = join(folder, 'read-models.sqlite');
  let models = await openSqliteReadModels({ path });
  return {
    models,
    async reopen() {
      await models.close();
      return (models = await openSqliteReadModels({ path }));
    },
    async dispose() {
      await models.close();
      await rm(folder, { recursive: true });
    },
  };
});
