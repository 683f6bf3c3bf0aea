import { expect } from 'chai';
import { TooBusy } from '../../src/core/gate.ts';
import { createPasswords, Password } from '../../src/core/passwords.ts';

describe('passwords', () => {
  const passwords = createPasswords();

  it('are hashed with argon2id, salted, at no less than 19 MiB and 2 passes', async () => {
    const [one, two] = await Promise.all([passwords.hash('correct horse'), passwords.hash('correct horse')]);
    expect(one).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(one).not.to.equal(two);
  });

  it('are recognised, and nothing else is', async () => {
    const hash = await passwords.hash('correct horse');
    expect(await passwords.verify('correct horse', hash)).to.be.true;
    for (const wrong of ['correct horsE', 'correct horse ', '', '\u0000', 'correct']) {
      expect(await passwords.verify(wrong, hash), wrong).to.be.false;
    }
  });

  it('are recognised however their characters are composed', async () => {
    const hash = await passwords.hash('gru\u0308n ist gru\u0308n');
    expect(await passwords.verify('gr\u00fcn ist gr\u00fcn', hash)).to.be.true;
  });

  it('are verified by the cost that they were hashed with', async () => {
    const cheap =
      '$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$' + Buffer.alloc(32).toString('base64').replace('=', '');
    expect(await passwords.verify('anything', cheap)).to.be.false;
  });

  it('are never those of nobody', async () => {
    expect(await passwords.verify('', null)).to.be.false;
    expect(await passwords.verify('correct horse', null)).to.be.false;
  });

  it('are hashed a bounded number at a time; more are told to come back', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 110 }, () =>
        passwords.verify('x', '$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAAAAA'),
      ),
    );
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).to.have.length(8);
    for (const { reason } of refused) expect(reason).to.be.instanceOf(TooBusy);
  });

  it('leave the event loop free while they are hashed', async () => {
    let turns = 0;
    let isHashing = true;
    const turn = (): void => {
      turns += 1;
      if (isHashing) setImmediate(turn);
    };
    setImmediate(turn);
    await Promise.all(Array.from({ length: 4 }, () => passwords.hash('correct horse')));
    isHashing = false;
    // Done in this thread, each would let the loop turn once.
    expect(turns).to.be.above(50);
  });

  it('have 8 to 256 characters and no other rule', () => {
    for (const good of ['12345678', 'aaaaaaaa', ' '.repeat(8), '🦊'.repeat(256), 'x'.repeat(256)]) {
      expect(Password.safeParse(good).success, good).to.be.true;
    }
    for (const bad of ['', '1234567', '🦊'.repeat(7), 'x'.repeat(257)]) {
      expect(Password.safeParse(bad).success, bad).to.be.false;
    }
  });
});
