/** What summaries say of a deployment's health, in blocks of six hours: a window of 90 days is one page of documents. */
import type { Collection, Documents } from '../core/projection.ts';
import { healthSummaryEvents, spanOf, summaryRetention } from '../domain/health/summary.ts';
import type { Span } from '../domain/health/span.ts';
import type { DeploymentId } from '../domain/ids.ts';
import type { CollectionSpec, ReadModels, Scope } from '../ports/read-models.ts';
import { rememberSummary } from './deployment-health.ts';
import { on } from './event-data.ts';

interface HealthBlock {
  readonly deploymentId: DeploymentId;
  /** When it begins, wall milliseconds. */
  readonly from: number;
  /** By revision. */
  readonly spans: readonly Span[];
}

/** Who has a block of a time, by the block's `from`: so that it can be removed when the time has passed. */
interface BlocksOfTime {
  readonly deployments: readonly DeploymentId[];
}

/** One document: of which times there are blocks. */
interface BlockTimes {
  readonly times: readonly number[];
}

const healthBlocks: Collection<HealthBlock> = {
  name: 'health_blocks',
  visibility: 'tenant',
  indexes: [{ fields: ['deploymentId', 'from'] }],
  text: [],
};

const blocksOfTimes: Collection<BlocksOfTime> = {
  name: 'health_blocks_of_times',
  visibility: 'tenant',
  indexes: [],
  text: [],
};

const blockTimes: Collection<BlockTimes> = {
  name: 'health_block_times',
  visibility: 'tenant',
  indexes: [],
  text: [],
};

export const historyCollections: readonly CollectionSpec[] = [healthBlocks, blocksOfTimes, blockTimes];

const blockMs = 6 * 3_600_000;
const keptMs = summaryRetention.maxAgeSeconds * 1000;

export const onHealthSummarised = on(healthSummaryEvents.HealthSummarised, async (summary, documents) => {
  const { deploymentId, tenant } = summary;
  const span = spanOf(summary);
  await rememberSummary(documents, deploymentId, tenant, span);
  const from = span.from - (span.from % blockMs);
  const block = await documents.get(healthBlocks, idOf(deploymentId, from));
  const spans = [...(block?.spans ?? []), span];
  documents.put(healthBlocks, idOf(deploymentId, from), tenant, { deploymentId, from, spans });
  if (!block) await enter(documents, deploymentId, from);
});

/** As blocks of a time come, those leave that ended 90 days before, whosever they are. */
async function enter(documents: Documents, deploymentId: DeploymentId, from: number): Promise<void> {
  const known = await documents.get(blocksOfTimes, String(from));
  const deployments = [...(known?.deployments ?? []), deploymentId];
  documents.put(blocksOfTimes, String(from), null, { deployments });
  if (known) return;
  const times = [...((await documents.get(blockTimes, 'all'))?.times ?? []), from];
  const isOver = (time: number): boolean => time + blockMs + keptMs <= from;
  for (const time of times.filter(isOver)) await remove(documents, time);
  documents.put(blockTimes, 'all', null, { times: times.filter((time) => !isOver(time)) });
}

async function remove(documents: Documents, time: number): Promise<void> {
  const blocks = await documents.get(blocksOfTimes, String(time));
  for (const id of blocks?.deployments ?? []) documents.delete(healthBlocks, idOf(id, time));
  documents.delete(blocksOfTimes, String(time));
}

function idOf(deploymentId: DeploymentId, from: number): string {
  return `${deploymentId}/${from}`;
}

/** Spans that end behind `fromMs` (wall milliseconds, at most 90 days ago), and before them the last block that is older. By revision. */
export async function summariesOf(
  models: ReadModels,
  scope: Scope,
  deploymentId: DeploymentId,
  fromMs: number,
): Promise<readonly Span[]> {
  const first = fromMs - (fromMs % blockMs);
  const sort = [{ path: 'from', order: 'desc' }] as const;
  const blocks = (bounds: { readonly gte: number } | { readonly lt: number }, limit: number) =>
    models.find<HealthBlock>(healthBlocks.name, {
      scope,
      filter: { and: [{ equal: ['deploymentId', deploymentId] }, { range: ['from', bounds] }] },
      sort,
      limit,
    });
  const [within, before] = await Promise.all([blocks({ gte: first }, 1_000), blocks({ lt: first }, 1)]);
  return [...within.documents, ...before.documents]
    .flatMap(({ data }) => data.spans)
    .sort((a, b) => a.after - b.after);
}
