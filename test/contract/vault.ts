/** What every {@link Vault} owes. An adapter's test calls {@link describeVault} with a way to open one. */
import { expect } from 'chai';
import fc from 'fast-check';
import { SealBroken } from '../../src/ports/vault.ts';
import type { Vault, VaultKey } from '../../src/ports/vault.ts';
import { rejection } from '../support/rejection.ts';

/** One place where a vault keeps its records, under one master key; opened again, it holds what it held. */
export interface VaultPlace {
  open(clock: { now(): number }): Promise<Vault>;
  remove(): Promise<void>;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const start = Date.UTC(2026, 0, 1);

export function describeVault(name: string, newPlace: () => Promise<VaultPlace>): void {
  describe(`Vault contract: ${name}`, () => {
    let place: VaultPlace;
    let vault: Vault;
    let now: number;
    const clock = { now: () => now };
    const later = (seconds: number) => new Date(now + seconds * 1000);
    async function reopen() {
      await vault.close();
      vault = await place.open(clock);
    }

    beforeEach(async () => {
      now = start;
      place = await newPlace();
      vault = await place.open(clock);
    });
    afterEach(async () => {
      await vault.close();
      await place.remove();
    });

    describe('records', () => {
      const key: VaultKey = { kind: 'password', name: 'usr_1' };

      it('gives back what was put, also after it was opened again', async () => {
        await vault.put(key, bytes('first'));
        await vault.put(key, bytes('second'));
        await reopen();
        expect(Buffer.from((await vault.get(key))!).toString()).to.equal('second');
      });

      it('keeps any bytes under any kind and name', async () => {
        const name = fc.string({ minLength: 1, maxLength: 50, unit: 'binary' });
        const property = fc.asyncProperty(
          name,
          name,
          fc.uint8Array({ maxLength: 5000 }),
          async (k, n, value) => {
            await vault.put({ kind: k, name: n }, value);
            expect(Buffer.from((await vault.get({ kind: k, name: n }))!).equals(value)).to.be.true;
          },
        );
        await fc.assert(property, { numRuns: 20 });
      });

      it('tells kinds and names apart', async () => {
        await vault.put({ kind: 'a', name: 'bc' }, bytes('1'));
        expect(await vault.get({ kind: 'ab', name: 'c' })).to.be.null;
        expect(await vault.get({ kind: 'a', name: 'b' })).to.be.null;
        expect(await vault.get({ kind: 'b', name: 'bc' })).to.be.null;
      });

      it('stores only where nothing is, and lets one of many that race win', async () => {
        const stored = await Promise.all(
          Array.from({ length: 20 }, (_, index) => vault.putIfAbsent(key, bytes(String(index)))),
        );
        expect(stored.filter(Boolean)).to.have.length(1);
        const winner = String(stored.indexOf(true));
        expect(Buffer.from((await vault.get(key))!).toString()).to.equal(winner);
      });

      it('deletes, and says whether there was something', async () => {
        await vault.put(key, bytes('value'));
        expect(await vault.delete(key)).to.be.true;
        expect(await vault.get(key)).to.be.null;
        expect(await vault.delete(key)).to.be.false;
      });

      it('lists the names of a kind in order, by prefix, taken literally', async () => {
        for (const name of ['b', 'a_2', 'ab1', 'a_1', 'a%'])
          await vault.put({ kind: 'secret', name }, bytes('x'));
        await vault.put({ kind: 'other', name: 'a_3' }, bytes('x'));
        expect(await vault.names('secret')).to.deep.equal(['a%', 'a_1', 'a_2', 'ab1', 'b']);
        expect(await vault.names('secret', 'a_')).to.deep.equal(['a_1', 'a_2']);
        expect(await vault.names('nothing')).to.deep.equal([]);
      });

      it('lets what has expired be gone for every question', async () => {
        await vault.put(key, bytes('old'), { expiresAt: later(60) });
        now += 59_999;
        expect(await vault.get(key)).not.to.be.null;
        expect(await vault.putIfAbsent(key, bytes('new'))).to.be.false;
        now += 1;
        expect(await vault.get(key)).to.be.null;
        expect(await vault.names(key.kind)).to.deep.equal([]);
        expect(await vault.delete(key)).to.be.false;
        expect(await vault.putIfAbsent(key, bytes('new'))).to.be.true;
        expect(Buffer.from((await vault.get(key))!).toString()).to.equal('new');
      });

      it('forgets an expiry when a value without one replaces it', async () => {
        await vault.put(key, bytes('old'), { expiresAt: later(1) });
        await vault.put(key, bytes('new'));
        now += 10_000;
        expect(await vault.get(key)).not.to.be.null;
      });

      it('purges what has expired and nothing else', async () => {
        await vault.put({ kind: 'session', name: '1' }, bytes('x'), { expiresAt: later(1) });
        await vault.put({ kind: 'session', name: '2' }, bytes('x'), { expiresAt: later(10) });
        await vault.put({ kind: 'session', name: '3' }, bytes('x'));
        now += 1000;
        expect(await vault.purge()).to.equal(1);
        expect(await vault.purge()).to.equal(0);
        expect(await vault.names('session')).to.deep.equal(['2', '3']);
      });
    });

    describe('personal data', () => {
      it('opens what was sealed for the subject, also after it was opened again', async () => {
        const sealed = await vault.sealFor('usr_1', 'ada@example.com');
        expect(sealed).to.match(/^sealed:v1:[A-Za-z0-9_-]+$/);
        expect(await vault.openFor('usr_1', sealed)).to.equal('ada@example.com');
        await reopen();
        expect(await vault.openFor('usr_1', sealed)).to.equal('ada@example.com');
      });

      it('opens any text', async () => {
        const property = fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 300 }), async (text) => {
          expect(await vault.openFor('usr_1', await vault.sealFor('usr_1', text))).to.equal(text);
        });
        await fc.assert(property, { numRuns: 100 });
      });

      it('seals the same text differently every time', async () => {
        expect(await vault.sealFor('usr_1', 'x')).not.to.equal(await vault.sealFor('usr_1', 'x'));
      });

      it('mints one key for a subject that many seal for at once', async () => {
        const sealed = await Promise.all(
          Array.from({ length: 20 }, (_, i) => vault.sealFor('usr_1', String(i))),
        );
        const opened = await Promise.all(sealed.map((text) => vault.openFor('usr_1', text)));
        expect(opened).to.deep.equal(sealed.map((_, i) => String(i)));
      });

      it("refuses another subject's text", async () => {
        const sealed = await vault.sealFor('usr_1', 'secret');
        await vault.sealFor('usr_2', 'secret');
        expect(await rejection(vault.openFor('usr_2', sealed))).to.be.instanceOf(SealBroken);
      });

      it('refuses a text with any character changed', async () => {
        const sealed = await vault.sealFor('usr_1', 'a secret of some length');
        const place = fc.nat({ max: sealed.length - 1 });
        const other = fc.constantFrom('A', 'B', 'Q', 'w', '0', '8', '-', '_', '=', '!');
        const property = fc.asyncProperty(place, other, async (index, character) => {
          fc.pre(sealed[index] !== character);
          const damaged = sealed.slice(0, index) + character + sealed.slice(index + 1);
          expect(await rejection(vault.openFor('usr_1', damaged))).to.be.instanceOf(SealBroken);
        });
        await fc.assert(property, { numRuns: 200 });
      });

      it('refuses what is no sealed text', async () => {
        await vault.sealFor('usr_1', 'x');
        for (const text of [
          '',
          'ada@example.com',
          'sealed:v1:',
          'sealed:v1:AAAA',
          'sealed:v2:AAAAAAAAAAAA',
        ]) {
          expect(await rejection(vault.openFor('usr_1', text)), text).to.be.instanceOf(SealBroken);
        }
      });

      it('opens nothing of a forgotten subject any more, and everything of the others', async () => {
        const forgotten = await vault.sealFor('usr_1', 'one');
        const kept = await vault.sealFor('usr_2', 'two');
        await vault.forget('usr_1');
        expect(await vault.openFor('usr_1', forgotten)).to.be.null;
        await reopen();
        expect(await vault.openFor('usr_1', forgotten)).to.be.null;
        expect(await vault.openFor('usr_2', kept)).to.equal('two');
      });

      it('seals anew for a forgotten subject without bringing back what it forgot', async () => {
        const forgotten = await vault.sealFor('usr_1', 'before');
        await vault.forget('usr_1');
        await vault.forget('usr_1');
        const fresh = await vault.sealFor('usr_1', 'after');
        expect(await vault.openFor('usr_1', fresh)).to.equal('after');
        expect(await vault.openFor('usr_1', forgotten)).to.be.null;
      });

      it('takes the forgetting of an unknown subject', async () => {
        await vault.forget('usr_unknown');
      });
    });

