/** Asks a running server what it was not made for, and holds what it does to {@link expectWellBehaved}. */
import { expect } from 'chai';
import fc from 'fast-check';
import { describedBy } from '../../support/api-description.ts';
import { createClient } from '../../support/http.ts';
import { arbitraryRequest, resolved, type Asked, type Fuzzing } from './arbitrary-requests.ts';
import { arbitraryGarbled, garbledBytes, type Garbled } from './garbled-requests.ts';
import { expectWellBehaved } from './well-behaved.ts';
import { bytesOf, conversation, isCut, isOwed, repliesIn } from './wire.ts';

export interface Fuzzed extends Fuzzing {
  readonly url: string;
  /** Text of the server's own description. */
  readonly document: string;
  /** Lines of the log at level error and above. */
  readonly faults: readonly string[];
  /** Takes the statuses of all answers. */
  readonly seen: Set<number>;
}

const shown = (asked: unknown): string => fc.stringify(asked).slice(0, 3_000);

/** Requests that HTTP allows, to the operations of the document. What is answered must be described, too. */
export function soundRequests(fuzzed: Fuzzed): fc.IAsyncProperty<[Asked]> {
  const check = describedBy(fuzzed.document);
  return fc.asyncProperty(arbitraryRequest(fuzzed), async (asked) => {
    const request = resolved(asked, fuzzed);
    const bytes = bytesOf(request);
    const owed = isOwed(request);
    const heard = await conversation(fuzzed.url, bytes, isCut(request) ? 'hang up' : 'wait');
    const replies = repliesIn(heard, request.method);
    if (owed) expect(replies, shown(asked)).to.have.length(1);
    for (const reply of replies) {
      fuzzed.seen.add(reply.status);
      expectWellBehaved(reply, shown(asked));
      if (owed && reply.status !== 431) check(request.method, request.target, {}, reply);
    }
    expect(fuzzed.faults, shown(asked)).to.deep.equal([]);
  });
}

/** What HTTP does not allow: several at once, since a server may wait for the rest of one. */
export function unsoundBytes(fuzzed: Fuzzed): fc.IAsyncProperty<[Garbled[]]> {
  const several = fc.array(arbitraryGarbled(fuzzed), { minLength: 8, maxLength: 8 });
  return fc.asyncProperty(several, async (all) => {
    await Promise.all(
      all.map(async (garbled) => {
        const { request, edits } = garbled;
        const bytes = garbledBytes(bytesOf(resolved(request, fuzzed)), edits);
        const heard = await conversation(fuzzed.url, bytes, 'hang up soon');
        for (const reply of repliesIn(heard, request.method)) expectWellBehaved(reply, shown(garbled));
      }),
    );
    expect(fuzzed.faults).to.deep.equal([]);
    expect((await createClient(fuzzed.url).call('GET', '/health')).status).to.equal(200);
  });
}
