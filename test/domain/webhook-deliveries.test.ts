import { expect } from 'chai';
import fc from 'fast-check';
import {
  deliveriesKeptSeconds,
  deliverableMs,
  DeliveryId,
  giveUp,
  mostAttempts,
  receiverHealth,
  recordAttempt,
  restMs,
  retryInMs,
  webhookDeliveries,
  type AttemptResult,
  type ReceiverHealth,
} from '../../src/domain/webhook-deliveries.ts';

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.parse('2030-01-01T00:00:00.000Z');
const jitters = fc.double({ min: 0, max: 1, noNaN: true });
const statuses = fc.oneof(fc.integer({ min: 100, max: 599 }), fc.constant(null));
const resultOf = (status: number | null): AttemptResult =>
  status === null ? { status, error: 'No connection came about' } : { status };

const made = (more: Partial<Parameters<typeof recordAttempt>[1]> = {}) => ({
  ...{
    deliveryId: DeliveryId.parse('evt_1'),
    attempt: 1,
    activation: 1,
    durationMs: 5,
    now: start,
    jitter: 0.5,
  },
  result: resultOf(500),
  ...more,
});
/** Attempts with these statuses, one a minute. */
function after(...all: readonly (number | null)[]): ReceiverHealth {
  return all.reduce<ReceiverHealth>((state, status, index) => {
    const [event] = recordAttempt(state, made({ result: resultOf(status), now: start + index * 60_000 }));
    return event ? webhookDeliveries.evolve(state, event) : state;
  }, webhookDeliveries.initial);
}
const attempted = (state: ReceiverHealth, more: Parameters<typeof made>[0]) => {
  const [event] = recordAttempt(state, made(more));
  if (event?.type !== 'WebhookAttempted') throw new Error('nothing was recorded');
  return event.data;
};

describe('retries of a delivery', () => {
  it('come later each time, and end after about a day, whatever chance says', () => {
    fc.assert(
      fc.property(fc.array(jitters, { minLength: mostAttempts, maxLength: mostAttempts }), (chance) => {
        const delays = chance.map((jitter, index) => retryInMs(index + 1, jitter));
        expect(delays.at(-1)).to.equal(null);
        const waits = delays.slice(0, -1).map((delay) => delay ?? 0);
        for (const [index, wait] of waits.entries()) {
          expect(wait).to.be.at.least(8_000);
          if (index > 0 && index < 8) expect(wait).to.be.above(waits[index - 1] ?? 0);
        }
        const whole = waits.reduce((sum, wait) => sum + wait, 0);
        expect(whole).to.be.within(20 * hour, 31 * hour);
      }),
    );
    const middle = Array.from({ length: 10 }, (_, index) => retryInMs(index + 1, 0.5) ?? 0);
    expect(middle.slice(0, 4)).to.deep.equal([10_000, 30_000, 90_000, 270_000]);
    expect(middle.reduce((sum, wait) => sum + wait, 0) / hour).to.be.closeTo(25.1, 0.1);
  });

  it('end before what is known of them is forgotten', () => {
    expect(deliverableMs + 31 * hour).to.be.below(deliveriesKeptSeconds * 1_000);
  });
});

describe('an attempt', () => {
  it('delivers with any 2xx, and with nothing else', () => {
    fc.assert(
      fc.property(
        statuses,
        fc.integer({ min: 1, max: mostAttempts - 1 }),
        jitters,
        (status, attempt, jitter) => {
          const data = attempted(webhookDeliveries.initial, { result: resultOf(status), attempt, jitter });
          const delivered = status !== null && status >= 200 && status <= 299;
          expect(data.outcome).to.equal(delivered ? 'delivered' : 'failed');
          expect(data.error === null).to.equal(delivered);
          expect(data.nextAttemptAt === null).to.equal(delivered || status === 410);
        },
      ),
    );
  });

  it('says why it failed, and of a redirect that nobody follows it', () => {
    const error = (status: number | null) =>
      attempted(webhookDeliveries.initial, { result: resultOf(status) }).error;
    expect(error(500)).to.equal('Answered 500');
    expect(error(307)).to.equal('Answered 307; redirects are not followed');
    expect(error(null)).to.equal('No connection came about');
  });

  it('comes again when the receiver asked for it, at most an hour later and never earlier than else', () => {
    const next = (status: number, retryAfterMs: number) =>
      Date.parse(
        attempted(webhookDeliveries.initial, { result: { status, retryAfterMs } }).nextAttemptAt ?? '',
      ) - start;
    for (const status of [429, 503]) {
      expect(next(status, 120_000)).to.equal(120_000);
      expect(next(status, 0)).to.equal(10_000);
      expect(next(status, 1e12)).to.equal(hour);
      expect(next(status, Infinity)).to.equal(hour);
    }
    expect(next(500, 120_000)).to.equal(10_000);
    const last = { attempt: mostAttempts, result: { status: 503, retryAfterMs: 1_000 } };
    expect(attempted(webhookDeliveries.initial, last).nextAttemptAt).to.equal(null);
  });

  it('is the last after eleven', () => {
    expect(attempted(webhookDeliveries.initial, { attempt: mostAttempts }).nextAttemptAt).to.equal(null);
    const tenth = attempted(webhookDeliveries.initial, { attempt: mostAttempts - 1 });
    expect(tenth.nextAttemptAt).to.equal(new Date(start + 8 * hour).toISOString());
  });
});

