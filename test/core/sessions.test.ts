import { expect } from 'chai';
import { createSessions } from '../../src/core/sessions.ts';
import type { Sessions } from '../../src/core/sessions.ts';
import { UserId } from '../../src/domain/ids.ts';
import type { Vault } from '../../src/ports/vault.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { openTestVault } from '../support/test-vault.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

describe('sessions', () => {
  const ada = UserId.parse('usr_a');
  const adam = UserId.parse('usr_ab');
  let now: number;
  let vault: Vault;
  let sessions: Sessions;
  const clock = { now: () => now };
  const inAnHour = () => new Date(now + 3_600_000);

  beforeEach(async () => {
    now = Date.UTC(2026, 0, 1);
    vault = await openTestVault(clock);
    sessions = createSessions(vault, clock);
  });
  afterEach(() => vault.close());

  it('live from their opening to their end, also for a process that starts later', async () => {
    const session = await sessions.open(ada, inAnHour());
    expect(await sessions.isAlive(session)).to.be.true;
    expect(await createSessions(vault, clock).isAlive(session)).to.be.true;
    await sessions.end(session);
    expect(await sessions.isAlive(session)).to.be.false;
    expect(await createSessions(vault, clock).isAlive(session)).to.be.false;
  });

  it('that another process ends are dead at once, and told within a second', async () => {
    const time = createVirtualClock(now);
    const here = createSessions(vault, time, { isShared: true });
    const elsewhere = createSessions(vault, time, { isShared: true });
    const [session, other] = [await here.open(ada, inAnHour()), await here.open(ada, inAnHour())];
    expect(await elsewhere.isAlive(session)).to.be.true;
    const told: string[] = [];
    elsewhere.onEnd((sessionId) => told.push(sessionId));
    const stopping = new AbortController();
    const following = elsewhere.followOthers({
      ...{ clock: time, log: createRecordingLog(), signal: stopping.signal },
    });
    await here.end(session);
    expect(await elsewhere.isAlive(session)).to.be.false;
    // The vault answers when it does, and time passes only meanwhile.
    for (let turns = 0; told.length === 0 && turns < 1_000; turns += 1) await time.advance(10);
    await time.advance(3_000);
    expect(told).to.deep.equal([session.sessionId]);
    expect(await elsewhere.isAlive(other)).to.be.true;
    stopping.abort();
    await following;
  });

  it('end by themselves', async () => {
    const session = await sessions.open(ada, inAnHour());
    expect(await sessions.isAlive(session)).to.be.true;
    now += 3_600_000;
    expect(await sessions.isAlive(session)).to.be.false;
  });

  it('belong to their user, and only those that were opened live', async () => {
    const session = await sessions.open(ada, inAnHour());
    expect(await sessions.isAlive({ ...session, userId: adam })).to.be.false;
    expect(await sessions.isAlive({ userId: ada, sessionId: 'ses_guessed' })).to.be.false;
  });

  it('of one user end together, and those of nobody else', async () => {
    const own = [await sessions.open(ada, inAnHour()), await sessions.open(ada, inAnHour())];
    const other = await sessions.open(adam, inAnHour());
    for (const session of [...own, other]) expect(await sessions.isAlive(session)).to.be.true;
    await sessions.endAllOf(ada);
    for (const session of own) expect(await sessions.isAlive(session)).to.be.false;
    expect(await sessions.isAlive(other)).to.be.true;
  });

  it('are not remembered alive by a question that an ending overtook', async () => {
    const session = await sessions.open(ada, inAnHour());
    const reading = Promise.withResolvers<undefined>();
    const slow: Vault = {
      ...vault,
      get: async (key) => {
        const value = await vault.get(key);
        await reading.promise;
        return value;
      },
    };
    const slowSessions = createSessions(slow, clock);
    const asked = slowSessions.isAlive(session);
    await slowSessions.end(session);
    reading.resolve(undefined);
    await asked;
    expect(await slowSessions.isAlive(session)).to.be.false;
  });
});
