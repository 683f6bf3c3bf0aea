/** What documentation tells people to type, typed. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** The blocks of a page that are marked `<!-- run: client -->`, in order. @param page below the project's folder */
export async function clientBlocks(page: string): Promise<readonly string[]> {
  const text = await readFile(join(root, page), 'utf8');
  return [...text.matchAll(/<!-- run: client -->\n```sh\n([^]*?)```/g)].map(([, block]) => block ?? '');
}

/** @returns what a script prints. Where there is no curl, test/support/shims has what of it the documentation uses. */
export async function printed(script: string, variables: Readonly<Record<string, string>>): Promise<string> {
  const shims =
    spawnSync('sh', ['-c', 'command -v curl']).status === 0 ? '' : join(root, 'test/support/shims') + ':';
  const shell = spawn('sh', ['-c', script], {
    env: { ...process.env, ...variables, no_proxy: '*', PATH: `${shims}${process.env['PATH'] ?? ''}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  shell.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(shell, 'close');
  return text;
}
