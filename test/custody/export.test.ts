/** The log as a file, and a platform made of it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openLogReader } from '../../src/adapters/sqlite/log-reader.ts';
import { Refused } from '../../src/client/api.ts';
import { exported, type ExportOptions } from '../../src/custody/export.ts';
import { importLog } from '../../src/custody/import.ts';
import { type RecordedEvent, WrongExpectedRevision } from '../../src/ports/event-store.ts';
import { event, failure, readToEnd } from '../contract/event-store-given.ts';
import { runCommand } from '../support/command-line.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const all: ExportOptions = {
  ...{ format: 'ndjson', redact: false, streams: [], types: [], tenant: null, from: null, to: null },
};

describe('an export', function () {
  this.timeout(60_000);
  let place: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    place = await temporaryFolder();
  });
  afterEach(() => place.remove());

  const path = (...names: readonly string[]): string => join(place.path, ...names);
  async function fill(
    folder: string,
    streams: readonly (readonly [stream: string, text: string])[],
  ): Promise<void> {
    const store = await openSqliteEventStore({ path: folder });
    const revisions = new Map<string, number>();
    for (const [stream, text] of streams) {
      const before = revisions.get(stream);
      await store.append(stream, before ?? 'none', [event({ data: { text, sealed: 'sealed:v1:abc' } })]);
      revisions.set(stream, (before ?? -1) + 1);
    }
    await store.setRetention('health-x', { maxAgeSeconds: 60 });
    await store.close();
  }
  async function lines(file: string, options: Partial<ExportOptions> = {}): Promise<string[]> {
    const log = openLogReader(file);
    try {
      return await Array.fromAsync(exported(log, { ...all, ...options }, () => undefined));
    } finally {
      log.close();
    }
  }
  async function* stripped(from: readonly string[]): AsyncGenerator<string> {
    for (const line of from) yield line.replace(/\n$/, '');
  }
  const imported = (from: readonly string[], folder = path('new')) =>
    importLog(stripped(from), folder, () => undefined);
  async function eventsIn(file: string): Promise<readonly RecordedEvent[]> {
    const store = await openSqliteEventStore({ path: file });
    try {
      return (await readToEnd(store)).events;
    } finally {
      await store.close();
    }
  }
  const placeOf = ({ position, ...rest }: RecordedEvent) => ({ ...rest, place: position.replace(/.*:/, '') });

  it('becomes the same log again: events, order, revisions, places, retentions', async () => {
    const streams = fc.array(
      fc.tuple(fc.constantFrom('a', 'b', 'ü-c'), fc.string({ unit: 'binary', maxLength: 30 })),
      { maxLength: 20 },
    );
    let n = 0;
    await fc.assert(
      fc.asyncProperty(streams, async (drawn) => {
        n += 1;
        const [log, folder] = [path(`log-${n}.db`), path(`new-${n}`)];
        await fill(log, drawn);
        expect(await imported(await lines(log), folder)).to.equal(drawn.length);
        const [before, after] = [await eventsIn(log), await eventsIn(join(folder, 'log.db'))];
        expect(after.map(placeOf)).to.deep.equal(before.map(placeOf));
        const store = await openSqliteEventStore({ path: join(folder, 'log.db') });
        expect(await store.retention('health-x')).to.deep.equal({ maxAgeSeconds: 60 });
        const last = after.findLast(({ stream }) => stream === 'a')?.revision ?? 'none';
        expect((await store.append('a', last, [event()])).revision).to.equal(last === 'none' ? 0 : last + 1);
        await store.close();
      }),
      { numRuns: 8 },
    );
  });

  it('remembers where streams ended of which nothing is left', async () => {
    await fill(path('log.db'), [
      ['health-gone', 'one'],
      ['health-gone', 'two'],
      ['a', 'three'],
    ]);
    const store = await openSqliteEventStore({ path: path('log.db') });
    await store.setRetention('health-gone', { truncateBefore: 2 });
    expect(await store.scavenge()).to.deep.equal({ removed: 2 });
    await store.setRetention('health-gone', {});
    await store.close();
    expect(await imported(await lines(path('log.db')))).to.equal(1);
    const made = await openSqliteEventStore({ path: path('new', 'log.db') });
    const { actual } = await failure(made.append('health-gone', 'none', [event()]), WrongExpectedRevision);
    expect(actual).to.equal(1);
    expect(await made.append('health-gone', 1, [event()])).to.include({ revision: 2 });
    await made.close();
  });

  it('shows what was asked for, and nothing personal where told so', async () => {
    await fill(path('log.db'), [
      ['a-1', 'one'],
      ['b-1', 'two'],
      ['a-2', 'three'],
    ]);
    const some = (await lines(path('log.db'), { streams: ['a-'] })).slice(1, -1);
    expect(some.map((line) => (JSON.parse(line) as RecordedEvent).stream)).to.deep.equal(['a-1', 'a-2']);
    expect(await lines(path('log.db'), { tenant: 'nobody' })).to.have.length(2);
    expect(await lines(path('log.db'), { from: Date.now() + 1_000_000_000 })).to.have.length(2);
    const redacted = (await lines(path('log.db'), { redact: true })).join('');
    expect(redacted).to.include('[sealed]').and.not.to.include('sealed:v1');
  });

  it('is a table for spreadsheets, in which nothing is run', async () => {
    await fill(path('log.db'), [['=cmd', 'a "quoted", text\nin lines']]);
    const [head, line, ...rest] = await lines(path('log.db'), { format: 'csv' });
    expect(rest).to.deep.equal([]);
    expect(head).to.equal(
      'position,stream,revision,id,type,at,tenant,actor,face,correlationId,causationId,schema,data\r\n',
    );
    expect(line)
      .to.include(",'=cmd,0,")
      .and.to.match(/"\{""text"":""a \\""quoted\\"", text\\nin lines"",.*\}"\r\n$/);
  });

  it('is refused when it is cut off, changed, out of order or not whole, and then nothing is there', async () => {
    await fill(path('log.db'), [
      ['a', 'one'],
      ['a', 'two'],
      ['b', 'three'],
    ]);
    const whole = await lines(path('log.db'));
    const changed = (at: number, from: string | RegExp, to: string): string[] =>
      whole.map((line, index) => (index === at ? line.replace(from, to) : line));
    const cases: Readonly<Record<string, readonly [said: string, lines: readonly string[]]>> = {
      empty: ['is empty', []],
      'cut off': ['is cut off behind line 4', whole.slice(0, 4)],
      'half a line': [
        'Line 4 of the export is no JSON',
        [...whole.slice(0, 3), whole[3]?.slice(0, 40) ?? ''],
      ],
      'another text': ['Line 6 of the export says that', changed(3, 'two', 'too')],
      'an event that is missing': ['says that the lines before', [...whole.slice(0, 4), ...whole.slice(5)]],
      'a gap in a stream': [
        'Line 3 of the export is out of order',
        [...whole.slice(0, 2), ...whole.slice(3)].map((line, index) =>
          index === 1 ? (whole[2] ?? '').replace('"revision":0', '"revision":7') : line,
        ),
      ],
      'twice the same': ['is out of order', [...whole.slice(0, 3), ...whole.slice(2)]],
      'behind its end': ['comes behind its end', [...whole, whole[2] ?? '']],
      'no event': ['is no event', changed(2, '"type":"Happened"', '"type":7')],
      newer: ['newer Slipway', changed(0, '"format":1', '"format":2')],
      'of another program': ['not the beginning', ['{"a":1}\n']],
      'a part': ['part of a log', await lines(path('log.db'), { types: ['Happened'] })],
      redacted: ['redacted', await lines(path('log.db'), { redact: true })],
    };
    for (const [what, [said, from]] of Object.entries(cases)) {
      expect((await failure(imported(from), Refused)).message, what).to.include(said);
      expect(await readdir(place.path), what).to.deep.equal(['log.db']);
    }
    await imported(whole);
    expect((await failure(imported(whole), Refused)).message).to.include('not empty');
  });

  it('is made and taken by commands', async () => {
    await fill(path('data-log.db'), [
      ['a', 'one'],
      ['b', 'two'],
    ]);
    await imported(await lines(path('data-log.db')), path('data'));
    const out = path('log.ndjson');
    const made = await runCommand(['audit', 'export', '--data', path('data'), '--out', out]);
    expect([made.code, made.stderr]).to.deep.equal([0, '']);
    expect((await runCommand(['audit', 'export', '--data', path('data'), '--out', out])).stderr).to.include(
      'there already',
    );
    const printed = await runCommand(['audit', 'export', '--data', path('data')]);
    expect(printed.stdout).to.equal(await readFile(out, 'utf8'));
    const nowhere = await runCommand(['audit', 'export', '--data', place.path]);
    expect(nowhere).to.deep.equal({
      code: 1,
      stdout: '',
      stderr: `There is no log in ${place.path}: --data names the data folder of a platform.\n`,
    });
    expect(await readdir(place.path)).not.to.include('log.db');
    const taken = await runCommand(['audit', 'import', out, '--data', path('other')]);
    expect([taken.code, taken.stdout]).to.deep.equal([0, `2 events are the log in ${path('other')} now.\n`]);
    expect((await eventsIn(path('other', 'log.db'))).map(placeOf)).to.deep.equal(
      (await eventsIn(path('data', 'log.db'))).map(placeOf),
    );
  });
});
