/** Random appends and reads, side by side with a model of ten lines. */
import { expect } from 'chai';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { WrongExpectedRevision, type EventStore, type NewEvent } from '../../src/ports/event-store.ts';
import { event, readToEnd } from './event-store-given.ts';

interface ModelEvent {
  readonly id: string;
  readonly stream: string;
  readonly type: string;
  readonly revision: number;
}

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      stream: fc.nat(3),
      off: fc.integer({ min: -2, max: 2 }),
      types: fc.array(fc.constantFrom('Opened', 'Moved', 'Closed'), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('repeat' as const), which: fc.nat(100) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('keep' as const),
      stream: fc.nat(3),
      maxCount: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('truncate' as const),
      stream: fc.nat(3),
      truncateBefore: fc.nat(8),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('scavenge' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      stream: fc.nat(3),
      from: fc.option(fc.nat(12)),
      backwards: fc.boolean(),
      limit: fc.integer({ min: 1, max: 8 }),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

interface Sent {
  readonly stream: string;
  readonly expected: number | 'none';
  readonly events: readonly NewEvent[];
  readonly answer: unknown;
}

async function play(store: EventStore, steps: readonly Step[]): Promise<void> {
  const run = randomUUID();
  const log: ModelEvent[] = [];
  const first = new Map<string, number>();
  const count = new Map<string, number>();
  const sent: Sent[] = [];
  let scavenged = false;
  const all = (stream: string): ModelEvent[] => log.filter((one) => one.stream === stream);
  const kept = (stream: string): ModelEvent[] =>
    all(stream).slice(
      Math.max(first.get(stream) ?? 0, all(stream).length - (count.get(stream) ?? Infinity), 0),
    );

  for (const one of steps) {
    const stream = `model-${run}-${'stream' in one ? one.stream : 0}`;
    switch (one.kind) {
      case 'append': {
        const last = all(stream).length - 1;
        const wanted = Math.max(-1, last + one.off);
        const expected = wanted < 0 ? 'none' : wanted;
        const events = one.types.map((type) => event({ type }));
        const outcome = await store.append(stream, expected, events).catch((error: unknown) => error);
        if (wanted === last) {
          expect(outcome).to.include({ revision: last + events.length });
          events.forEach(({ id, type }, i) => log.push({ id, stream, type, revision: last + 1 + i }));
          sent.push({ stream, expected, events, answer: outcome });
        } else
          expect(outcome)
            .to.be.instanceOf(WrongExpectedRevision)
            .and.include({ actual: last < 0 ? 'none' : last });
        break;
      }
      case 'repeat': {
        const again = sent[one.which % Math.max(1, sent.length)];
        // What a scavenge has removed cannot be recognised.
        if (again && !scavenged)
          expect(await store.append(again.stream, again.expected, again.events)).to.deep.equal(again.answer);
        break;
      }
      // A retention replaces the one before, and may bring back what nobody has scavenged: here it only ever narrows.
      case 'keep':
        count.set(stream, Math.min(count.get(stream) ?? Infinity, one.maxCount));
        await store.setRetention(stream, retention(stream));
        break;
      case 'truncate':
        first.set(stream, Math.max(first.get(stream) ?? 0, one.truncateBefore));
        await store.setRetention(stream, retention(stream));
        break;
      case 'scavenge':
        await store.scavenge();
        scavenged = true;
        break;
      case 'read': {
        const direction = one.backwards ? 'backwards' : 'forwards';
        const read = await store.readStream(stream, {
          direction,
          limit: one.limit,
          ...(one.from !== null && { from: one.from }),
        });
        const there = one.backwards ? kept(stream).reverse() : kept(stream);
        const wanted = there.filter(
          ({ revision }) =>
            one.from === null || (one.backwards ? revision <= one.from : revision >= one.from),
        );
        expect(read.map(({ id }) => id)).to.deep.equal(wanted.slice(0, one.limit).map(({ id }) => id));
        break;
      }
    }
  }
  const prefix = `model-${run}-`;
  const { events: whole } = await readToEnd(store, { streamPrefixes: [prefix] });
  const found = new Set(whole.map(({ id }) => id));
  const order = log.filter(({ id }) => found.has(id)).map(({ id }) => id);
  expect(whole.map(({ id }) => id)).to.deep.equal(order);
  for (const stream of new Set(log.map((one) => one.stream)))
    for (const { id } of kept(stream)) expect(found.has(id)).to.equal(true);
  for (const [i, one] of whole.entries())
    if (i > 0) expect(store.compare(whole[i - 1]!.position, one.position)).to.be.lessThan(0);
  const moved = await readToEnd(store, { streamPrefixes: [prefix], types: ['Moved'] });
  expect(moved.events.map(({ id }) => id)).to.deep.equal(
    whole.filter(({ type }) => type === 'Moved').map(({ id }) => id),
  );

  function retention(stream: string): { maxCount?: number; truncateBefore?: number } {
    const [maxCount, truncateBefore] = [count.get(stream), first.get(stream)];
    return {
      ...(maxCount !== undefined && { maxCount }),
      ...(truncateBefore !== undefined && { truncateBefore }),
    };
  }
}

export function eventStoreModelContract(
  current: () => { readonly store: EventStore; readonly runs: number },
): void {
  it('agrees with a simple model about any sequence of appends, repetitions, retentions and reads', async () => {
    const steps = fc.array(step, { minLength: 1, maxLength: 40 });
    const { store, runs } = current();
    await fc.assert(
      fc.asyncProperty(steps, (given) => play(store, given)),
      { numRuns: runs },
    );
  });
}
