import { expect } from 'chai';
import { healthSummary, spanOf, summarise } from '../../../src/domain/health/summary.ts';
import { spec } from '../../support/given-when-then.ts';
import { of, span, summaryOf } from './samples.ts';

const [first, second] = [span(4), span(5)];
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
