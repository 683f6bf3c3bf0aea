/** All benchmarks by name. */
import { benchAppend } from './append.ts';
import { benchFold } from './fold.ts';
import { benchHttp } from './http.ts';
import { benchStart } from './start.ts';
import type { Row } from './table.ts';

type Benchmark = () => Promise<Row[]>;
type BenchmarkName = 'append' | 'http' | 'fold' | 'start';

export const benchmarks: Readonly<Record<BenchmarkName, Benchmark>> = {
  append: benchAppend,
  http: benchHttp,
  fold: benchFold,
  start: benchStart,
};

export function isBenchmark(name: string): name is BenchmarkName {
  return Object.hasOwn(benchmarks, name);
}
