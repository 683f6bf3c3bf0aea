/** Pages of the log, whatever is asked for and whatever happens meanwhile. */
import { expect } from 'chai';
import fc from 'fast-check';
import { createEntries } from '../../src/audit/entries.ts';
import { type LogQuestion, readLog } from '../../src/audit/log.ts';
import { NoSuchPlace } from '../../src/audit/places.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import { allEvents } from '../../src/events.ts';
import type { EventStore, RecordedEvent } from '../../src/ports/event-store.ts';
import type { Scope } from '../../src/ports/read-models.ts';
import { event, failure, readToEnd } from '../contract/event-store-given.ts';
import { openMemoryEventStore } from '../support/memory-event-store.ts';

const platform: Scope = { kind: 'platform' };
const acme: Scope = { kind: 'tenant', tenant: 'acme' };
const start = Date.parse('2030-01-01T00:00:00.000Z');
const minute = 60_000;

interface Given {
  readonly stream: string;
  readonly type: string;
  readonly tenant: string | null;
  readonly actor: string;
  readonly correlationId: string;
}

const given = fc.record<Given>({
  stream: fc.constantFrom('plugin-a', 'plugin-b', 'slot-acme.production.a', 'deployment-dep-1'),
  type: fc.constantFrom('PluginFeatured', 'PluginUnfeatured', 'Unheard'),
  tenant: fc.constantFrom('acme', 'globex', null),
  actor: fc.constantFrom('usr_1', 'process:rollouts'),
  correlationId: fc.constantFrom('c1', 'c2', 'c3'),
});

/** An hour between two events. */
async function logOf(history: readonly Given[]) {
  let now = start;
  const store = openMemoryEventStore({ clock: { now: () => now } });
  const entries = createEntries({ store, schemas: createSchemas(allEvents) });
  async function append({ stream, type, tenant, actor, correlationId }: Given): Promise<void> {
    now += 60 * minute;
    const [last] = await store.readStream(stream, { direction: 'backwards', limit: 1 });
    const plain = event({ type, data: {} });
    const metadata = { ...plain.metadata, tenant, correlationId, at: new Date(now).toISOString() };
    await store.append(stream, last?.revision ?? 'none', [
      { ...plain, metadata: { ...metadata, actor: { id: actor, face: 'test' } } },
    ]);
  }
  for (const one of history) await append(one);
  return { store, deps: { store, entries }, append, all: (await readToEnd(store)).events };
}

/** All pages, each asked for with the cursor of the one before. */
async function pages(
  deps: Parameters<typeof readLog>[0],
  scope: Scope,
  question: LogQuestion,
  between: () => Promise<void> = async () => undefined,
): Promise<readonly string[]> {
  const read: string[] = [];
  for (let cursor = question.cursor; ;) {
    const page = await readLog(deps, scope, { ...question, cursor });
    expect(page.entries.length).to.be.at.most(question.limit);
    read.push(...page.entries.map(({ id }) => id));
    if (page.end || page.next === null) return read;
    cursor = page.next;
    await between();
  }
}

