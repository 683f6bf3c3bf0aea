/** What is said of suites whose server nobody named. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';

const root = join(import.meta.dirname, '../..');
const fixture = 'test/fixtures/store-suites.ts';

function run(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): { readonly status: number | null; readonly lines: readonly string[] } {
  const none = { EVENTSTORE_URL: '', MONGODB_URL: '', S3_ENDPOINT: '' };
  const { status, stdout } = spawnSync(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...none, ...variables },
    encoding: 'utf8',
  });
  // Colours depend on the machine that runs them (CI=true has some).
  return {
    status,
    lines: stripVTControlCharacters(stdout)
      .split('\n')
      .map((line) => line.trim()),
  };
}

describe('suites of stores', () => {
  const mocha = ['node_modules/mocha/bin/mocha.js', '--no-parallel', fixture];
  const script = ['scripts/test-stores.ts', '--no-containers', '--no-parallel', fixture];

  it('say that they were not run, and the run counts them as skipped', () => {
    const { status, lines } = run(mocha, {});
    expect(status).to.equal(0);
    expect(lines).to.include.members([
      '- not run: EVENTSTORE_URL names no server',
      '- not run: MONGODB_URL names no server',
      '0 passed, 0 failed, 2 skipped',
    ]);
  });

  it('are run against the server that the variable names', () => {
    const { status, lines } = run(mocha, { EVENTSTORE_URL: 'esdb://127.0.0.1:1' });
    expect(status).to.equal(0);
    expect(lines).to.include.members(['✔ is told esdb://127.0.0.1:1', '1 passed, 0 failed, 1 skipped']);
  });

  it('are run by npm run test:stores, which names at the end what was not, and fails as they do', () => {
    const some = run(script, { EVENTSTORE_URL: 'esdb://127.0.0.1:1' });
    expect(some.status).to.equal(0);
    expect(some.lines).to.include.members([
      '1 passed, 0 failed, 1 skipped',
      'NOT RUN against MongoDB: MONGODB_URL names no server.',
      'NOT RUN against S3: S3_ENDPOINT names no server.',
    ]);
    const all = run(script, { EVENTSTORE_URL: 'x', MONGODB_URL: 'x', S3_ENDPOINT: 'x' });
    expect(all.status).to.not.equal(0);
    expect(all.lines.filter((line) => line.startsWith('NOT RUN'))).to.deep.equal([]);
  });
});
