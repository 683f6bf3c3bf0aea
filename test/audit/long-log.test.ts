/** A long log on disk: what is rare is found in pages that are bounded, and one stream costs what it is long. */
import { join } from 'node:path';
import { expect } from 'chai';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { createEntries } from '../../src/audit/entries.ts';
import { readLog } from '../../src/audit/log.ts';
import { stateAt } from '../../src/audit/states.ts';
import { createWhys } from '../../src/audit/why.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import { allEvents } from '../../src/events.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { event } from '../contract/event-store-given.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const schemas = createSchemas(allEvents);
const platform = { kind: 'platform' } as const;
const appends = process.env['SLIPWAY_LONG'] ? 1_000 : 250;
/** Events of an append, and places that a page looks at. */
const each = 1_000;
const aPage = 100_000;

describe('a long log', function () {
  this.timeout(600_000);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: EventStore;
  let asked: number;
  const plain = event();
  const rare = (id: string) => ({
    ...event({ type: 'RolloutsFrozen', data: { by: 'usr_1', reason: id, at: '2030-01-01T00:00:00.000Z' } }),
    metadata: { ...plain.metadata, correlationId: id, tenant: 'acme' },
  });
  before(async () => {
    folder = await temporaryFolder();
    store = await openSqliteEventStore({ path: join(folder.path, 'log.db') });
    await store.append('freeze-first', 'none', [rare('first')]);
    for (let done = 0; done < appends; done += 10)
      await Promise.all(
        Array.from({ length: 10 }, (_, index) => {
          const events = Array.from({ length: each }, () => event());
          return store.append(`counter-${done + index}`, 'none', events);
        }),
      );
    await store.append('freeze-last', 'none', [rare('last')]);
  });
  after(async () => {
    await store.close();
    await folder.remove();
  });

  /** Counts what it looks for. */
  function counting(): EventStore {
    asked = 0;
    const search: EventStore['search'] = (question) => {
      asked += 1;
      return store.search(question);
    };
    return { ...store, search };
  }

  it('is looked through in bounded pages, both ways', async () => {
    const counted = counting();
    const deps = { store: counted, entries: createEntries({ store, schemas }) };
    for (const order of ['newest', 'oldest'] as const) {
      const found: string[] = [];
      let pages = 0;
      for (let cursor: string | null = null, end = false; !end; pages += 1) {
        const question = { where: { tenant: 'acme' }, order, limit: 10 } as const;
        const page = await readLog(deps, platform, { ...question, ...(cursor !== null && { cursor }) });
        found.push(...page.entries.map(({ reason }) => reason ?? ''));
        ({ end, next: cursor } = page);
        if (cursor === null) break;
      }
      expect(found).to.eql(order === 'newest' ? ['last', 'first'] : ['first', 'last']);
      expect(pages).to.be.at.least(Math.floor((appends * each) / aPage));
    }
  });

  it('is not looked through for one stream', async () => {
    const counted = counting();
    const entries = createEntries({ store, schemas });
    const question = { stream: 'freeze-first', where: {}, order: 'newest', limit: 10 } as const;
    const page = await readLog({ store: counted, entries }, platform, question);
    expect(page.entries.map(({ reason }) => reason)).to.eql(['first']);
    expect(
      await stateAt({ store: counted, schemas }, platform, 'freeze-first', await store.head()),
    ).to.deep.include({ state: { by: 'usr_1', reason: 'first', at: '2030-01-01T00:00:00.000Z' } });
    expect(asked).to.equal(0);
  });

  it('tells why from its beginning to its end', async () => {
    const whys = createWhys({ store, entries: createEntries({ store, schemas }) });
    for (const id of ['first', 'last']) {
      const why = await whys.why(platform, id);
      expect(why?.effects.map(({ entry }) => entry.reason)).to.eql([id]);
    }
    expect(await whys.why(platform, 'nobody')).to.equal(null);
  });
});
