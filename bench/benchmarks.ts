/** All benchmarks by name. */
import { benchAgents } from './agents.ts';
import { benchAppend } from './append.ts';
import { benchAudit } from './audit.ts';
import { benchEventStoreDb } from './eventstoredb.ts';
import { benchFold } from './fold.ts';
import { benchHttp } from './http.ts';
import { benchLog } from './log.ts';
import { benchMongo } from './mongodb.ts';
import { benchProjections } from './projections.ts';
import { benchReads } from './reads.ts';
import { benchSearch } from './search.ts';
import { benchSeals } from './seals.ts';
import { benchSockets } from './sockets.ts';
import { benchStart } from './start.ts';
import type { Row } from './table.ts';
import { benchVerdaccio } from './verdaccio.ts';

type Benchmark = () => Promise<Row[]>;
type BenchmarkName =
  | 'append'
  | 'log'
  | 'projections'
  | 'mongodb'
  | 'http'
  | 'reads'
  | 'search'
  | 'verdaccio'
  | 'agents'
  | 'sockets'
  | 'fold'
  | 'audit'
  | 'seals'
  | 'start'
  | 'eventstoredb';

export const benchmarks: Readonly<Record<BenchmarkName, Benchmark>> = {
  append: benchAppend,
  log: () => benchLog(),
  projections: () => benchProjections(),
  mongodb: () => benchMongo(),
  http: benchHttp,
  reads: benchReads,
  search: benchSearch,
  verdaccio: benchVerdaccio,
  agents: () => benchAgents(),
  sockets: () => benchSockets(),
  fold: benchFold,
  audit: () => benchAudit(),
  seals: () => benchSeals(),
  start: benchStart,
  eventstoredb: benchEventStoreDb,
};

export function isBenchmark(name: string): name is BenchmarkName {
  return Object.hasOwn(benchmarks, name);
}
