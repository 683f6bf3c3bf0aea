import { expect } from 'chai';
import { createVirtualClock } from '../support/virtual-clock.ts';

describe('the virtual clock', () => {
  it('runs what falls due in order, at its time, and what that sets in turn', async () => {
    const clock = createVirtualClock(1_000);
    const seen: string[] = [];
    const note = (name: string) => () => void seen.push(`${name}@${clock.now()}`);
    clock.after(30, note('c'));
    clock.after(10, () => {
      note('a')();
      clock.after(5, note('b'));
    });
    clock.after(10, note('a2'));
    const cancel = clock.after(20, note('never'));
    cancel();
    await clock.advance(29);
    expect(seen).to.deep.equal(['a@1010', 'a2@1010', 'b@1015']);
    await clock.advance(1);
    expect(seen.at(-1)).to.equal('c@1030');
  });

  it('lets the wall step while timers keep their pace', async () => {
    const clock = createVirtualClock(0);
    let fired = false;
    clock.after(100, () => (fired = true));
    clock.jump(3_600_000);
    expect([clock.now(), clock.monotonic(), fired]).to.deep.equal([3_600_000, 0, false]);
    await clock.advance(100);
    expect([clock.now(), clock.monotonic(), fired]).to.deep.equal([3_600_100, 100, true]);
  });

  it('lets the wall stand still while timers keep their pace, until it jumps', async () => {
    const clock = createVirtualClock(0);
    let fired = false;
    clock.after(100, () => (fired = true));
    clock.freeze();
    await clock.advance(100);
    clock.freeze();
    expect([clock.now(), clock.monotonic(), fired]).to.deep.equal([0, 100, true]);
    clock.jump(5_000);
    await clock.advance(100);
    expect([clock.now(), clock.monotonic()]).to.deep.equal([5_100, 200]);
  });

  it('waits for what comes to rest after each timer', async () => {
    const clock = createVirtualClock(0);
    const seen: string[] = [];
    clock.after(1, () => seen.push('one'));
    clock.after(2, () => seen.push('two'));
    await clock.advance(5, async () => void seen.push('rest'));
    expect(seen).to.deep.equal(['rest', 'one', 'rest', 'two', 'rest', 'rest']);
  });
});
