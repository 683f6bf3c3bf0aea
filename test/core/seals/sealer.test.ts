import { expect } from 'chai';
import { readFile, writeFile } from 'node:fs/promises';
import {
  ConsistencyProof,
  InclusionProof,
  NotAsSealed,
  NotSealed,
  objectionTo,
  objectionToContinuation,
} from '../../../src/core/seals/proof.ts';
import { createLeafMaker } from '../../../src/core/seals/leaf-maker.ts';
import { BrokenSeal, createSealer } from '../../../src/core/seals/sealer.ts';
import type { Signer } from '../../../src/core/seals/head.ts';
import type { NewEvent } from '../../../src/ports/event-store.ts';
import type { SignedHead } from '../../../src/ports/seals.ts';
import { event, events, failure } from '../../contract/event-store-given.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { until } from '../../support/until.ts';
import { filesIn, openSealing, type Sealing, tamper, testSigner, verifyFolder } from './world.ts';

describe('the sealer', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let signer: Signer;
  let sealing: Sealing;
  before(async () => {
    signer = await testSigner();
  });
  beforeEach(async () => {
    folder = await temporaryFolder();
    sealing = await openSealing(folder.path, signer);
  });
  afterEach(async () => {
    await sealing.close();
    await folder.remove();
  });

  const store = {
    append: (...args: Parameters<Sealing['store']['append']>) => sealing.store.append(...args),
  };
  const sealer = () => sealing.sealer;
  const heads = () => sealing.heads;
  const clock = () => sealing.clock;

  async function reopen(): Promise<void> {
    sealing = await openSealing(folder.path, signer);
  }

  const provenSince = async (size: number): Promise<ConsistencyProof> =>
    (await sealer().proveSince(size)) ?? expect.fail('no proof');

  const headCount = async (): Promise<number> => (await Array.fromAsync(heads().read())).length;

  it('signs a head every second in which something new came, and none else', async () => {
    await sealer().start();
    expect(await headCount()).to.equal(0);
    await store.append('a', 'none', events(3));
    await until('the sealer sleeps', 10_000, async () => clock().pending() > 0 || null);
    await clock().advance(1_000);
    await until('a head', 10_000, async () => (await headCount()) === 1 || null);
    expect(await heads().last()).to.include({ size: 3 });
    await sealer().seal();
    expect(await headCount()).to.equal(1);
    await store.append('a', 2, events(1));
    await sealer().stop();
    expect(await heads().last()).to.include({ size: 4, key: signer.publicKey });
  });

  it('seals a thousand events as one, and goes on after a restart where it was', async () => {
    await store.append('a', 'none', events(700));
    await sealer().seal();
    await sealing.close();
    await reopen();
    await sealer().start();
    await store.append('a', 699, events(400));
    await sealer().seal();
    await sealing.close();
    const verified = await verifyFolder(folder.path);
    expect(verified).to.deep.include({ found: 0, events: 1_100, sealed: 1_100 });
    await reopen();
  });

  it('seals what a power cut took of the leaves again, under the same heads', async () => {
    await store.append('a', 'none', events(600));
    await sealer().seal();
    await sealing.close();
    tamper(filesIn(folder.path).leaves, (db) =>
      db.exec('DELETE FROM leaves WHERE leaf >= 200; DELETE FROM nodes'),
    );
    await reopen();
    await sealer().start();
    await store.append('a', 599, events(1));
    await sealer().seal();
    await sealing.close();
    expect(await verifyFolder(folder.path)).to.deep.include({ found: 0, sealed: 601 });
    await reopen();
  });

  it('lets retention take events, whose leaves stay, but not those of streams that keep everything', async () => {
    const old = (at: string): NewEvent => event({ metadata: { ...event().metadata, at } });
    await store.append('health-dep-1', 'none', [
      old('2029-12-01T00:00:00.000Z'),
      old('2029-12-31T23:00:00.000Z'),
    ]);
    await store.append('plugin-a', 'none', [old('2029-12-01T00:00:00.000Z')]);
    await sealer().seal();
    await sealing.close();
    const { log } = filesIn(folder.path);
    tamper(log, (db) => db.exec('DELETE FROM events WHERE position = 1'));
    expect(await verifyFolder(folder.path)).to.deep.include({ found: 0, expired: 1, sealed: 3 });
    tamper(log, (db) => db.exec('DELETE FROM events WHERE position = 2'));
    expect((await verifyFolder(folder.path)).found, 'too young to expire').to.equal(1);
    tamper(log, (db) => db.exec('DELETE FROM events WHERE position = 3'));
    const { findings } = await verifyFolder(folder.path);
    expect(findings).to.have.length(1);
    expect(findings[0]).to.include({ kind: 'missing', count: 2 });
    await reopen();
  });

  it('refuses to start on a log that was changed, and says where and how to repair it', async () => {
    await store.append('plugin-a', 'none', events(5));
    await sealer().seal();
    await sealing.close();
    tamper(filesIn(folder.path).log, (db) => db.exec("UPDATE events SET data = '{}' WHERE position = 4"));
    await reopen();
    const { message } = await failure(sealer().start(), BrokenSeal);
    expect(message).to.include('revision 3 of plugin-a').and.to.include('slipway restore');
  });

  it('refuses to start on a log whose sealed end is gone', async () => {
    await store.append('plugin-a', 'none', events(5));
    await sealer().seal();
    await sealing.close();
    tamper(filesIn(folder.path).log, (db) => db.exec('DELETE FROM events WHERE position > 3'));
    await reopen();
    expect((await failure(sealer().start(), BrokenSeal)).message).to.include('2 events that were sealed');
  });

  it('opens with a warning when what was torn off was never under a head', async () => {
    await store.append('plugin-a', 'none', events(5));
    await sealer().seal();
    await store.append('plugin-a', 4, events(3));
    await sealer().seal();
    await sealing.close();
    const { heads: file, log } = filesIn(folder.path);
    // As if the power had gone between the leaves and the head.
    await writeFile(file, (await readFile(file, 'utf8')).split('\n').slice(0, 1).join('\n') + '\n');
    tamper(log, (db) => db.exec('DELETE FROM events WHERE position > 6'));
    await reopen();
    await sealer().start();
    expect(sealing.log.lines.map(({ level, message }) => `${level} ${message}`).join()).to.match(
      /warn .*torn/,
    );
    await store.append('plugin-a', 5, events(2));
    await sealer().seal();
    await sealing.close();
    expect(await verifyFolder(folder.path)).to.deep.include({ found: 0, sealed: 8 });
    await reopen();
  });

  it('proves an event to whoever has the key, and nothing that was changed', async () => {
    const secret = event({ type: 'Agreed', data: { terms: 'ümlaut "quoted"' } });
    await store.append('deal-1', 'none', [event(), secret, event()]);
    const proof = await sealer().prove({ stream: 'deal-1', revision: 1 });
    if (!proof) return expect.fail('no proof');
    const carried = InclusionProof.parse(JSON.parse(JSON.stringify(proof)));
    expect(objectionTo(carried, signer.publicKey)).to.equal(null);
    expect(JSON.parse(carried.content)).to.deep.equal([secret.id, 'Agreed', secret.data, secret.metadata]);
    const byPosition = await sealer().prove({
      position:
        (await sealing.store.readStream('deal-1', { from: 1, limit: 1 }))[0]?.position ?? expect.fail(),
    });
    expect(byPosition).to.deep.equal(proof);
    for (const forged of [
      { ...carried, content: carried.content.replace('Agreed', 'Denied') },
      { ...carried, stream: 'deal-2' },
      { ...carried, revision: 2 },
      { ...carried, at: '2020-01-01T00:00:00.000Z' },
      { ...carried, index: 0 },
      { ...carried, path: carried.path.toReversed() },
      { ...carried, head: { ...carried.head, size: 4 } },
    ])
      expect(objectionTo(forged, signer.publicKey)).to.be.a('string');
    expect(objectionTo(carried, (await testSigner()).publicKey)).to.include('another key');
    expect(await sealer().prove({ stream: 'deal-1', revision: 3 })).to.equal(null);
    tamper(filesIn(folder.path).log, (db) => db.exec("UPDATE events SET type = 'Denied' WHERE revision = 1"));
    await failure(sealer().prove({ stream: 'deal-1', revision: 1 }), NotAsSealed);
  });

  it('proves to whoever kept a head that the log continues it, whatever its size', async () => {
    const kept: SignedHead[] = [];
    for (let size = 1; size <= 20; size += 1) {
      await store.append(`s-${size}`, 'none', events(1));
      kept.push((await sealer().seal()) ?? expect.fail());
    }
    for (const head of kept) {
      const proof = ConsistencyProof.parse(JSON.parse(JSON.stringify(await sealer().proveSince(head.size))));
      expect(proof.head.size).to.equal(20);
      expect(objectionToContinuation(proof, head, signer.publicKey)).to.equal(null);
      const other = kept.find(({ size }) => size !== head.size) ?? expect.fail();
      const forged: readonly (readonly [Pick<ConsistencyProof, 'since' | 'head'>, SignedHead, string])[] = [
        [proof, other, 'speaks of one over'],
        [proof, { ...head, root: other.root }, 'not signed'],
        [{ ...proof, head: { ...proof.head, root: head.root, at: 'now' } }, head, 'not signed'],
        [proof, { ...signer.sign({ ...head, root: 'ab'.repeat(32) }) }, 'rewritten since'],
        [proof, (await testSigner()).sign(head), 'signed by another key'],
        [proof, signer.sign({ ...head, log: 'another', root: 'ab'.repeat(32) }), 'of another log'],
        [{ ...proof, since: { ...proof.since, path: [...proof.since.path, head.root] } }, head, 'rewritten'],
      ];
      for (const [claim, against, why] of forged)
        expect(objectionToContinuation(claim, against, null), why).to.include(why);
      const moved = signer.sign({ ...head, log: 'as it was called before it was moved' });
      expect(objectionToContinuation(proof, moved, null)).to.equal(null);
    }
    expect(
      objectionToContinuation(await provenSince(3), kept[2] ?? expect.fail(), (await testSigner()).publicKey),
    ).to.include('signed by another key');
    await failure(sealer().proveSince(21), NotSealed);
    const both = (await sealer().prove({ stream: 's-7', revision: 0 }, 9)) ?? expect.fail();
    expect(objectionTo(both, signer.publicKey)).to.equal(null);
    const { since = expect.fail(), head } = both;
    expect(objectionToContinuation({ since, head }, kept[8] ?? expect.fail(), null)).to.equal(null);
    await failure(sealer().prove({ stream: 's-7', revision: 0 }, 21), NotSealed);
  });

  it('cannot prove that a log continues what was rewritten, leaves and all', async () => {
    expect(await sealer().proveSince(1)).to.equal(null);
    await store.append('a', 'none', events(5));
    const kept = (await sealer().seal()) ?? expect.fail();
    await sealing.close();
    const { log, leaves, heads: file } = filesIn(folder.path);
    tamper(log, (db) => db.exec("UPDATE events SET type = 'Denied' WHERE position = 3"));
    tamper(leaves, (db) => db.exec('DELETE FROM leaves; DELETE FROM nodes'));
    await writeFile(file, '');
    await reopen();
    await store.append('a', 4, events(2));
    const proof = (await sealer().proveSince(5)) ?? expect.fail();
    expect(objectionToContinuation(proof, proof.head, null)).to.include('speaks of one over 5');
    expect(objectionToContinuation(proof, kept, signer.publicKey)).to.include('rewritten since');
  });

  it('goes on when the disk was full', async () => {
    await sealer().start();
    await store.append('a', 'none', events(2));
    tamper(filesIn(folder.path).leaves, (db) =>
      db.exec("CREATE TRIGGER full BEFORE INSERT ON leaves BEGIN SELECT RAISE(ABORT, 'full'); END"),
    );
    let refused = '';
    await sealer()
      .seal()
      .catch((error: unknown) => (refused = String(error)));
    expect(refused).to.include('could not be written');
    tamper(filesIn(folder.path).leaves, (db) => db.exec('DROP TRIGGER full'));
    expect(await sealer().seal()).to.include({ size: 2 });
  });

  it('follows the log again when following it failed', async () => {
    const { store: real, leaves, log, clock: time } = sealing;
    let fails = true;
    const flaky: typeof real = {
      ...real,
      async *subscribe(options) {
        if (fails) throw new Error('torn');
        yield* real.subscribe(options);
      },
    };
    const leafMaker = createLeafMaker(flaky, leaves);
    const again = createSealer({ store: flaky, leaves, leafMaker, heads: heads(), signer, clock: time, log });
    await again.start();
    await store.append('a', 'none', events(2));
    await until('it sleeps', 10_000, async () => time.pending() > 0 || null);
    expect(log.lines.map(({ level }) => level)).to.deep.equal(['error']);
    fails = false;
    await time.advance(1_000);
    await until('a head', 10_000, async () => (await headCount()) === 1 || null);
    await again.stop();
  });
});
