/** Commits without end, every document of a commit carrying its number, and reports each. Killed by its parent. */
import { openSqliteReadModels } from '../../../src/adapters/sqlite/read-models.ts';
import type { Position } from '../../../src/ports/event-store.ts';
import type { Write } from '../../../src/ports/read-models.ts';

const generation = { projection: 'things', version: 1 };
const models = await openSqliteReadModels({ path: process.argv[2] ?? '' });
await models.declare(generation, [
  {
    name: 'things',
    visibility: 'tenant',
    indexes: [{ fields: ['n'] }, { fields: ['tags'], multi: true }],
    text: ['text'],
  },
]);
await models.activate(generation);
const found = await models.generations();
const start = Number(found[0]?.checkpoint?.position.split(':')[1] ?? 0);
for (let n = start + 1; ; n++) {
  const writes = Array.from({ length: 200 }, (_, id): Write => {
    const data = { n, tags: [n], text: `word${n}x` };
    return { put: { collection: 'things', document: { id: String(id), tenant: null, data } } };
  });
  await models.commit(generation, writes, { position: `log:${n}` as Position, eventId: null });
  console.log(n);
}
