/** `npm run check`: types, layers, lint and format. Two at a time, all reported, exit code 1 when any fails. */
import { spawn } from 'node:child_process';

const checks = {
  types: ['node_modules/typescript/bin/tsc', '--noEmit'],
  script: ['node_modules/typescript/bin/tsc', '--noEmit', '--project', 'src/api/reference/assets'],
  layers: [
    'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
    'src',
    '--config',
    '.dependency-cruiser.cjs',
  ],
  lint: ['node_modules/eslint/bin/eslint.js', '--max-warnings', '0', '.'],
  format: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
};

function run(name: string, args: readonly string[]): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.on('close', (code) => {
    console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name}`);
    if (code !== 0) console.log(output);
    resolve(code === 0);
  });
  return promise;
}

const queue = Object.entries(checks);
const results: boolean[] = [];
async function worker(): Promise<void> {
  for (let next = queue.shift(); next; next = queue.shift()) results.push(await run(...next));
}
await Promise.all([worker(), worker()]);
process.exit(results.every(Boolean) ? 0 : 1);
