/** Every report is in exactly one summary, whenever summaries are made, of whichever state of the record, and whatever the clocks did. */
import { expect } from 'chai';
import fc from 'fast-check';
import {
  apart,
  type Batch,
  continued,
  type HealthRecord,
  latest,
  minuteMs,
  noRecord,
  recorded,
  slotMs,
  slotsToSummarise,
  stopped,
  summarised,
  summaryDueAt,
  together,
} from '../../../src/domain/health/record.ts';
import type { Span } from '../../../src/domain/health/span.ts';
import { healthSummary, spanOf, summarise } from '../../../src/domain/health/summary.ts';
import { isRefusal } from '../../../src/domain/refusal.ts';
import { noTally, plus, type Tally } from '../../../src/domain/health/tally.ts';
import { of, start, tallies } from './samples.ts';

const total = (spans: readonly { readonly tally: Tally }[]): Tally =>
  spans.map(({ tally }) => tally).reduce(plus, noTally);

type Step =
  | { readonly do: 'report'; readonly afterMs: number; readonly tally: Tally }
  | { readonly do: 'stop' }
  | { readonly do: 'remember' }
  /** Of the record as it was remembered, or as it is; the read model hears of it after so many more steps. */
  | { readonly do: 'summarise'; readonly old: boolean; readonly heardAfter: number; readonly lateMs: number };

const rising = fc.integer({ min: 1, max: 400_000 });
const jumps = fc.integer({ min: -4_000_000, max: 40_000_000 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({ do: fc.constant('report' as const), afterMs: rising, tally: tallies }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('report' as const), afterMs: jumps, tally: tallies }),
    },
    fc.constant({ do: 'stop' as const }),
    { weight: 2, arbitrary: fc.constant({ do: 'remember' as const }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('summarise' as const),
        old: fc.boolean(),
        heardAfter: fc.integer({ min: 0, max: 3 }),
        lateMs: fc.constantFrom(0, 0, 0, 2 * slotMs),
      }),
    },
  ),
  { maxLength: 120 },
);

/** Where a minute goes on, it alone changes: the rest need not be looked at. */
function afterBatch(record: HealthRecord, batch: Batch): HealthRecord {
  const after = recorded(record, batch);
  const { rest, open } = apart(record);
  expect(together(rest, open)).to.deep.equal(record);
  const goesOn = open && continued(open, batch);
  if (!goesOn) return after;
  expect(together(rest, goesOn)).to.deep.equal(after);
  expect(summaryDueAt(after)).to.equal(summaryDueAt(record));
  return after;
}

/** The log's part and the read model's, which hears late and may be asked when it is old. */
function play(all: readonly Step[]) {
  let [record, remembered]: [HealthRecord, HealthRecord] = [noRecord, noRecord];
  let [at, revision, through] = [start, 0, -1];
  const told: Tally[] = [];
  const summaries: Span[] = [];
  const unheard: { readonly inSteps: number; readonly summary: Span }[] = [];
  const write = (from: HealthRecord, now: number, heardAfter: number): void => {
    const decision = summarise({ through }, slotsToSummarise(from, now), of);
    if (isRefusal(decision)) expect.fail(decision.message);
    for (const { data } of decision) {
      healthSummary.events['HealthSummarised']?.data.parse(data);
      ({ through } = data);
      summaries.push(spanOf(data));
      unheard.push({ inSteps: heardAfter, summary: spanOf(data) });
    }
  };
  const hear = (everything = false): void => {
    const due = unheard.map(({ inSteps }) => inSteps <= 0 || everything);
    const first = due.lastIndexOf(true);
    for (const { summary } of unheard.splice(0, first + 1)) record = summarised(record, summary);
    unheard.forEach((one, index) => unheard.splice(index, 1, { ...one, inSteps: one.inSteps - 1 }));
  };
  for (const step of all) {
    if (step.do === 'report') {
      at += step.afterMs;
      record = afterBatch(record, { at, revision, healthy: 2, unhealthy: 0, tally: step.tally });
      told.push(step.tally);
      revision += 1;
    } else if (step.do === 'stop') record = stopped(record, at);
    else if (step.do === 'remember') remembered = record;
    else write(step.old ? remembered : record, at + step.lateMs, step.heardAfter);
    hear();
    expect(record.spans.length).to.be.at.most(30);
  }
  hear(true);
  return {
    record,
    told: total(told.map((tally) => ({ tally }))),
    summaries,
    end: at,
    write,
    hear,
    now: () => record,
  };
}

