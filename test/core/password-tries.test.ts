import { expect } from 'chai';
import { openMemoryRateLimits } from '../../src/adapters/memory/rate-limits.ts';
import { CommandRefused } from '../../src/core/executor.ts';
import { TooBusy } from '../../src/core/gate.ts';
import { createPasswordTries, type PasswordTries } from '../../src/core/password-tries.ts';
import type { Vault } from '../../src/ports/vault.ts';
import { openTestVault } from '../support/test-vault.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

describe('tries of passwords', () => {
  let clock: VirtualClock;
  let vault: Vault;
  let tries: PasswordTries;
  /** As after a restart: what was counted is gone. */
  const open = async () => {
    tries = createPasswordTries({ vault, clock, rateLimits: await openMemoryRateLimits({ clock }) });
  };
  beforeEach(async () => {
    clock = createVirtualClock();
    vault = await openTestVault(clock);
    await open();
  });
  afterEach(() => vault.close());

  type Outcome = 'right' | 'wrong' | { readonly waitSeconds: number | undefined };
  async function attempt(account: string, network: string, isRight: boolean): Promise<Outcome> {
    try {
      return (await tries.attempt({ account, network }, async () => isRight)) ? 'right' : 'wrong';
    } catch (error) {
      if (!(error instanceof CommandRefused)) throw error;
      const { refused, retryAfterSeconds, details } = error.refusal;
      expect([refused, details]).to.deep.equal(['RateLimited', []]);
      return { waitSeconds: retryAfterSeconds };
    }
  }
  const wrong = (account: string, network: string) => attempt(account, network, false);
  const right = (account: string, network: string) => attempt(account, network, true);
  /** How many wrong passwords are looked at before one is refused. */
  async function looked(account: string, network: string): Promise<number> {
    for (let number = 0; ; number += 1) if ((await wrong(account, network)) !== 'wrong') return number;
  }

  it('of one account from one network: five in a minute, ten in a quarter, twenty in two hours', async () => {
    expect(await looked('ada', 'home')).to.equal(5);
    expect(await right('ada', 'home'), 'even the right one').to.deep.equal({ waitSeconds: 60 });
    await clock.advance(minute - 1);
    expect(await wrong('ada', 'home')).to.deep.equal({ waitSeconds: 1 });
    await clock.advance(1);
    expect(await looked('ada', 'home')).to.equal(5);
    expect(await wrong('ada', 'home')).to.deep.equal({ waitSeconds: 14 * 60 });
    await clock.advance(14 * minute);
    expect(await looked('ada', 'home')).to.equal(5);
    await clock.advance(minute);
    expect(await looked('ada', 'home')).to.equal(5);
    expect(await wrong('ada', 'home')).to.deep.equal({ waitSeconds: (2 * 60 - 16) * 60 });
    await clock.advance(2 * hour - 16 * minute);
    expect(await right('ada', 'home')).to.equal('right');
  });

  it('do not count when they are right', async () => {
    for (let round = 0; round < 30; round += 1) expect(await right('ada', 'home')).to.equal('right');
    expect(await looked('ada', 'home')).to.equal(5);
  });

  it('of one account from everywhere: twenty in a quarter, a hundred a day, whoever guesses from how many places', async () => {
    let guesses = 0;
    let network = 0;
    for (let quarter = 0; quarter < 4 * 24; quarter += 1) {
      if (quarter > 0) await clock.advance(15 * minute);
      for (let more = 0; more < 30; more += 1)
        if ((await wrong('ada', `botnet ${(network += 1)}`)) === 'wrong') guesses += 1;
    }
    expect(guesses).to.equal(100);
    expect(await wrong('bob', 'botnet 1'), 'nobody else waits for it').to.equal('wrong');
  });

  it('lock nobody out where the account is known, whatever others do elsewhere, and over a restart', async () => {
    expect(await right('ada', 'home')).to.equal('right');
    await open();
    for (let network = 0; network < 200; network += 1) await wrong('ada', `botnet ${network}`);
    expect(await right('ada', 'café')).to.have.property('waitSeconds');
    expect(await right('ada', 'home')).to.equal('right');
  });

  it('from one network for many accounts: twenty in a quarter, two hundred a day; those who are known there go on', async () => {
    expect(await right('ada', 'office')).to.equal('right');
    let account = 0;
    const guessed = async () => {
      let guesses = 0;
      while ((await wrong(`account ${(account += 1)}`, 'office')) === 'wrong') guesses += 1;
      return guesses;
    };
    expect(await guessed()).to.equal(20);
    expect(await right('bob', 'office')).to.deep.equal({ waitSeconds: 15 * 60 });
    expect(await right('ada', 'office')).to.equal('right');
    expect(await right('bob', 'home')).to.equal('right');
    let all = 20;
    for (let quarter = 1; quarter < 4 * 24; quarter += 1) {
      await clock.advance(15 * minute);
      all += await guessed();
    }
    expect(all).to.equal(200);
  });

  it('are no different for an account that is not there: nobody asks whether it is', async () => {
    expect(await looked('nobody', 'home')).to.equal(await looked('ada', 'home'));
  });

  it('forget a network where nobody logged in for thirty days, and not one where somebody does', async () => {
    const isKnown = async () => (await vault.names('known-network', 'ada.')).length === 1;
    await right('ada', 'home');
    await clock.advance(29 * day);
    await right('ada', 'home');
    await clock.advance(29 * day);
    expect(await isKnown()).to.equal(true);
    await clock.advance(day);
    expect(await isKnown()).to.equal(false);
    expect((await vault.names('known-network')).join()).not.to.include('home');
  });

  it('write down a known network once a day at most', async () => {
    let writes = 0;
    const counting: Vault = {
      ...vault,
      put: (...put) => {
        writes += 1;
        return vault.put(...put);
      },
    };
    const rateLimits = await openMemoryRateLimits({ clock });
    tries = createPasswordTries({ vault: counting, clock, rateLimits });
    for (let round = 0; round < 5; round += 1) await right('ada', 'home');
    expect(writes).to.equal(1);
    await clock.advance(day);
    for (let round = 0; round < 5; round += 1) await right('ada', 'home');
    expect(writes).to.equal(2);
  });

  it('are looked at exactly five times when fifty come at once, and never more than two at a time', async () => {
    let looking = 0;
    let most = 0;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, () =>
        tries.attempt({ account: 'ada', network: 'home' }, async () => {
          most = Math.max(most, (looking += 1));
          await new Promise((resolve) => setImmediate(resolve));
          looking -= 1;
          return false;
        }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).to.have.length(5);
    expect(most).to.equal(2);
  });

  it('let all of fifty through that are right, at once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => right('ada', 'home')));
    expect(new Set(outcomes)).to.deep.equal(new Set(['right']));
    expect(await looked('ada', 'home'), 'and count none').to.equal(5);
  });

  it('do not count when nobody could look, and tell who comes when the queue is full to come back', async () => {
    for (let round = 0; round < 10; round += 1) {
      const failed = tries.attempt({ account: 'ada', network: 'home' }, async () => {
        throw new TooBusy('of the test');
      });
      expect(await failed.catch((error: unknown) => error)).to.be.instanceOf(TooBusy);
    }
    expect(await looked('eve', 'home')).to.equal(5);
    const end = Promise.withResolvers<boolean>();
    const waiting = Array.from({ length: 110 }, (_, number) =>
      tries.attempt({ account: `account ${number}`, network: `network ${number}` }, () => end.promise),
    );
    const outcomes = Promise.allSettled(waiting);
    // Whoever has tried too often takes no place in the queue: the answer is another one than to the others.
    expect(await right('eve', 'home')).to.have.property('waitSeconds', 60);
    end.resolve(true);
    const busy = (await outcomes).filter((outcome) => outcome.status === 'rejected');
    expect(busy).to.have.length(8);
    for (const { reason } of busy) expect(reason).to.be.instanceOf(TooBusy);
    expect(await looked('ada', 'home')).to.equal(5);
  });
});
