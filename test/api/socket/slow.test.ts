/** Assurance, "50 slow and 50 fast sockets": who does not read costs little, is closed with 1013, and misses nothing all the same. */
import { expect } from 'chai';
import { type Crowd, startCrowd } from '../../support/socket-crowd.ts';
import { type SocketServer, startSocketServer } from '../../support/socket-server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const mebibyte = 1024 * 1024;
/** Of announcements, in MiB: far more than a socket may have waiting. */
const load = 16;
const rounds = process.env['SLIPWAY_LONG'] === undefined ? 1 : 5;

describe('fifty slow and fifty fast sockets', function () {
  this.timeout(rounds * 60_000);
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: SocketServer;
  let crowd: Crowd;

  // The log and the sockets alone: read models would take memory of their own for what is written here.
  before(async () => {
    folder = await temporaryFolder();
    server = await startSocketServer(folder.path);
    crowd = startCrowd();
  });
  after(async () => {
    await crowd.close();
    await server.stop();
    await folder.remove();
  });

  /**
   * The most that the process takes while everybody reads: caches are full by then, and the collectors of its threads have taken
   * the room for garbage that this load makes them take.
   */
  async function settledPeak(): Promise<number> {
    let peak = 0;
    for (let pass = 0; pass < 8; pass += 1) {
      await crowd.fastAt((await server.register(load)).at(-1) ?? '');
      const next = await server.peak();
      if (next - peak < 8 * mebibyte) return Math.max(next, peak);
      peak = next;
    }
    return peak;
  }

  for (let round = 1; round <= rounds; round += 1) {
    it(`make the process grow by less than 64 MiB, and in the end all have been told the same (round ${round})`, async () => {
      await crowd.open({ url: server.url, token: 'x', fast: 50, slow: 0 });
      const before = await settledPeak();

      await crowd.open({ url: server.url, token: 'x', fast: 50, slow: 50 });
      const all = await server.register(load);
      const last = all.at(-1) ?? '';
      await crowd.fastAt(last);
      await server.advance(15_000);
      // Those who are being closed are told nothing more, on no channel.
      await server.editTenant();
      const { fast, slow, codes } = await crowd.wake(last);
      expect(((await server.peak()) - before) / mebibyte, 'MiB').to.be.lessThan(64);

      expect(codes).to.deep.equal(Array.from({ length: 50 }, () => 1013));
      for (const slugs of [...fast, ...slow]) expect(slugs).to.deep.equal(all);
    });
  }
});