describe('the record of health', () => {
  it('is in summaries and what waits for them, no report twice and none lost', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const { record, told, summaries, now, write, hear, end } = play(all);
        const waiting = record.spans.filter(({ through }) => through > record.summarisedThrough);
        expect(plus(total(summaries), total(waiting))).to.deep.equal(told);
        for (const [index, { after }] of summaries.entries())
          expect(after).to.be.at.least(summaries[index - 1]?.through ?? -1);
        // Then all falls silent.
        write(now(), end + 2 * slotMs + 4_000_000, 0);
        hear(true);
        expect(total(summaries)).to.deep.equal(told);
        expect(summaryDueAt(now())).to.equal(null);
      }),
      { numRuns: 500 },
    );
  });

  it('makes one summary a slot where clocks run as they should', () => {
    fc.assert(
      fc.property(fc.array(rising, { minLength: 1, maxLength: 200 }), (gaps) => {
        const all: Step[] = gaps.flatMap((afterMs): Step[] => [
          { do: 'report', afterMs, tally: noTally },
          { do: 'summarise', old: false, heardAfter: 0, lateMs: 0 },
        ]);
        const { summaries, record, end } = play(all);
        const slots = summaries.map(({ from }) => from);
        expect(new Set(slots).size).to.equal(slots.length);
        for (const { from, until } of summaries) {
          expect(from % slotMs).to.equal(0);
          expect(until - from).to.equal(slotMs);
        }
        const open = slotsToSummarise(record, end + 3 * slotMs);
        expect(open).to.have.length(1);
        expect(slots).not.to.include(open[0]?.from);
      }),
    );
  });

  const minutes = (count: number, from = noRecord): HealthRecord =>
    Array.from({ length: count }, (_, minute) => minute).reduce(
      (record, minute) =>
        recorded(record, {
          ...{ at: start + minute * minuteMs, revision: minute, healthy: 2, unhealthy: 0 },
          tally: { failed: { count: 1, sum: 0 } },
        }),
      from,
    );

  it('asks for a summary once a report of the next slot is there, or another slot has passed in silence', () => {
    expect(summaryDueAt(noRecord)).to.equal(null);
    const silent = minutes(5);
    expect(summaryDueAt(silent)).to.equal(start + 2 * slotMs);
    expect(slotsToSummarise(silent, start + 2 * slotMs - 1)).to.deep.equal([]);
    expect(slotsToSummarise(silent, start + 2 * slotMs)).to.have.length(1);
    const next = minutes(6);
    expect(summaryDueAt(next)).to.equal(start + slotMs);
    const [slot] = slotsToSummarise(next, start + slotMs);
    expect(slot).to.deep.include({ from: start, until: start + slotMs, after: -1, through: 4 });
    expect(slot?.tally).to.deep.equal({ failed: { count: 5, sum: 0 } });
  });

  it('keeps the last five minutes, summarised or not', () => {
    const summary = { after: -1, through: 4, tally: { failed: { count: 5, sum: 0 } } };
    const record = summarised(minutes(7), summary);
    expect(latest(record).map(({ from }) => (from - start) / minuteMs)).to.deep.equal([2, 3, 4, 5, 6]);
    expect(summaryDueAt(record)).to.equal(start + 3 * slotMs);
  });

  it('ends a slot in which the instances were stopped without any', () => {
    const [slot] = slotsToSummarise(stopped(minutes(2), start + 2 * minuteMs), start + 3 * slotMs);
    expect(slot).to.include({ healthy: 0, leastHealthy: 0 });
  });
});
