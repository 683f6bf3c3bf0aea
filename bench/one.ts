/** One benchmark, in a process of its own: what another one has compiled or left on the heap does not count. */
import { benchmarks, isBenchmark } from './benchmarks.ts';
import { tell } from './child.ts';

const name = process.env['SLIPWAY_BENCHMARK'] ?? '';
if (!isBenchmark(name)) throw new Error(`there is no benchmark ${name}`);
delete process.env['SLIPWAY_BENCHMARK'];
tell({ rows: await benchmarks[name]() });
process.disconnect?.();
