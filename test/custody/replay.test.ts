/** The log, or a part of it, gone through again. */
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { Refused } from '../../src/client/api.ts';
import { readConfig, WrongSetting } from '../../src/config.ts';
import { openPorts } from '../../src/container.ts';
import type { LogPart } from '../../src/custody/part.ts';
import { openTeller, type Progress } from '../../src/custody/progress.ts';
import { type Replayed, replayInto, type ReplayOptions } from '../../src/custody/replay.ts';
import type { JsonObject, NewEvent, Position, RecordedEvent } from '../../src/ports/event-store.ts';
import { event, failure, readToEnd } from '../contract/event-store-given.ts';
import { runCommand } from '../support/command-line.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const root = resolve(import.meta.dirname, '../..');
const everything: LogPart = { streams: [], types: [], tenant: null, from: null, to: null };

describe('a replay', function () {
  this.timeout(120_000);
  let place: Awaited<ReturnType<typeof temporaryFolder>>;
  let data: string;
  let into: string;
  beforeEach(async () => {
    place = await temporaryFolder();
    data = join(place.path, 'data');
    into = join(place.path, 'again');
    await mkdir(data);
  });
  afterEach(() => place.remove());

  /** @returns the positions */
  async function fill(
    streams: readonly (readonly [stream: string, part?: Partial<NewEvent>])[],
  ): Promise<readonly Position[]> {
    const store = await openSqliteEventStore({ path: join(data, 'log.db') });
    const revisions = new Map<string, number>();
    const positions: Position[] = [];
    for (const [stream, part] of streams) {
      const before = revisions.get(stream);
      positions.push((await store.append(stream, before ?? 'none', [event(part)])).position);
      revisions.set(stream, (before ?? -1) + 1);
    }
    await store.close();
    return positions;
  }
  /** More than three pages. */
  async function fillMany(): Promise<void> {
    const store = await openSqliteEventStore({ path: join(data, 'log.db') });
    for (let n = 0; n < 7; n += 1)
      await store.append(
        `stream-${n % 2}`,
        n < 2 ? 'none' : Math.floor(n / 2) * 500 - 1,
        Array.from({ length: 500 }, () => event()),
      );
    await store.setRetention('stream-0', { maxCount: 100_000 });
    await store.close();
  }
  const at = (time: string): Partial<NewEvent> => ({ metadata: { ...event().metadata, at: time } });
  const ofTenant = (tenant: string): Partial<NewEvent> => ({ metadata: { ...event().metadata, tenant } });

  const replayed = (options: Partial<ReplayOptions> = {}): Promise<Replayed> =>
    replayInto({
      ...{ data, into, part: everything, asked: '{}', progress: () => undefined },
      ...{ signal: new AbortController().signal, ...options },
    });
  async function eventsIn(folder: string): Promise<readonly unknown[]> {
    const store = await openSqliteEventStore({ path: join(folder, 'log.db') });
    try {
      return (await readToEnd(store)).events.map(({ position, ...rest }: RecordedEvent) => ({
        ...rest,
        place: position.replace(/.*:/, ''),
      }));
    } finally {
      await store.close();
    }
  }
  /** Ended behind its second page. */
  async function interrupted(options: Partial<ReplayOptions> = {}): Promise<Refused> {
    const ending = new AbortController();
    let pages = 0;
    const progress = (): void => {
      if ((pages += 1) === 3) ending.abort();
    };
    return failure(replayed({ ...options, progress, signal: ending.signal }), Refused);
  }

  it('makes the same log again: events, order, revisions, places, retentions; beside who writes it', async () => {
    await fillMany();
    const writer = await openSqliteEventStore({ path: join(data, 'log.db') });
    const told: Progress[] = [];
    expect(await replayed({ progress: (progress) => told.push(progress) })).to.deep.equal({
      ...{ events: 3_500, resumed: false, isPart: false },
    });
    await writer.close();
    expect(await eventsIn(into)).to.deep.equal(await eventsIn(data));
    expect(told.map(({ place: reached }) => reached)).to.deep.equal([0, 1_000, 2_000, 3_000, 3_500]);
    const store = await openSqliteEventStore({ path: join(into, 'log.db') });
    expect(await store.retention('stream-0')).to.deep.equal({ maxCount: 100_000 });
    expect(store.logId).not.to.equal(writer.logId);
    await store.close();
    expect(await readdir(into)).not.to.include('replay.json');
  });

  it('remembers where streams ended of which nothing is left, but not as of an earlier place', async () => {
    const [, , third] = await fill([['health-gone'], ['a'], ['a'], ['health-gone'], ['a']]);
    const store = await openSqliteEventStore({ path: join(data, 'log.db') });
    await store.setRetention('health-gone', { truncateBefore: 2 });
    await store.scavenge();
    await store.close();
    expect(await replayed()).to.include({ events: 3 });
    const again = await openSqliteEventStore({ path: join(into, 'log.db') });
    expect(await again.append('health-gone', 1, [event()])).to.include({ revision: 2 });
    await again.close();
    const earlier = join(place.path, 'earlier');
    await replayed({ into: earlier, part: { ...everything, to: third ?? null } });
    const then = await openSqliteEventStore({ path: join(earlier, 'log.db') });
    expect(await then.append('health-gone', 'none', [event()])).to.include({ revision: 0 });
    await then.close();
  });

  it('goes on where it was when it was interrupted, up to where the log ended when it began', async () => {
    await fillMany();
    expect((await interrupted()).message).to.include('Interrupted at 2000 of 3500');
    expect((await readdir(place.path)).toSorted()).to.deep.equal(['again.replaying', 'data']);
    const before = await eventsIn(data);
    const store = await openSqliteEventStore({ path: join(data, 'log.db') });
    await store.append('later', 'none', [event()]);
    await store.close();
    const told: Progress[] = [];
    const done = await replayed({ progress: (progress) => told.push(progress) });
    expect(done).to.deep.equal({ events: 3_500, resumed: true, isPart: false });
    expect(told[1]).to.deep.equal({ place: 3_000, of: 3_500, events: 3_000 });
    expect(await eventsIn(into)).to.deep.equal(before);
    expect((await readdir(place.path)).toSorted()).to.deep.equal(['again', 'data']);
  });

  it('goes on also where it was killed', async () => {
    await fillMany();
    const script = `
      import { replayInto } from ${JSON.stringify(join(root, 'src/custody/replay.ts'))};
      let pages = 0;
      const progress = () => { if ((pages += 1) === 3) process.kill(process.pid, 'SIGKILL'); };
      const part = ${JSON.stringify(everything)};
      const signal = new AbortController().signal;
      await replayInto({ data: process.argv[1], into: process.argv[2], part, asked: '{}', progress, signal });`;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script, data, into], { cwd: root });
    expect(run.signal, run.stderr.toString()).to.equal('SIGKILL');
    expect(await readdir(place.path))
      .to.include('again.replaying')
      .and.not.to.include('again');
    expect(await replayed()).to.include({ events: 3_500, resumed: true });
    expect(await eventsIn(into)).to.deep.equal(await eventsIn(data));
  });

  it('does not go on as another one, nor with a log that was taken back', async () => {
    await fillMany();
    await interrupted();
    const other = { part: { ...everything, streams: ['stream-1'] }, asked: '{"stream":"stream-1"}' };
    expect((await failure(replayed(other), Refused)).message).to.include('another replay left unfinished');
    expect(await readdir(place.path)).to.include('again.replaying');
    const log = new DatabaseSync(join(data, 'log.db'));
    log.exec("UPDATE events SET id = 'another' WHERE position = 2000");
    log.close();
    expect((await failure(replayed(), Refused)).message).to.include('taken back');
    expect(await readdir(place.path)).to.deep.equal(['data']);
  });

  it('takes a part: by stream, tenant and type, from and to a place or a time', async () => {
    const positions = await fill([
      ['a-1', at('2026-01-01T00:00:00.000Z')],
      ['b-1', { type: 'Other', ...ofTenant('acme') }],
      ['a-1', at('2026-01-03T00:00:00.000Z')],
      // The clock was set back: the part from a time is torn nowhere.
      ['a-1', at('2026-01-02T00:00:00.000Z')],
      ['c-1', at('2026-01-05T00:00:00.000Z')],
    ]);
    const parts: readonly (readonly [Partial<LogPart>, readonly number[], isPart: boolean])[] = [
      [{ streams: ['a-', 'c'] }, [1, 3, 4, 5], true],
      [{ types: ['Other'] }, [2], true],
      [{ tenant: 'acme' }, [2], true],
      [{ from: positions[2] ?? null }, [3, 4, 5], true],
      [{ to: positions[2] ?? null }, [1, 2, 3], false],
      [{ from: '2026-01-02T12:00:00.000Z' }, [3, 4, 5], true],
      [{ to: '2026-01-03T00:00:00.000Z' }, [1, 2, 3, 4], false],
      [{ to: '2026-01-02T12:00:00.000Z' }, [1, 2], false],
      [{ from: positions[1] ?? null, to: positions[3] ?? null, streams: ['a-1'] }, [3, 4], true],
    ];
    for (const [index, [part, places, isPart]] of parts.entries()) {
      const folder = `${into}-${index}`;
      const done = await replayed({ into: folder, part: { ...everything, ...part } });
      expect(done, JSON.stringify(part)).to.deep.equal({ events: places.length, resumed: false, isPart });
      const found = (await eventsIn(folder)) as readonly { readonly place: string }[];
      expect(found.map((one) => Number(one.place))).to.deep.equal(places);
    }
  });

  it('is refused in a sentence, and leaves nothing', async () => {
    const [, second] = await fill([['a'], ['b', { type: 'Other' }], ['a', { type: 'Other' }], ['a']]);
    await mkdir(join(place.path, 'full'));
    await writeFile(join(place.path, 'full', 'mine.txt'), 'mine');
    await writeFile(join(place.path, 'file'), 'mine');
    await mkdir(join(place.path, 'busy.replaying'));
    await writeFile(join(place.path, 'busy.replaying', 'mine.txt'), 'mine');
    const before = (await readdir(place.path)).toSorted();
    const foreign = '00000000-0000-4000-8000-000000000000:1';
    const part = (chosen: Partial<LogPart>): Partial<ReplayOptions> => ({
      part: { ...everything, ...chosen },
    });
    const cases: readonly (readonly [said: string, Partial<ReplayOptions>])[] = [
      ['is not empty', { into: join(place.path, 'full') }],
      ['is not empty', { into: data }],
      ['is no folder', { into: join(place.path, 'file') }],
      ['lies below a file', { into: join(place.path, 'file', 'below') }],
      ['is in the way', { into: join(place.path, 'busy') }],
      ['There is no log in', { data: join(place.path, 'nowhere') }],
      ['is not of the log', part({ from: foreign })],
      ['The log ends at', part({ to: second?.replace(/:\d+$/, ':999') ?? '' })],
      ['No event of the log is in this part', part({ types: ['NeverHeardOf'] })],
      ['No event of the log is in this part', part({ streams: ["a' OR 1=1 --", '%', '*'] })],
      ['No event of the log is in this part', part({ to: '1999-01-01T00:00:00.000Z' })],
      ['No event of the log is in this part', part({ tenant: '__proto__' })],
      // Revision 1 of `a` is of another type.
      ['A part takes whole streams', part({ types: ['Happened'] })],
    ];
    for (const [said, options] of cases) {
      expect((await failure(replayed(options), Refused)).message, said).to.include(said);
      expect((await readdir(place.path)).toSorted(), said).to.deep.equal(before);
    }
    expect(await readFile(join(place.path, 'full', 'mine.txt'), 'utf8')).to.equal('mine');
  });

  it('leaves nothing half-done on a full disk', async () => {
    await fillMany();
    const shell = `trap '' XFSZ; ulimit -f 200; exec "$0" src/cli.ts "$@"`;
    const run = spawnSync(
      'sh',
      ['-c', shell, process.execPath, 'audit', 'replay', '--data', data, '--into', into],
      { cwd: root, encoding: 'utf8' },
    );
    expect(run.stderr).to.include('nothing was left half-done');
    expect(run.status).to.equal(1);
    expect(await readdir(place.path)).to.deep.equal(['data']);
  });

  it('tells how far it is and how fast: in one line on a terminal, else in a line now and then', async () => {
    const clock = createVirtualClock();
    const told = async (isTerminal: boolean): Promise<string> => {
      let text = '';
      const teller = openTeller({ clock, isTerminal, write: (more) => (text += more) });
      for (let step = 1; step <= 12; step += 1) {
        teller.tell({ place: step * 100, of: 1_200, events: step });
        await clock.advance(1_000);
      }
      teller.end();
      return text;
    };
    const lines = (await told(false)).trimEnd().split('\n');
    expect(lines).to.have.length(3);
    expect(lines[0]).to.equal('50 %, at 600 of 1200, 6 events taken, 100 places a second');
    expect(lines[2]).to.match(/^100 %, at 1200 of 1200, 12 events/);
    const line = await told(true);
    expect(line.split('\r')).to.have.length(13);
    expect(line.match(/\n/g)).to.have.length(1);
  });

  it('is made by a command as documented: a folder, what came of it, and a read model', async () => {
    const store = await openSqliteEventStore({ path: join(data, 'log.db') });
    const created = await readFile(join(root, 'test/golden/TenantCreated.v1.json'), 'utf8');
    await store.append('tenant-acme', 'none', [
      event({
        ...{ type: 'TenantCreated', data: JSON.parse(created) as JsonObject },
        ...at(new Date().toISOString()),
      }),
    ]);
    await store.append('deployment-x', 'none', [event({ type: 'NeverHeardOf' })]);
    await store.close();
    const page = await readFile(join(root, 'docs/audit.md'), 'utf8');
    const [, block = ''] = /<!-- run: replay -->\n```sh\n([^]*?)```/.exec(page) ?? [];
    const commands = block.split('\n').filter((line) => line.startsWith('slipway '));
    expect(commands).to.have.length(4);
    const ran = [];
    for (const line of commands) {
      const typed = line
        .replace(/ +#.*$/, '')
        .replaceAll('./', `${place.path}/`)
        .split(' ')
        .slice(1);
      ran.push(await runCommand(typed));
    }
    expect(
      ran.map(({ code }) => code),
      JSON.stringify(ran),
    ).to.deep.equal([0, 0, 0, 0]);
    const [whole, part, asked, shown] = ran;
    expect(whole?.stdout).to.match(/^2 events are the log in .*again now\.\n$/);
    expect(whole?.stderr).to.match(/^100 %, at 2 of 2, 2 events taken, \d+ places a second\n$/);
    expect(part?.stdout).to.include('1 events are the log').and.to.include('no platform starts on it');
    expect(asked?.stdout).to.include('tenant-acme');
    const documents = (shown?.stdout ?? '')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(documents).to.have.length(1);
    expect(documents[0]).to.deep.include({ collection: 'tenants', id: 'acme' });
    expect(shown?.stdout).to.include('"contactEmail":"[sealed]"').and.not.to.include('sealed:v1');
    // A part is no platform; the whole is one.
    await failure(openPorts(readConfig({ SLIPWAY_DATA_DIR: join(place.path, 'part') })), WrongSetting);
    await (await openPorts(readConfig({ SLIPWAY_DATA_DIR: into }))).close();
  });

  it('says what is wrong with what was typed', async () => {
    await fill([['a'], ['a', { type: 'Other' }]]);
    const typed = async (...args: readonly string[]): Promise<string> => {
      const { code, stderr } = await runCommand(['audit', 'replay', '--data', data, ...args]);
      expect(code).to.be.oneOf([1, 2]);
      return stderr;
    };
    expect(await typed()).to.include('--into <folder> or --projection <name>');
    expect(await typed('--into', into, '--stream', ',')).to.include('must name at least one');
    expect(await typed('--into', into, '--from', 'yesterday')).to.include('must be a time such as');
    expect(await typed('--projection', 'nonsense')).to.include('name one of deployments, plugins');
    expect(await readdir(place.path)).to.deep.equal(['data']);
  });
});
