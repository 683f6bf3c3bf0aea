/** Every row of what rollouts owe is shown by a test, where it says. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { rows } from './rollout-rows.ts';

type Body = (this: object) => void;
type Words = Readonly<Record<'describe' | 'it' | 'before' | 'after' | 'beforeEach' | 'afterEach', unknown>>;

let reads = 0;

/** The titles of the tests in a file, as the runner would see them. None of them is run. */
async function titlesIn(file: string): Promise<readonly string[]> {
  const titles: string[] = [];
  const words = globalThis as unknown as Record<keyof Words, unknown>;
  const { describe, it, before, after, beforeEach, afterEach } = words;
  const known: Words = { describe, it, before, after, beforeEach, afterEach };
  const quiet = (): void => undefined;
  const group = (_title: string, body: Body): void => body.call({ timeout: quiet, slow: quiet });
  Object.assign(words, { describe: group, it: (title: string) => titles.push(title) });
  for (const hook of ['before', 'after', 'beforeEach', 'afterEach'] as const) words[hook] = quiet;
  try {
    const { href } = pathToFileURL(join(import.meta.dirname, '../..', file));
    // The query makes another module of it: the runner, or this test, may have loaded the file before.
    await import(`${href}?titles=${(reads += 1)}`);
  } finally {
    Object.assign(words, known);
  }
  return titles;
}

async function unshown(all: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const titles = new Map<string, readonly string[]>();
  for (const file of new Set(Object.values(all))) titles.set(file, await titlesIn(file));
  return Object.entries(all)
    .filter(([row, file]) => !titles.get(file)?.some((title) => title.startsWith(`${row}: `)))
    .map(([row]) => row);
}

describe('what rollouts owe', function () {
  this.timeout(60_000);

  it('is shown by a test, row by row', async () => {
    expect(await unshown(rows)).to.deep.equal([]);
  });

  it('would be missed', async () => {
    const planted = { ...rows, 'States: on the moon': rows['States: Paused'] };
    expect(await unshown(planted)).to.deep.equal(['States: on the moon']);
  });
});
