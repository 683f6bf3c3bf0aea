import { expect } from 'chai';
import { createHeadSender } from '../../../src/core/seals/head-sender.ts';
import type { Egress, EgressRequest } from '../../../src/ports/egress.ts';
import { EgressFailed } from '../../../src/ports/egress.ts';
import type { Position } from '../../../src/ports/event-store.ts';
import type { SignedHead } from '../../../src/ports/seals.ts';
import { createRecordingLog } from '../../support/recording-log.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';
import { testSigner } from './world.ts';

describe('the sender of signed heads', () => {
  let heads: readonly SignedHead[];
  before(async () => {
    const signer = await testSigner();
    heads = [1, 2, 3].map((size) =>
      signer.sign({
        log: 'l',
        size,
        root: 'a'.repeat(64),
        position: `l:${size}` as Position,
        at: '2030-01-01T00:00:00.000Z',
      }),
    );
  });

  function world(answer: (request: EgressRequest) => number) {
    const sent: EgressRequest[] = [];
    const egress: Pick<Egress, 'request'> = {
      request: async (request) => {
        sent.push(request);
        const status = answer(request);
        if (status === 0) throw new EgressFailed('Unreachable', 'nobody answers');
        return { status, body: new Uint8Array(), retryAfter: null };
      },
    };
    const clock = createVirtualClock();
    const log = createRecordingLog();
    const url = 'https://seals.example.com/heads';
    const sender = createHeadSender({ url, egress, clock, log });
    const sizes = (): number[] => sent.map(({ body = '' }) => (JSON.parse(body) as SignedHead).size);
    return { sender, clock, log, sent, sizes };
  }

  it('posts a head as it was signed', async () => {
    const { sender, clock, sent } = world(() => 204);
    const [head] = heads;
    if (!head) return expect.fail();
    sender.send(head);
    await clock.advance(0);
    expect(sent).to.have.length(1);
    expect(sent[0]).to.include({ method: 'POST', url: 'https://seals.example.com/heads' });
    expect(JSON.parse(sent[0]?.body ?? '')).to.deep.equal(head);
    await sender.stop();
  });

  it('tries again until it is taken, and then sends the newest alone', async () => {
    let status = 0;
    const { sender, clock, log, sizes } = world(() => status);
    for (const head of heads.slice(0, 2)) sender.send(head);
    await clock.advance(0);
    expect(sizes()).to.deep.equal([1]);
    await clock.advance(1_000);
    expect(sizes()).to.deep.equal([1, 2]);
    status = 500;
    await clock.advance(2_000);
    expect(sizes()).to.deep.equal([1, 2, 2]);
    expect(log.lines.filter(({ level }) => level === 'warn')).to.have.length(3);
    status = 200;
    for (const head of heads.slice(2)) sender.send(head);
    await clock.advance(60_000);
    expect(sizes()).to.deep.equal([1, 2, 2, 3]);
    await clock.advance(600_000);
    expect(sizes()).to.have.length(4);
    await sender.stop();
  });

  it('stops at once while it waits', async () => {
    const { sender, clock } = world(() => 503);
    for (const head of heads) sender.send(head);
    await clock.advance(0);
    await sender.stop();
    expect(clock.pending()).to.equal(0);
  });
});
