/** docs/operations.md: its commands, run as they stand, and what it says that there is. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { root, text } from '../deploy/files.ts';
import { runCommand } from '../support/command-line.ts';
import { logInAsAdmin, spawnServer, type SpawnedServer } from '../support/spawned-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { caller } from '../support/writing-client.ts';

const page = text('docs/operations.md');
const source = globSync('src/**/*.ts', { cwd: root }).map((file) => readFileSync(join(root, file), 'utf8'));

function block(name: string): string {
  const [, script = ''] = new RegExp(`<!-- run: ${name} -->\\n\`\`\`sh\\n([^]*?)\`\`\``).exec(page) ?? [];
  expect(script, name).to.not.equal('');
  return script;
}

describe('docs/operations.md', function () {
  this.timeout(120_000);
  let place: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: SpawnedServer;
  let token: string;
  before(async () => {
    place = await temporaryFolder();
    server = await spawnServer(join(place.path, 'data'));
    token = await logInAsAdmin(server.client);
  });
  after(async () => {
    await server.kill();
    await place.remove();
  });

  async function run(script: string, variables: Readonly<Record<string, string>>): Promise<string> {
    const shims = join(root, 'test/support/shims');
    const shell = spawn('sh', ['-ec', script], {
      env: {
        ...process.env,
        ...variables,
        no_proxy: '*',
        PATH: `${join(root, 'scripts')}:${process.env['PATH'] ?? ''}:${shims}`,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, problems]: string[][] = [[], []];
    shell.stdout.on('data', (chunk: Buffer) => out?.push(chunk.toString()));
    shell.stderr.on('data', (chunk: Buffer) => problems?.push(chunk.toString()));
    const [code] = (await once(shell, 'close')) as [number | null];
    expect(code, problems?.join('')).to.equal(0);
    return out?.join('') ?? '';
  }

  it('takes a backup of a platform that runs, restores it elsewhere and verifies it, night after night', async () => {
    const variables = {
      DATA: join(place.path, 'data'),
      BACKUPS: join(place.path, 'backups'),
      SCRATCH: join(place.path, 'scratch'),
    };
    await mkdir(variables.SCRATCH);
    for (const night of [1, 2]) {
      const told = await run(block('nightly'), variables);
      expect(told, `night ${night}`)
        .to.match(/events are back, as they were sealed/)
        .and.to.match(/^Whole: \d+ events/m);
    }
  });

  it('asks how a platform is', async () => {
    const made = await caller(server.client, token)('POST', '/api-keys', {
      name: 'watch',
      permissions: ['projections:read'],
    });
    const file = join(place.path, 'key.txt');
    await writeFile(file, (made.body as { readonly key: string }).key);
    const told = await run(block('watch'), { URL: server.client.url, KEY_FILE: file });
    expect(told)
      .to.include('"log":"whole"')
      .and.to.include('"status":"ready"')
      .and.to.include('"lagEvents":0');
  });

  it('names lines of the log that there are, at their level', () => {
    const rows = [...page.matchAll(/^\| `([^`]+)` \| (error|warn) \|/gm)];
    expect(rows).to.have.length.above(10);
    for (const [, msg = '', level = ''] of rows) {
      // Within one call: the level first, then no other call before the text.
      const said = new RegExp(
        `\\.${level}\\((?:(?!\\.(?:info|warn|error)\\()[^])*?'${msg.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}'`,
      );
      expect(
        source.some((file) => said.test(file)),
        `${level}: ${msg}`,
      ).to.be.true;
    }
    expect(source.some((file) => file.includes('the log is NOT what was sealed'))).to.be.true;
    expect(page).to.include('the log is NOT what was sealed');
  });

  it('names routes that the platform describes', async () => {
    const { body } = await server.client.call('GET', '/api/openapi.json');
    const paths = Object.keys((body as { readonly paths: object }).paths);
    for (const [, path] of page.matchAll(/`GET (\/[\w/]+)`/g)) expect(paths).to.include(path);
  });

  it('is right that a folder alone is backed up and restored', async () => {
    for (const name of ['EVENTSTORE_URL', 'MONGODB_URL'])
      for (const command of [
        ['backup', '--to', join(place.path, 'elsewhere')],
        ['restore', join(place.path, 'backups'), '--data', join(place.path, 'other')],
      ]) {
        const { code, stderr } = await runCommand(command, undefined, { [name]: 'esdb://127.0.0.1:1' });
        expect([code, stderr]).to.deep.equal([
          1,
          `${name}: the platform of these settings is not in a folder, so that its backup is one of its stores: see docs/operations.md. For a folder, unset what says so.\n`,
        ]);
      }
  });
});
