import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { createShared, unlessAborted } from '../../src/core/waiting.ts';
import { failure } from '../support/failure.ts';

describe('waiting', () => {
  describe('unless a signal aborts', () => {
    it('comes to what the work comes to, and leaves nothing behind', async () => {
      const { signal } = new AbortController();
      expect(await unlessAborted(Promise.resolve(7), signal)).to.equal(7);
      const failed = new Error('it failed');
      expect(await failure(unlessAborted(Promise.reject(failed), signal))).to.equal(failed);
      expect(getEventListeners(signal, 'abort')).to.deep.equal([]);
    });

    it('waits no longer for work that hangs, whenever the signal aborts', async () => {
      const stopping = new AbortController();
      const hangs = unlessAborted(new Promise(() => undefined), stopping.signal);
      stopping.abort();
      expect(await hangs).to.equal(undefined);
      expect(await unlessAborted(new Promise(() => undefined), stopping.signal)).to.equal(undefined);
    });
  });

  it('shares an answer among those who asked before it was asked for, and with nobody who came later', async () => {
    let asked = 0;
    const answers: ((answer: number) => void)[] = [];
    const shared = createShared(() => {
      asked += 1;
      return new Promise<number>((resolve) => answers.push(resolve));
    });
    const first = shared();
    const later = [shared(), shared()];
    expect(asked).to.equal(1);
    answers[0]?.(1);
    expect(await first).to.equal(1);
    await new Promise(setImmediate);
    expect(asked).to.equal(2);
    answers[1]?.(2);
    expect(await Promise.all(later)).to.deep.equal([2, 2]);
    const failing = createShared(() => Promise.reject(new Error('it failed')));
    expect(await failure(failing())).to.be.instanceOf(Error);
    expect(await failure(failing())).to.be.instanceOf(Error);
  });
});
