/** What every {@link SealedVault} owes: that what one vault has sealed, another opens. */
import { expect } from 'chai';
import type { SealedItem, SealedVault } from '../../src/ports/sealed-vault.ts';
import type { Vault } from '../../src/ports/vault.ts';

/** One place of a vault, under the one master key of all places of a suite. Of the two, one is open at a time. */
export interface SealedVaultPlace {
  open(clock: { now(): number }): Promise<Vault>;
  openSealed(): Promise<SealedVault>;
  remove(): Promise<void>;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const start = Date.UTC(2026, 0, 1);

export function describeSealedVault(
  name: string,
  /** All under the same master key. */
  newPlace: () => Promise<SealedVaultPlace>,
): void {
  describe(`SealedVault contract: ${name}`, () => {
    let from: SealedVaultPlace;
    let to: SealedVaultPlace;
    let now: number;
    const clock = { now: () => now };
    beforeEach(async () => {
      now = start;
      [from, to] = [await newPlace(), await newPlace()];
    });
    afterEach(async () => {
      await from.remove();
      await to.remove();
    });

    async function using<T extends { close(): Promise<void> }, R>(
      opened: Promise<T>,
      work: (one: T) => Promise<R>,
    ): Promise<R> {
      const one = await opened;
      try {
        return await work(one);
      } finally {
        await one.close();
      }
    }
    async function itemsOf(place: SealedVaultPlace): Promise<readonly SealedItem[]> {
      const pages = await using(place.openSealed(), (sealed) => Array.fromAsync(sealed.read()));
      for (const page of pages) expect(page.length).to.be.within(1, 1_000);
      return pages
        .flat()
        .map((item) => ({ item, text: textOf(item) }))
        .sort((a, b) => (a.text < b.text ? -1 : 1))
        .map(({ item }) => item);
    }
    function textOf(item: SealedItem): string {
      const members = { ...item, sealed: item.sealed && Buffer.from(item.sealed).toString('hex') };
      return JSON.stringify(Object.entries(members).sort());
    }
    async function move(): Promise<void> {
      await using(from.openSealed(), (source) =>
        using(to.openSealed(), async (target) => {
          await target.clear();
          for await (const items of source.read()) await target.write(items);
        }),
      );
    }

    it('moves everything: another vault opens it under the same master key', async () => {
      const texts = await using(from.open(clock), async (vault) => {
        await vault.put({ kind: 'password', name: 'usr_1' }, bytes('a hash'));
        await vault.put({ kind: 'session', name: 'été\u{1F600}' }, bytes('soon over'), {
          expiresAt: new Date(start + 1_000),
        });
        await vault.put({ kind: 'empty', name: '' }, bytes(''));
        const forgotten = await vault.sealFor('usr_2', 'gone');
        await vault.forget('usr_2');
        return { kept: await vault.sealFor('usr_1', 'ada@example.com'), forgotten };
      });
      const print = await using(from.open(clock), (vault) => vault.fingerprint('email', 'x'));
      await move();
      expect((await itemsOf(to)).map(textOf)).to.deep.equal((await itemsOf(from)).map(textOf));
      await using(to.open(clock), async (vault) => {
        expect(await vault.get({ kind: 'password', name: 'usr_1' })).to.deep.equal(Buffer.from('a hash'));
        expect(await vault.get({ kind: 'empty', name: '' })).to.have.length(0);
        expect(await vault.openFor('usr_1', texts.kept)).to.equal('ada@example.com');
        expect(await vault.openFor('usr_2', texts.forgotten)).to.equal(null);
        expect(await vault.fingerprint('email', 'x')).to.equal(print);
        const session = { kind: 'session', name: 'été\u{1F600}' };
        expect(await vault.get(session)).not.to.equal(null);
        now += 1_000;
        expect(await vault.get(session)).to.equal(null);
      });
    });

    it('shows nothing that was put in', async () => {
      await using(from.open(clock), async (vault) => {
        await vault.put({ kind: 'secret', name: 'one' }, bytes('a secret that nobody may read'));
        await vault.sealFor('usr_1', 'ada@example.com');
      });
      const items = await itemsOf(from);
      expect(items.map(({ kind }) => kind).sort()).to.deep.equal(['key-check', 'personal-key', 'record']);
      for (const { sealed } of items)
        expect(Buffer.from(sealed!).toString('latin1')).not.to.include('secret');
    });

    it('tells each of many once, a bounded number at a time', async () => {
      await using(from.open(clock), async (vault) => {
        await Promise.all(
          Array.from({ length: 1_300 }, (_, n) => vault.put({ kind: `k${n % 3}`, name: `${n}` }, bytes('x'))),
        );
        await Promise.all(Array.from({ length: 600 }, (_, n) => vault.sealFor(`usr_${n}`, 'x')));
      });
      await move();
      const items = (await itemsOf(to)).map(textOf);
      expect(items).to.have.length(1_901);
      expect(items).to.deep.equal((await itemsOf(from)).map(textOf));
    }).timeout(30_000);

    it('is empty once it was cleared, and takes the same again', async () => {
      await using(from.open(clock), (vault) => vault.put({ kind: 'a', name: 'b' }, bytes('c')));
      await using(to.open(clock), async (vault) => {
        await vault.put({ kind: 'left', name: 'over' }, bytes('from before'));
        await vault.sealFor('usr_9', 'from before');
      });
      await move();
      await move();
      expect((await itemsOf(to)).map(textOf)).to.deep.equal((await itemsOf(from)).map(textOf));
      await using(to.openSealed(), (sealed) => sealed.clear());
      expect(await itemsOf(to)).to.deep.equal([]);
    });

    it('replaces what is there under the same name', async () => {
      const record = { kind: 'record', key: { kind: 'a', name: 'b' }, expiresAt: null } as const;
      const first: SealedItem = { ...record, sealed: bytes('1') };
      const second: SealedItem = { ...record, sealed: bytes('2'), expiresAt: start };
      await using(to.openSealed(), async (sealed) => {
        await sealed.write([first]);
        await sealed.write([second]);
      });
      expect((await itemsOf(to)).map(textOf)).to.deep.equal([textOf(second)]);
    });
  });
}
