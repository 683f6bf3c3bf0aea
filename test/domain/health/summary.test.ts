import { expect } from 'chai';
import { healthSummary, spanOf, summarise } from '../../../src/domain/health/summary.ts';
import { spec } from '../../support/given-when-then.ts';
import { newId, request } from '../deployment/samples.ts';
import { span } from './samples.ts';

const of = { deploymentId: newId, tenant: request().tenant };
const [first, second] = [span(4), span(5)];
const summaryOf = (slot: typeof first) => ({
  type: 'HealthSummarised' as const,
  data: {
    ...of,
    from: new Date(slot.from).toISOString(),
    until: new Date(slot.until).toISOString(),
    lastReportAt: new Date(slot.lastReportAt).toISOString(),
    ...{ after: slot.after, through: slot.through, measured: slot.tally },
    ...{ healthyInstances: 2, unhealthyInstances: 0, leastHealthyInstances: 2 },
  },
});

describe('summaries of health', () => {
  it('are made of every slot once, in order', () => {
    spec(healthSummary)
      .given()
      .when((state) => summarise(state, [first, second], of))
      .then(summaryOf(first), summaryOf(second));
    spec(healthSummary)
      .given(summaryOf(first))
      .when((state) => summarise(state, [first, second], of))
      .then(summaryOf(second));
    spec(healthSummary)
      .given(summaryOf(first), summaryOf(second))
      .when((state) => summarise(state, [first, second], of))
      .then();
  });

  it('are not made by who is behind and cannot tell what is new', () => {
    const whole = { ...first, through: second.through };
    spec(healthSummary)
      .given(summaryOf(first))
      .when((state) => summarise(state, [whole, span(6)], of))
      .then();
  });

  it('say what the slot was', () => {
    expect(spanOf(summaryOf(first).data)).to.deep.equal(first);
  });
});
