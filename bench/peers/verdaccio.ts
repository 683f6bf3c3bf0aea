/** A Verdaccio (a registry of npm packages) for comparison: installed below the system's temporary folder at its first use, never into the project. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const version = '6.10.4';

export interface Verdaccio {
  readonly url: string;
  stop(): Promise<void>;
}

/** Anybody may publish: it checks no token, which is to its advantage. @param folder for its packages */
export async function startVerdaccio(folder: string): Promise<Verdaccio> {
  const program = await installed();
  const port = await freePort();
  const config = join(folder, 'verdaccio.json');
  const everybody = { access: '$all', publish: '$all', unpublish: '$all' };
  // JSON is YAML, which it reads.
  await writeFile(
    config,
    JSON.stringify({
      storage: join(folder, 'storage'),
      auth: { htpasswd: { file: join(folder, 'htpasswd'), max_users: -1 } },
      uplinks: {},
      packages: { '**': everybody },
      log: { type: 'file', path: join(folder, 'verdaccio.log'), format: 'json', level: 'http' },
      web: { enable: false },
    }),
  );
  const child = spawn(
    process.execPath,
    [program, '--config', config, '--listen', `http://127.0.0.1:${port}`],
    {
      cwd: folder,
      stdio: 'ignore',
    },
  );
  const url = `http://127.0.0.1:${port}`;
  await answering(`${url}/-/ping`, child);
  return {
    url,
    async stop() {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

async function installed(): Promise<string> {
  const home = join(tmpdir(), `slipway-bench-verdaccio-${version}`);
  const program = join(home, 'node_modules/verdaccio/bin/verdaccio');
  if (existsSync(program)) return program;
  await mkdir(home, { recursive: true });
  // The tag that one of its dependencies asks for is not on every mirror.
  const manifest = {
    private: true,
    dependencies: { verdaccio: version },
    overrides: { 'node-fetch': '2.7.0' },
  };
  await writeFile(join(home, 'package.json'), JSON.stringify(manifest));
  await promisify(execFile)('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: home });
  return program;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`Verdaccio ended with ${child.exitCode}`);
    const answered = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('Verdaccio does not answer');
}

/** What `npm publish` sends for a package that carries what our own example carries, with a tarball of a kilobyte. */
export function publishBody(name: string): string {
  const packageName = `${name}-%n`;
  const file = `${packageName}-2.0.0.tgz`;
  const bytes = Buffer.alloc(1_024, 7);
  const manifest = {
    name: packageName,
    version: '2.0.0',
    description: 'Process payments via Stripe API',
    keywords: ['payment', 'stripe', 'credit-card'],
    dependencies: { 'core-payments': '>=1.0.0 <2.0.0' },
    dist: {
      shasum: createHash('sha1').update(bytes).digest('hex'),
      tarball: `http://127.0.0.1/${packageName}/-/${file}`,
    },
  };
  return JSON.stringify({
    _id: packageName,
    name: packageName,
    description: manifest.description,
    'dist-tags': { latest: '2.0.0' },
    versions: { '2.0.0': manifest },
    _attachments: {
      [file]: {
        content_type: 'application/octet-stream',
        data: bytes.toString('base64'),
        length: bytes.length,
      },
    },
  });
}
