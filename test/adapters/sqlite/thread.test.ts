import { expect } from 'chai';
import { startThread, type Thread } from '../../../src/adapters/sqlite/thread.ts';
import { StoreUnavailable } from '../../../src/ports/event-store.ts';
import { BadCursor } from '../../../src/ports/read-models.ts';

interface Functions {
  add(a: number, b: number): number;
  fail(kind: string): void;
  exit(): void;
}

const serving = new URL('../../../src/adapters/sqlite/thread.ts', import.meta.url);
const code = `
  import { serveThread } from ${JSON.stringify(serving.href)};
  serveThread({
    add: (a, b) => a + b,
    fail: (name) => { throw Object.assign(new Error('because'), { name }); },
    exit: () => process.exit(1),
  }, () => {});
`;

describe('a thread', () => {
  let thread: Thread<Functions>;
  beforeEach(() => {
    const file = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
    thread = startThread<Functions>(file, 'the thread of this test');
  });
  afterEach(() => thread.close());

  async function failure(attempt: Promise<unknown>): Promise<unknown> {
    return attempt.then(
      () => null,
      (error: unknown) => error,
    );
  }

  it('answers', async () => {
    expect(await Promise.all([thread.call('add', 1, 2), thread.call('add', 3, 4)])).to.deep.equal([3, 7]);
  });

  it('keeps the classes of errors that callers decide by', async () => {
    for (const Class of [StoreUnavailable, BadCursor]) {
      const error = await failure(thread.call('fail', Class.name));
      expect(error).to.be.instanceOf(Class).with.property('message', 'because');
    }
    expect(await failure(thread.call('fail', 'toString'))).to.be.instanceOf(Error);
  });

  it('that dies fails the calls under way and those to come, and closes', async () => {
    const [died, behind] = await Promise.all([
      failure(thread.call('exit')),
      failure(thread.call('add', 1, 2)),
    ]);
    expect(died).to.be.instanceOf(StoreUnavailable);
    expect(behind).to.be.instanceOf(StoreUnavailable);
    expect(String(behind)).to.include('the thread of this test ended');
    expect(thread.ended).to.equal(true);
    expect(await failure(thread.call('add', 1, 2))).to.be.instanceOf(StoreUnavailable);
  });

  it('finishes the calls under way when closed, and refuses others', async () => {
    const under = thread.call('add', 1, 2);
    const closing = thread.close();
    expect(await failure(thread.call('add', 1, 2))).to.be.instanceOf(StoreUnavailable);
    expect(await under).to.equal(3);
    await closing;
    await thread.close();
  });
});
