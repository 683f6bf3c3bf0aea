import { expect } from 'chai';
import { createScrub, type Scrub } from '../../../src/core/seals/scrub.ts';
import { StoreUnavailable } from '../../../src/ports/event-store.ts';
import { event, events } from '../../contract/event-store-given.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { filesIn, openSealing, type Sealing, tamper, testSigner } from './world.ts';

const dayMs = 24 * 3_600_000;

describe('the check of all leaves', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let sealing: Sealing;
  beforeEach(async () => {
    folder = await temporaryFolder();
    sealing = await openSealing(folder.path, await testSigner());
    await sealing.store.append('plugin-a', 'none', events(1_000));
    await sealing.sealer.seal();
  });
  afterEach(async () => {
    await sealing.close();
    await folder.remove();
  });

  function scrub(store: Pick<Sealing['store'], 'logId' | 'readAll' | 'compare'> = sealing.store): Scrub {
    const { leaves, clock, log } = sealing;
    return createScrub({ log: store, leaves, clock, logger: log });
  }

  /** Pieces until it rests; as many as told at most. */
  async function round(checked: Scrub, most = 100): Promise<number> {
    for (let pieces = 0; pieces < most; pieces += 1) if ((await checked.step()) === dayMs) return pieces;
    return most;
  }

  const told = (): readonly string[] => sealing.log.lines.map(({ level, message }) => `${level} ${message}`);

  it('looks at all in small pieces, then rests for a day and begins again', async () => {
    const checked = scrub();
    expect(await round(checked)).to.equal(4);
    await sealing.store.append('plugin-b', 'none', events(100));
    await sealing.sealer.seal();
    expect(await round(checked)).to.equal(5);
    expect([checked.isWhole(), told()]).to.deep.equal([true, []]);
  });

  it('goes on after a restart where it was', async () => {
    await round(scrub(), 2);
    expect(await round(scrub())).to.equal(2);
  });

  it('tells once a round what is not as it was sealed, wherever it is, and again after a restart', async () => {
    const damages = [
      "UPDATE events SET data = '{}' WHERE position = 300",
      'DELETE FROM events WHERE position BETWEEN 510 AND 515',
      "UPDATE events SET data = '{' WHERE position = 700",
      'DELETE FROM events WHERE position > 990',
    ];
    for (const damage of damages) tamper(filesIn(folder.path).log, (db) => db.exec(damage));
    const checked = scrub();
    await round(checked);
    expect(checked.isWhole()).to.equal(false);
    // The second and third piece have two each.
    expect(told()).to.have.length(3);
    for (const said of ['revision 299 of plugin-a', 'revision 514 of plugin-a', 'no JSON', 'revision 990 of'])
      expect(told().join()).to.include(said);
    expect(told().every((line) => line.startsWith('error the log is NOT what was sealed'))).to.equal(true);
    const again = scrub();
    await again.step();
    expect(again.isWhole(), 'what was found is what a start begins with').to.equal(false);
  });

  it('goes on where it was behind what was found, and looks at the beginning again in the next round', async () => {
    const { log } = filesIn(folder.path);
    const set = (type: string, at: number) =>
      tamper(log, (db) => db.prepare('UPDATE events SET type = ? WHERE position = ?').run(type, at));
    set('Denied', 300);
    await round(scrub(), 2);
    expect(sealing.leaves.checked()).to.deep.equal({ next: 512, broken: 256 });
    const again = scrub();
    expect(await round(again), 'the piece that was found, then the rest').to.equal(3);
    set('Denied', 10);
    expect(await round(again)).to.equal(4);
    expect(told().at(-2)).to.include('revision 9 of plugin-a');
    set('Happened', 10);
    set('Happened', 300);
    const mended = scrub();
    await round(mended);
    await round(mended);
    expect(sealing.leaves.checked()).to.deep.equal({ next: 0, broken: null });
    expect(mended.isWhole()).to.equal(true);
  });

  it('sees what changed places, also between two pieces', async () => {
    tamper(filesIn(folder.path).log, (db) => {
      for (const [from, to] of [
        [512, 9_999],
        [513, 512],
        [9_999, 513],
      ] as const)
        db.prepare('UPDATE events SET position = ? WHERE position = ?').run(to, from);
    });
    await round(scrub());
    expect(told()).to.have.length(2);
    expect(told()[0]).to.include('revision 512 of plugin-a');
    expect(told()[1]).to.include('revision 511 of plugin-a');
  });

  it('finds damage in the leaves and in the hashes above them', async () => {
    tamper(filesIn(folder.path).leaves, (db) =>
      db.exec("UPDATE leaves SET at = 'x' WHERE leaf = 10; UPDATE nodes SET hash = x'00' WHERE node = 2"),
    );
    const checked = scrub();
    await round(checked);
    expect(told()).to.have.length(2);
    expect(told().join()).to.match(/the seals' own record/i);
  });

  it('lets go what retention may take, and what is not to be read just now', async () => {
    const at = '2029-12-01T00:00:00.000Z';
    const old = event({ metadata: { ...event().metadata, at } });
    await sealing.store.append('health-dep-1', 'none', [old]);
    await sealing.sealer.seal();
    tamper(filesIn(folder.path).log, (db) => db.exec('DELETE FROM events WHERE position = 1001'));
    let fails = true;
    const flaky = {
      ...sealing.store,
      readAll: (options: Parameters<Sealing['store']['readAll']>[0]) =>
        fails ? Promise.reject(new StoreUnavailable('away')) : sealing.store.readAll(options),
    };
    const checked = scrub(flaky);
    expect(await checked.step()).to.equal(60_000);
    expect(told().join()).to.include('could not be compared').and.to.include('away');
    fails = false;
    expect(await round(checked)).to.equal(4);
    expect([checked.isWhole(), told().length]).to.deep.equal([true, 1]);
  });

  it('runs by itself and stops when told', async () => {
    const { clock } = sealing;
    const checked = scrub();
    checked.start();
    await clock.advance(10 * 256, async () => new Promise((resolve) => setTimeout(resolve, 20)));
    expect(sealing.leaves.checked(), 'the round is over').to.deep.equal({ next: 0, broken: null });
    tamper(filesIn(folder.path).log, (db) => db.exec("UPDATE events SET data = '{}' WHERE position = 1"));
    await clock.advance(dayMs, async () => new Promise((resolve) => setTimeout(resolve, 20)));
    await checked.stop();
    await checked.stop();
    expect(checked.isWhole()).to.equal(false);
    expect(clock.pending()).to.equal(0);
  });
});
