/**
 * `npm run bench`: measures, prints a table and keeps it in bench/results. `npm run bench -- append http` measures those alone.
 * A missed target is a NO in the table, never a failure: machines are noisy.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { benchmarks, isBenchmark } from './benchmarks.ts';
import { startChild } from './child.ts';
import { met, type Row, table } from './table.ts';

const names = Object.keys(benchmarks);
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !isBenchmark(name));
if (unknown.length > 0) {
  console.error(`there is no benchmark ${unknown.join(', ')}: there are ${names.join(', ')}`);
  process.exit(2);
}

const chosen = asked.length === 0 ? names : asked;
const busy = loadavg()[0]?.toFixed(1);
const rows: Row[] = [];
for (const name of chosen) {
  console.error(`measuring ${name} …`);
  const child = startChild('one.ts', { env: { SLIPWAY_BENCHMARK: name } });
  rows.push(...(await child.next<{ rows: Row[] }>()).rows);
  await child.stop();
}

const text = [
  `# ${new Date().toISOString()}`,
  '',
  machine(),
  '',
  table(rows),
  '',
  rows.every(met) ? 'All targets met.' : 'Targets were missed: see NO.',
  '',
].join('\n');
console.log(text);
const folder = new URL('results/', import.meta.url);
await mkdir(folder, { recursive: true });
const part = asked.length === 0 ? '' : `-${asked.join('-')}`;
const file = new URL(`${new Date().toISOString().slice(0, 10)}${part}.md`, folder);
await writeFile(file, text);
console.error(`written to ${fileURLToPath(file)}`);

function machine(): string {
  const database = new DatabaseSync(':memory:');
  const sqlite = String(database.prepare('SELECT sqlite_version() AS version').get()?.['version']);
  database.close();
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB`;
  const cores = `${availableParallelism()} cores (${cpus()[0]?.model ?? 'of an unknown model'})`;
  return `${cores}, ${memory}, ${process.platform} ${process.arch}, Node ${process.version}, SQLite ${sqlite}; load average before the run ${busy}`;
}
