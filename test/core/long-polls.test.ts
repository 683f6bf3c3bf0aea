import { expect } from 'chai';
import { createLongPolls, TooManyWaiting } from '../../src/core/long-polls.ts';
import { rejection } from '../support/rejection.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

describe('a question that waits for news', () => {
  const never = () => undefined;
  const turn = () => new Promise((done) => setImmediate(done));

  /** Something at a place that changes, and questions about it that count how often it was looked at. */
  function given(most?: number) {
    const clock = createVirtualClock();
    const polls = createLongPolls({ clock, ...(most === undefined ? {} : { most }) });
    const seen = { value: 0, looks: 0 };
    const ask = (
      known: number,
      waitMs = 30_000,
      place = 'here',
      whenGone: (hangUp: () => void) => void = never,
    ) =>
      polls.poll({
        ...{ place, waitMs, whenGone },
        ask: async () => {
          seen.looks += 1;
          const { value } = seen;
          await turn();
          return value;
        },
        isNews: (value) => value !== known,
      });
    const change = (place = 'here'): void => {
      seen.value += 1;
      polls.changed(place);
    };
    return { clock, polls, seen, ask, change };
  }

  it('is answered at once when there is news, or no time', async () => {
    const { ask, clock } = given();
    expect(await ask(7)).to.equal(0);
    expect(await ask(0, 0)).to.equal(0);
    expect(clock.pending()).to.equal(0);
  });

  it('is answered when something changes at its place, and not elsewhere', async () => {
    const { ask, change, seen, clock } = given();
    const answer = ask(0);
    await turn();
    change('elsewhere');
    await turn();
    expect(seen.looks).to.equal(1);
    change();
    expect(await answer).to.equal(2);
    expect(clock.pending(), 'timers that are left').to.equal(0);
  });

  it('sees a change that comes while it looks', async () => {
    const { ask, change } = given();
    const answer = ask(0);
    change();
    expect(await answer).to.equal(1);
  });

  it('waits on after a change that is no news to it', async () => {
    const { ask, polls, change, seen } = given();
    const answer = ask(0);
    await turn();
    polls.changed('here');
    await turn();
    await turn();
    expect(seen.looks).to.equal(2);
    change();
    expect(await answer).to.equal(1);
  });

  it('is answered as it is when its time is over, however often it was woken for nothing', async () => {
    const { ask, polls, clock } = given();
    const answer = ask(0, 1_000);
    for (let time = 0; time < 9; time += 1) {
      await clock.advance(100);
      polls.changed('here');
      await turn();
      await turn();
    }
    let answered = false;
    void answer.then(() => (answered = true));
    await clock.advance(99);
    expect(answered).to.equal(false);
    await clock.advance(1);
    expect(await answer).to.equal(0);
  });

  it('leaves nothing behind when its asker hangs up', async () => {
    const { ask, clock } = given(10);
    for (let time = 0; time < 20; time += 1) {
      const hangUp: (() => void)[] = [];
      const answer = ask(0, 30_000, 'here', (callback) => hangUp.push(callback));
      await turn();
      await turn();
      hangUp.forEach((gone) => gone());
      await answer;
    }
    expect(clock.pending()).to.equal(0);
  });

  it('is refused beside too many others, and one place does not take all the room', async () => {
    const { ask, change } = given(30);
    const here = [ask(0), ask(0), ask(0)];
    expect(await rejection(ask(0))).to.be.instanceOf(TooManyWaiting);
    expect(await ask(0, 0), 'who does not wait').to.equal(0);
    const elsewhere = Array.from({ length: 27 }, (_, place) => ask(0, 30_000, `place ${place % 9}`));
    expect(await rejection(ask(0, 30_000, 'one more'))).to.be.instanceOf(TooManyWaiting);
    await turn();
    change();
    expect(await Promise.all(here)).to.deep.equal([1, 1, 1]);
    const room = ask(1);
    for (let place = 0; place < 9; place += 1) change(`place ${place}`);
    await Promise.all(elsewhere);
    change();
    await room;
  });

  it('is answered when all stops, and from then on waits no more', async () => {
    const { ask, polls, clock } = given();
    const waiting = [ask(0), ask(0, 30_000, 'elsewhere')];
    await turn();
    await turn();
    polls.stop();
    expect(await Promise.all(waiting)).to.deep.equal([0, 0]);
    expect(await ask(0)).to.equal(0);
    expect(clock.pending()).to.equal(0);
  });
});
