import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { event, readToEnd } from '../../contract/event-store-given.ts';

const program = fileURLToPath(new URL('./event-store-crash.ts', import.meta.url));

/** Kills the writing process once it has acknowledged that many appends. @returns `stream revision id` of each */
async function writeAndKill(path: string, acknowledgements: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [program, path, '8'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === acknowledgements) child.kill('SIGKILL');
  }
  await closed;
  // The last line may have been cut off.
  return lines.filter((line) => line.split(' ')[2]?.length === 36);
}

describe('the event store on SQLite, killed while it writes', () => {
  it('has everything that was acknowledged, revisions without gaps and positions in order', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-log-'));
    const path = join(folder, 'log.sqlite');
    const acknowledged: string[] = [];
    for (const count of [1, 30, 200, 700]) {
      acknowledged.push(...(await writeAndKill(path, count)));
      const store = await openSqliteEventStore({ path });
      const { events } = await readToEnd(store);
      const there = new Set(events.map(({ stream, revision, id }) => `${stream} ${revision} ${id}`));
      expect(acknowledged.filter((line) => !there.has(line))).to.deep.equal([]);
      expect(new Set(events.map(({ id }) => id)).size).to.equal(events.length);
      const next = new Map<string, number>();
      for (const [i, { stream, revision, position }] of events.entries()) {
        expect(revision).to.equal(next.get(stream) ?? 0);
        next.set(stream, revision + 1);
        if (i > 0) expect(store.compare(events[i - 1]!.position, position)).to.be.lessThan(0);
      }
      const end = next.get('writer-0')!;
      expect((await store.append('writer-0', end - 1, [event()])).revision).to.equal(end);
      await store.close();
    }
    await rm(folder, { recursive: true });
  });
});