describe('a receiver', () => {
  it('is let rest from its fifth failure in a row, longer each time, at most ten minutes', () => {
    expect([1, 4].map((failures) => restMs(failures, 0.5))).to.deep.equal([null, null]);
    expect([5, 6, 7].map((failures) => restMs(failures, 0.5))).to.deep.equal([10_000, 20_000, 40_000]);
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 1e9 }), jitters, (failures, jitter) => {
        expect(restMs(failures, jitter)).to.be.within(8_000, 720_000);
      }),
    );
    expect(attempted(after(500, 500, 500), {}).restUntil).to.equal(null);
    expect(attempted(after(500, 500, 500, 500), {}).restUntil).to.equal(
      new Date(start + 10_000).toISOString(),
    );
  });

  it('is sent nothing while it asked for that, whatever else was under way', () => {
    const ask = { status: 429, retryAfterMs: 60_000 };
    const fold = (...results: readonly AttemptResult[]) =>
      results.reduce<ReceiverHealth>((state, result, index) => {
        const [event] = recordAttempt(state, made({ result, now: start + index * 1_000 }));
        return event ? webhookDeliveries.evolve(state, event) : state;
      }, webhookDeliveries.initial);
    const until = new Date(start + 60_000).toISOString();
    expect(fold(ask)).to.include({ failures: 1, restUntil: until });
    expect(fold(ask, { status: 200 })).to.include({ failures: 0, restUntil: until });
    expect(fold(ask, { status: 500 }, { ...ask, retryAfterMs: 1_000 })).to.include({
      failures: 3,
      restUntil: until,
    });
    expect(fold(ask, { status: 410 })).to.include({ gone: true, restUntil: null });
    const [later] = recordAttempt(fold(ask), made({ result: { status: 204 }, now: start + 60_000 }));
    expect(later?.type === 'WebhookAttempted' && later.data.restUntil).to.equal(null);
    expect(receiverHealth(fold(ask), { activation: 2 }).restUntil).to.equal(null);
  });

  it('is well again with one success', () => {
    const failing = after(500, null, 302);
    expect(failing).to.include({ failures: 3, failingSince: new Date(start).toISOString(), gone: false });
    expect(after(500, null, 302, 204)).to.deep.equal({ ...webhookDeliveries.initial, activation: 1 });
  });

  it('is given up when it says that it is gone, at once', () => {
    expect(giveUp(after(200, 410), start)).to.deep.equal({
      cause: 'gone',
      reason: 'The receiver answered 410 Gone',
    });
    // Others were under way.
    expect(giveUp(after(410, 500), start)).to.include({ cause: 'gone' });
    expect(giveUp(after(410, 200), start)).to.equal(null);
  });

  it('is given up after five days without any success, in ten attempts at least', () => {
    const ten = after(...Array.from({ length: 10 }, () => 500));
    expect(giveUp(ten, start + 5 * day - 1)).to.equal(null);
    expect(giveUp(ten, start + 5 * day)).to.include({ cause: 'failing' });
    const nine = after(...Array.from({ length: 9 }, () => 500));
    expect(giveUp(nine, start + 50 * day)).to.equal(null);
    expect(giveUp(webhookDeliveries.initial, start + 50 * day)).to.equal(null);
  });

  it('begins anew when its webhook is switched on again, whatever was still under way', () => {
    const before = after(410);
    expect(giveUp(receiverHealth(before, { activation: 2 }), start)).to.equal(null);
    const [fresh] = recordAttempt(before, made({ activation: 2 }));
    const now = fresh ? webhookDeliveries.evolve(before, fresh) : before;
    expect(now).to.include({ activation: 2, failures: 1, gone: false });
    const [late] = recordAttempt(now, made({ activation: 1, result: { status: 410 } }));
    expect(late && webhookDeliveries.evolve(now, late)).to.deep.equal(now);
  });
});