describe('the log, page by page', () => {
  const questions = fc.record({
    stream: fc.option(fc.constantFrom('plugin-a', 'slot-acme.production.a', 'plugin-none'), {
      nil: undefined,
    }),
    types: fc.option(fc.constant(['PluginFeatured', 'Unheard']), { nil: undefined }),
    tenant: fc.option(fc.constantFrom('acme', 'globex'), { nil: undefined }),
    actor: fc.option(fc.constant('usr_1'), { nil: undefined }),
    correlationId: fc.option(fc.constantFrom('c1', 'c4'), { nil: undefined }),
    about: fc.option(fc.constantFrom('a', 'dep-1'), { nil: undefined }),
    from: fc.option(fc.integer({ min: -2, max: 22 }), { nil: undefined }),
    to: fc.option(fc.integer({ min: -2, max: 22 }), { nil: undefined }),
    order: fc.constantFrom('newest', 'oldest'),
    limit: fc.constantFrom(1, 3, 100),
    scope: fc.constantFrom(platform, acme),
  });

  it('is every event that was asked for, once, in order, though others are appended', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(given, { maxLength: 20 }),
        questions,
        given,
        async (history, { stream, from, to, order, limit, scope, ...asked }, later) => {
          const { deps, all, append } = await logOf(history);
          const hour = (index: number): number => start + index * 60 * minute;
          const where = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
          const wanted = all.filter(({ stream: name, type, metadata }, index) => {
            const at = index + 1;
            const about = asked.about;
            return (
              (stream === undefined || name === stream) &&
              (asked.types === undefined || asked.types.some((one) => one === type)) &&
              // A tenant sees its own, whatever it asks for.
              (scope.kind === 'tenant' || asked.tenant === undefined
                ? scope.kind === 'platform' || metadata.tenant === scope.tenant
                : metadata.tenant === asked.tenant) &&
              (asked.actor === undefined || metadata.actor.id === asked.actor) &&
              (asked.correlationId === undefined || metadata.correlationId === asked.correlationId) &&
              (about === undefined || name.endsWith(`-${about}`) || name.endsWith(`.${about}`)) &&
              (from === undefined || at >= from) &&
              (to === undefined || at <= to)
            );
          });
          const ids = wanted.map(({ id }) => id);
          const question = {
            ...({ stream, where, order, limit } as const),
            from: from === undefined ? undefined : hour(from),
            to: to === undefined ? undefined : hour(to),
          };
          const read = await pages(
            deps,
            scope,
            question,
            order === 'newest' ? () => append(later) : undefined,
          );
          expect(read).to.eql(order === 'newest' ? ids.toReversed() : ids);
        },
      ),
      { numRuns: process.env['SLIPWAY_LONG'] ? 3_000 : 300 },
    ));

  it('is followed from its head: everything that comes, once', async () => {
    const { deps, append } = await logOf([]);
    const one = { stream: 'plugin-a', type: 'Unheard', tenant: null, actor: 'usr_1', correlationId: 'c1' };
    for (const stream of [undefined, 'plugin-a']) {
      await append(one);
      let { head: cursor } = await readLog(deps, platform, { stream, where: {}, order: 'newest', limit: 1 });
      for (let come = 0; come < 3; come += 1) {
        await append(one);
        const page = await readLog(deps, platform, { stream, where: {}, order: 'oldest', limit: 10, cursor });
        expect(page.entries).to.have.length(1);
        cursor = page.next ?? '';
        const none = await readLog(deps, platform, { stream, where: {}, order: 'oldest', limit: 10, cursor });
        expect(none).to.deep.include({ entries: [], end: true });
      }
    }
  });

  it('looks at few events of a long log for one stream, and at a bounded number for a rare thing', async () => {
    let asked = 0;
    const { store } = await logOf([]);
    const counting: EventStore = {
      ...store,
      search: async (question) => {
        asked += 1;
        // A page that found nothing, and is not the last.
        return { events: [], next: question.from ?? (await store.head()), end: false };
      },
    };
    const entries = createEntries({ store, schemas: createSchemas(allEvents) });
    const where = { correlationId: 'rare' };
    const page = await readLog({ store: counting, entries }, platform, { where, order: 'newest', limit: 10 });
    expect(page).to.deep.include({ entries: [], end: false });
    expect(page.next).to.be.a('string');
    expect(asked).to.equal(1);
    await readLog({ store: counting, entries }, platform, {
      stream: 'plugin-a',
      where,
      order: 'newest',
      limit: 10,
    });
    expect(asked).to.equal(1);
  });

  it('refuses cursors that mean no place', async () => {
    const { deps, all } = await logOf([
      { stream: 'plugin-a', type: 'Unheard', tenant: null, actor: 'usr_1', correlationId: 'c1' },
    ]);
    const [{ position }] = all as readonly [RecordedEvent];
    const beyond = position.replace(/:1$/, ':2');
    for (const [cursor, stream, word] of [
      ['nonsense', undefined, /is none of this log/],
      [`00000000-0000-4000-8000-000000000000:1`, undefined, /is none of this log/],
      [beyond, undefined, /lies behind the log's end/],
      [position, 'plugin-a', /is none of a stream/],
    ] as const)
      for (const order of ['newest', 'oldest'] as const) {
        const question = { stream, where: {}, order, limit: 1, cursor };
        expect((await failure(readLog(deps, platform, question), NoSuchPlace)).message).to.match(word);
      }
  });
});
