import { expect } from 'chai';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Finding } from '../../../src/core/seals/findings.ts';
import type { Signer } from '../../../src/core/seals/head.ts';
import { hashOfContent, hashOfLeaf } from '../../../src/core/seals/leaf.ts';
import { event } from '../../contract/event-store-given.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { filesIn, openSealing, tamper, testSigner, verifyFolder } from './world.ts';

const runs = process.env['SLIPWAY_LONG'] ? 6_000 : 500;
const heads = 6;
const eventsAHead = 50;
const sealed = heads * eventsAHead;

/** Where in the log somebody laid hands on: the places from first to last. */
interface Touched {
  readonly first: number;
  readonly last: number;
}

type Attack = (log: DatabaseSync, draw: (below: number) => number) => Touched;

describe('a log that somebody rewrote', function () {
  this.timeout(600_000);
  let removeFolder: () => Promise<void>;
  let pristine: string;
  let signer: Signer;

  before(async () => {
    const folder = await temporaryFolder();
    removeFolder = () => folder.remove();
    pristine = folder.path;
    signer = await testSigner();
    const { store, sealer, close } = await openSealing(pristine, signer);
    for (let n = 0; n < sealed; n += 1) {
      const stream = `thing-${n % 7}`;
      const revision = Math.floor(n / 7);
      const data = { number: n, text: `text ${n}`, nested: { list: [n, null, true, 'ü'] } };
      await store.append(stream, revision === 0 ? 'none' : revision - 1, [event({ data })]);
      if ((n + 1) % eventsAHead === 0) await sealer.seal();
    }
    await close();
  });
  after(() => removeFolder());

  const attacks: readonly {
    readonly name: string;
    readonly attack: Attack;
  }[] = [
    ...(['data', 'type', 'stream', 'id', 'metadata'] as const).map((column) => ({
      name: `one character of ${column}`,
      attack: (log: DatabaseSync, draw: (below: number) => number): Touched => {
        const place = draw(sealed) + 1;
        const text = String(
          log.prepare(`SELECT ${column} FROM events WHERE position = ?`).get(place)?.[column],
        );
        const at = draw(text.length);
        const other = text[at] === '7' ? '8' : '7';
        log
          .prepare(`UPDATE events SET ${column} = ? WHERE position = ?`)
          .run(text.slice(0, at) + other + text.slice(at + 1), place);
        return { first: place, last: place };
      },
    })),
    {
      name: 'a revision',
      attack: (log, draw) => {
        const place = draw(sealed) + 1;
        log.prepare('UPDATE events SET revision = revision + 1000 WHERE position = ?').run(place);
        return { first: place, last: place };
      },
    },
    {
      name: 'events taken out',
      attack: (log, draw) => {
        const first = draw(sealed) + 1;
        const last = Math.min(sealed, first + draw(5));
        log.prepare('DELETE FROM events WHERE position BETWEEN ? AND ?').run(first, last);
        return { first, last };
      },
    },
    {
      name: 'the end cut off',
      attack: (log, draw) => {
        const first = draw(sealed) + 1;
        log.prepare('DELETE FROM events WHERE position >= ?').run(first);
        return { first, last: sealed };
      },
    },
    {
      name: 'two events swapped',
      attack: (log, draw) => {
        const a = draw(sealed) + 1;
        const b = (a % sealed) + 1;
        const move = log.prepare('UPDATE events SET position = ? WHERE position = ?');
        move.run(100_000, a);
        move.run(a, b);
        move.run(b, 100_000);
        return { first: Math.min(a, b), last: Math.max(a, b) };
      },
    },
    {
      name: 'an event put in, and all later ones moved',
      attack: (log, draw) => {
        const place = draw(sealed) + 1;
        log.exec(`UPDATE events SET position = -position - 1 WHERE position >= ${place}`);
        log.exec('UPDATE events SET position = -position WHERE position < 0');
        log
          .prepare("INSERT INTO events VALUES (?, 'forged', 0, 'forged', 'Forged', '{}', ?, 0)")
          .run(place, JSON.stringify(event().metadata));
        return { first: place, last: sealed };
      },
    },
    {
      name: 'text that is no JSON',
      attack: (log, draw) => {
        const place = draw(sealed) + 1;
        log.prepare("UPDATE events SET data = '{\"half' WHERE position = ?").run(place);
        return { first: place, last: place };
      },
    },
  ];

  function places(finding: Finding): Touched {
    const place = (position: string | null): number => Number(position?.split(':')[1] ?? 0);
    switch (finding.kind) {
      case 'missing':
        return { first: place(finding.position), last: place(finding.through) };
      case 'rewritten':
        return { first: place(finding.after) + 1, last: place(finding.position) };
      case 'cut':
        return { first: place(finding.after) + 1, last: place(finding.after) + finding.count };
      case 'unreadable':
        return { first: place(finding.after) + 1, last: sealed };
      case 'file':
      case 'head':
        return { first: 0, last: 0 };
      case 'changed':
      case 'inserted':
      case 'damaged':
      case 'record':
        return { first: place(finding.position), last: place(finding.position) };
    }
  }

  async function copied<T>(work: (path: string) => Promise<T>): Promise<T> {
    const copy = await temporaryFolder();
    try {
      await cp(pristine, copy.path, { recursive: true });
      return await work(copy.path);
    } finally {
      await copy.remove();
    }
  }

  it('is found whole where nobody did', async () => {
    const verified = await verifyFolder(pristine, { publicKey: signer.publicKey });
    expect(verified).to.deep.include({ found: 0, events: sealed, sealed, unsealed: 0, expired: 0 });
    expect(verified.keys).to.deep.equal([signer.publicKey]);
  });

  it(`has each of ${runs} attacks located, to the event`, async () => {
    const { log } = filesIn(pristine);
    const original = await readFile(log);
    await copied(async (path) => {
      for (let seed = 1; seed <= runs; seed += 1) {
        const { name, attack } = attacks[seed % attacks.length] ?? { name: '', attack: null };
        if (!attack) continue;
        const random = seededRandom(seed);
        await writeFile(filesIn(path).log, original);
        const touched = tamper(filesIn(path).log, (database) =>
          attack(database, (below) => random.between(0, below - 1)),
        );
        const { findings } = await verifyFolder(path);
        const found = findings.map(places);
        const told = `seed ${seed}, ${name}: ${JSON.stringify(touched)} told as ${JSON.stringify(findings.slice(0, 3))}`;
        expect(Math.min(...found.map(({ first }) => first)), told).to.equal(touched.first);
        // What moved all later ones ends behind the last that was sealed.
        expect(Math.max(...found.map(({ last }) => last)), told).to.be.within(touched.last, sealed + 1);
      }
    });
  });

  it('is located to what one head has sealed when the leaves were rewritten too', async () => {
    await copied(async (path) => {
      const place = 123;
      const content = tamper(filesIn(path).log, (log) => {
        log.prepare('UPDATE events SET data = ? WHERE position = ?').run('{"number":666}', place);
        const row = log.prepare('SELECT * FROM events WHERE position = ?').get(place);
        return hashOfContent(
          `[${JSON.stringify(row?.['id'])},${JSON.stringify(row?.['type'])},${String(row?.['data'])},${String(row?.['metadata'])}]`,
        );
      });
      tamper(filesIn(path).leaves, (leaves) => {
        const row = leaves.prepare('SELECT stream, revision, at FROM leaves WHERE place = ?').get(place);
        const [stream, revision, at] = [
          String(row?.['stream']),
          Number(row?.['revision']),
          String(row?.['at']),
        ];
        const hash = hashOfLeaf({ stream, revision, at, content });
        leaves.prepare('UPDATE leaves SET content = ?, hash = ? WHERE place = ?').run(content, hash, place);
      });
      const { findings } = await verifyFolder(path);
      expect(findings[0]).to.include({ kind: 'rewritten' });
      expect(findings.map(places)[0]).to.deep.equal({ first: 101, last: 150 });
    });
  });

  it('shows its missing end by the heads alone when the leaves were cut with it', async () => {
    await copied(async (path) => {
      tamper(filesIn(path).log, (log) => log.exec('DELETE FROM events WHERE position > 210'));
      tamper(filesIn(path).leaves, (leaves) => leaves.exec('DELETE FROM leaves WHERE place > 210'));
      const { findings } = await verifyFolder(path);
      expect(findings.map(places)).to.deep.equal([{ first: 211, last: 300 }]);
    });
  });

  it('is verified by log and heads where the leaves are lost', async () => {
    await copied(async (path) => {
      tamper(filesIn(path).leaves, (leaves) => leaves.exec('DELETE FROM leaves; DELETE FROM nodes'));
      expect((await verifyFolder(path)).findings).to.deep.equal([]);
      tamper(filesIn(path).log, (log) => log.exec("UPDATE events SET type = 'Other' WHERE position = 77"));
      expect((await verifyFolder(path)).findings.map(places)[0]).to.deep.equal({ first: 51, last: 100 });
    });
  });

  it('has damage in the seals themselves located', async () => {
    await copied(async (path) => {
      tamper(filesIn(path).leaves, (leaves) =>
        leaves.exec("UPDATE leaves SET stream = 'x' WHERE place = 40"),
      );
      expect((await verifyFolder(path)).findings).to.deep.include.members([
        { kind: 'record', position: (await verifyFolder(pristine)).lastHead?.position.replace(/:.*/, ':40') },
      ]);
    });
    await copied(async (path) => {
      tamper(filesIn(path).leaves, (leaves) => leaves.exec("UPDATE nodes SET hash = x'00' WHERE node = 0"));
      expect((await verifyFolder(path)).findings.map(({ kind }) => kind)).to.deep.equal(['record']);
    });
  });

  it('does not take heads for granted: signature, log and key are looked at', async () => {
    await copied(async (path) => {
      const { heads: file } = filesIn(path);
      const lines = (await readFile(file, 'utf8')).split('\n');
      await writeFile(
        file,
        [...lines.slice(0, 2), lines[2]?.replace('"size":150', '"size":149'), ...lines.slice(3)].join('\n'),
      );
      const { findings } = await verifyFolder(path);
      expect(findings.map(({ kind }) => kind)).to.deep.equal(['head']);
      const other = await testSigner();
      expect((await verifyFolder(pristine, { publicKey: other.publicKey })).found).to.equal(heads);
    });
  });

  it('opens with half a line at the end of the heads', async () => {
    await copied(async (path) => {
      const { heads: file } = filesIn(path);
      await writeFile(file, (await readFile(file, 'utf8')) + '{"log":"abc');
      const { findings, found, foundUnsealed } = await verifyFolder(path);
      expect(findings.map(({ kind }) => kind)).to.deep.equal(['head']);
      expect(found).to.equal(foundUnsealed);
    });
  });

  it('is missing whole when the file is another log', async () => {
    await copied(async (path) => {
      const elsewhere = await temporaryFolder();
      const other = await openSealing(elsewhere.path, signer);
      await other.store.append('a', 'none', [event()]);
      await other.close();
      await cp(join(elsewhere.path, 'log.db'), filesIn(path).log);
      await rm(`${filesIn(path).log}-wal`, { force: true });
      let message = '';
      await verifyFolder(path).catch((error: unknown) => (message = String(error)));
      expect(message).to.include('seals another log');
      await elsewhere.remove();
    });
  });
});
