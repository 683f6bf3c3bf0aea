import { expect } from 'chai';
import fc from 'fast-check';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openSqliteEventStore } from '../src/adapters/sqlite/event-store.ts';
import { openSqliteSealLeaves } from '../src/adapters/sqlite/seal-leaves.ts';
import { createLeafMaker } from '../src/core/seals/leaf-maker.ts';
import type { EventStore, JsonObject } from '../src/ports/event-store.ts';
import type { LeafMaker } from '../src/ports/seals.ts';
import { createLeafThread } from '../src/sealing-thread.ts';
import { event, events } from './contract/event-store-given.ts';
import { tamper } from './core/seals/world.ts';
import { failure } from './support/failure.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

describe('leaves made in a thread', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: EventStore;
  const makers: LeafMaker[] = [];
  const file = (name: string): string => join(folder.path, name);

  beforeEach(async () => {
    folder = await temporaryFolder();
    store = await openSqliteEventStore({ path: file('log.db') });
  });
  afterEach(async () => {
    for (let maker = makers.pop(); maker; maker = makers.pop()) await maker.close();
    await store.close();
    await folder.remove();
  });

  function threadTo(leaves: string): LeafMaker {
    const maker = createLeafThread({ log: file('log.db'), leaves: file(leaves), logId: store.logId });
    makers.push(maker);
    return maker;
  }

  /** All leaves and hashes, as who verifies would read them. */
  function leavesIn(name: string) {
    const leaves = openSqliteSealLeaves({ path: file(name), logId: store.logId, readOnly: true });
    const page = leaves.page(0, 10_000);
    leaves.close();
    return page;
  }

  it('are those that reading through the port would make, whatever the events say', async () => {
    const overPort = openSqliteSealLeaves({ path: file('port.db'), logId: store.logId });
    const [thread, port] = [threadTo('thread.db'), createLeafMaker(store, overPort)];
    let stream = 0;
    const data = fc.dictionary(
      fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', '1', '01', 'toJSON', '"')),
      fc.jsonValue({ stringUnit: 'binary' }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(data, { minLength: 1, maxLength: 5 }), fc.string(), async (all, id) => {
        const added = all.map((one) => event({ id: `${id}"`, data: one as JsonObject }));
        await store.append(`s-${(stream += 1)}`, 'none', added);
        const head = await thread.make();
        expect(head).to.deep.equal(await port.make());
      }),
    );
    overPort.close();
    expect(leavesIn('thread.db')).to.deep.equal(leavesIn('port.db'));
  });

  it('are none of an empty log, and all of what came at once', async () => {
    const thread = threadTo('seals.db');
    expect(await thread.make()).to.equal(null);
    for (let n = 0; n < 9; n += 1) await store.append(`burst-${n}`, 'none', events(700));
    expect(await thread.make()).to.include({ size: 6_300 });
    const again = threadTo('seals.db');
    await store.append('burst-0', 699, events(1));
    expect(await again.make()).to.include({ size: 6_301 });
    expect(leavesIn('seals.db').map(({ index }) => index)).to.deep.equal(
      Array.from({ length: 6_301 }, (_, index) => index),
    );
  });

  it('are made when what was in the way is gone', async () => {
    const thread = threadTo('later/seals.db');
    await store.append('a', 'none', events(2));
    expect(String(await failure(thread.make()))).to.include('cannot be opened');
    await mkdir(file('later'));
    expect(await thread.make()).to.include({ size: 2 });
    tamper(file('log.db'), (db) => db.exec("UPDATE events SET metadata = '{}' WHERE position = 2"));
    await store.append('a', 1, events(1));
    expect(await thread.make(), 'what is sealed is not read again').to.include({ size: 3 });
    await store.append('a', 2, events(1));
    tamper(file('log.db'), (db) => db.exec("UPDATE events SET metadata = '{}' WHERE position = 4"));
    expect(String(await failure(thread.make()))).to.include('it has no time');
  });
});
