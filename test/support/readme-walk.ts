/** The README's first five minutes, pasted as they stand: the server into one shell, the rest into another. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { expect } from 'chai';
import { embedded } from './stores.ts';
import { temporaryFolder } from './temporary-folder.ts';

const root = resolve(import.meta.dirname, '../..');

async function blocks(kind: 'server' | 'client'): Promise<string> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const found = [...readme.matchAll(/<!-- run: (\w+) -->\n```sh\n([^]*?)```/g)];
  return found.flatMap(([, of, text]) => (of === kind && text ? [text] : [])).join('\n');
}

function urlTold(stdout: Readable): Promise<string> {
  const { promise, resolve: found, reject } = Promise.withResolvers<string>();
  let told = '';
  stdout.on('data', (chunk: Buffer) => {
    told += chunk.toString();
    const url = /Slipway is at (http:\/\/[\d.:]+):/.exec(told)?.[1];
    if (url) found(url);
  });
  stdout.on('end', () => reject(new Error(`the server ended without telling where it is: ${told}`)));
  return promise;
}

/** @param stores settings of those that are not embedded */
export async function walkReadme(stores: Readonly<Record<string, string>>): Promise<void> {
  const folder = await temporaryFolder();
  const settings = { SLIPWAY_DATA_DIR: join(folder.path, 'data'), PORT: '0', LOG_LEVEL: 'warn' };
  const server = spawn('sh', ['-c', await blocks('server')], {
    cwd: root,
    env: { ...process.env, ...embedded, ...settings, ...stores },
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own, to be ended as Ctrl-C in a terminal does.
    detached: true,
  });
  try {
    const url = await urlTold(server.stdout);
    // The documentation says 3000; here the system chose a port.
    const client = (await blocks('client')).replaceAll('http://127.0.0.1:3000', url);
    const shims =
      spawnSync('sh', ['-c', 'command -v curl']).status === 0 ? '' : join(root, 'test/support/shims') + ':';
    const shell = spawn('sh', ['-c', client], {
      env: { ...process.env, no_proxy: '*', PATH: `${shims}${process.env['PATH'] ?? ''}` },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    shell.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    shell.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await once(shell, 'close');
    for (const stage of [1, 2, 3, 4])
      expect(output).to.match(new RegExp(`"phase":"Baking" "stage":${stage} `));
    const ends = [...output.matchAll(/^\{"deploymentId".*?"status":"(\w+)"/gm)].map(([, status]) => status);
    expect(ends, output).to.deep.equal(['Completed', 'Completed', 'RolledBack']);
    expect(output).to.match(/"reason":"1 of 1 new instance failed 3 probes in a row/);
    expect(output.trimEnd().split('\n').at(-1)).to.match(/"code":"CONFLICT"/);
  } finally {
    process.kill(-server.pid!, 'SIGINT');
    await once(server, 'close');
    await folder.remove();
  }
}