    describe('fingerprints', () => {
      it('are the same for the same value, and differ by value and purpose', async () => {
        const print = await vault.fingerprint('email', 'ada@example.com');
        expect(print).to.match(/^[0-9a-f]{64}$/);
        await reopen();
        expect(await vault.fingerprint('email', 'ada@example.com')).to.equal(print);
        expect(await vault.fingerprint('email', 'eve@example.com')).not.to.equal(print);
        expect(await vault.fingerprint('other', 'ada@example.com')).not.to.equal(print);
      });
    });

    it('finishes what was asked of it when it is closed, twice at once', async () => {
      const written = Array.from({ length: 50 }, (_, index) =>
        vault.put({ kind: 'k', name: String(index) }, bytes('x')),
      );
      await Promise.all([...written, vault.close(), vault.close()]);
      vault = await place.open(clock);
      expect(await vault.names('k')).to.have.length(50);
    });

    it('refuses work once it is closed', async () => {
      await vault.close();
      expect(await rejection(vault.get({ kind: 'k', name: 'n' }))).to.have.property(
        'name',
        'StoreUnavailable',
      );
      expect(await rejection(vault.put({ kind: 'k', name: 'n' }, bytes('x')))).to.have.property(
        'name',
        'StoreUnavailable',
      );
    });
  });
}
