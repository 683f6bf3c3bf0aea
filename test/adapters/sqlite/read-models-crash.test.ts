import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openSqliteReadModels } from '../../../src/adapters/sqlite/read-models.ts';
import type { JsonObject } from '../../../src/ports/event-store.ts';

const child = fileURLToPath(new URL('./read-models-crash-child.ts', import.meta.url));

describe('SQLite read models of a killed process', () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'slipway-read-models-'))));
  afterEach(() => rm(folder, { recursive: true }));

  /** Kills the process after so many commits, in the middle of the next. @returns the last commit it reported */
  async function killedAfter(path: string, commits: number): Promise<number> {
    const running = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', child, path]);
    const ended = once(running, 'exit');
    let last = 0;
    let seen = 0;
    for await (const line of createInterface({ input: running.stdout })) {
      last = Number(line);
      seen += 1;
      if (seen === commits) running.kill('SIGKILL');
    }
    await ended;
    return last;
  }

  it('have documents, array elements, words and checkpoint of the same commit', async () => {
    const path = join(folder, 'read-models.sqlite');
    for (const commits of [1, 4, 9]) {
      const reported = await killedAfter(path, commits);
      const models = await openSqliteReadModels({ path });
      const state = (await models.generations())[0];
      const at = Number(state?.checkpoint?.position.split(':')[1]);
      expect(at).to.be.at.least(reported);
      const scope = { kind: 'platform' } as const;
      const { documents } = await models.find<JsonObject>('things', { scope, limit: 1000 });
      expect(new Set(documents.map(({ data }) => data['n']))).to.deep.equal(new Set([at]));
      expect(documents).to.have.length(200);
      expect(await models.count('things', { scope, filter: { contains: ['tags', at] } })).to.equal(200);
      expect(await models.count('things', { scope, filter: { contains: ['tags', at - 1] } })).to.equal(0);
      const words = { scope, words: [`word${at}x`], limit: 1000 };
      expect((await models.search('things', words)).total).to.equal(200);
      await models.close();
    }
  });
});
