/** Health reports of agents: how many a whole Slipway takes in batches, and how soon a failure among them is acted upon. */
import { openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteEventStore } from '../src/adapters/sqlite/event-store.ts';
import { createSystemClock } from '../src/adapters/system-clock.ts';
import { AssignmentsAnswer } from '../src/api/plugin-manager/agent-schemas.ts';
import { CreatedApiKeyAnswer } from '../src/api/plugin-manager/user-schemas.ts';
import { slotEvents } from '../src/domain/slot.ts';
import type { LogPage, Position } from '../src/ports/event-store.ts';
import type { Assigned, Batches, BatchesTaken, Failures, FailuresTold } from './agents/load.ts';
import { type Child, startChild } from './child.ts';
import { bearer, loggedIn, type Target } from './http/client.ts';
import type { Load } from './http/load.ts';
import { type Lag, type Ready, type Rest, startSlipway } from './slipway.ts';
import { compared, median, percentile, type Row, row } from './table.ts';
import { inTurns } from './turns.ts';

export interface Sizes {
  /** Rollouts that report in batches. */
  readonly reporting: number;
  readonly batchesARound: number;
  readonly rounds: number;
  /** Once with so many rollouts in flight, and once with as many as must still run. */
  readonly failures: readonly { readonly inFlight: number; readonly failing: number }[];
}

const full: Sizes = {
  ...{ reporting: 100, batchesARound: 2_000, rounds: 5 },
  failures: [
    { inFlight: 1_000, failing: 1_000 },
    { inFlight: 10_000, failing: 1_000 },
  ],
};
/** With more than so many in flight they must run, however long it takes. */
const judgedUpTo = 1_000;
/** Not counted: in them code runs that is not compiled yet. */
const warmUps = 1;
/** What a thousand instances that are asked every ten seconds would tell, fifty times over. */
const wantedPerSecond = 5_000;
const instances = Array.from({ length: 50 }, (_, at) => `node-7.instance-${at}`);
const failuresPerSecond = 50;
const inOneTenant = 1_000;

export async function benchAgents(sizes: Sizes = full): Promise<Row[]> {
  const rows = await benchBatches(sizes);
  for (const one of sizes.failures) rows.push(...(await benchFailures(one)));
  return rows;
}

async function benchBatches(sizes: Sizes): Promise<Row[]> {
  const bare = startChild('http/bare.ts', { stderr: openSync('/dev/null', 'w') });
  try {
    const reference = await bare.next<Target>();
    return await withAgents(sizes.reporting, { totalInstances: instances.length }, async (world) => {
      const batches = sizes.batchesARound;
      const { deployments, url, load, slipway } = world;
      const report = (round: number, to: Pick<Batches, 'url' | 'headers'>): Promise<BatchesTaken> => {
        const sequence = round * Math.ceil(batches / sizes.reporting);
        const asked = { kind: 'batches', batches, instances, deployments, sequence } as const;
        return load.ask<BatchesTaken>({ ...asked, ...to } satisfies Batches);
      };
      const measured = await inTurns(
        { rounds: sizes.rounds, warmUps },
        async (round) => {
          const { perSecond, last } = await report(round, { url });
          return { perSecond, lag: (await slipway.ask<Lag>({ since: last })).ms / 1000 };
        },
        async (round) => (await report(round, { url: reference.url, headers: bearer(reference) })).perSecond,
      );
      const what = `health reports in batches of ${instances.length}, ${sizes.reporting} rollouts in flight`;
      const ours = measured.ours.map(({ perSecond }) => perSecond);
      const lags = measured.ours.map(({ lag }) => lag);
      return [
        row(`${what} (reference: those wanted)`, 'reports/s', median(ours), wantedPerSecond, { atLeast: 1 }),
        compared(`${what} (reference: Express, nothing stored)`, 'reports/s', ours, measured.reference, null),
        row('lag of the read models after them, worst', 's', Math.max(...lags), 1, { atMost: 1 }),
      ];
    });
  } finally {
    await bare.stop();
  }
}

/** @param sizes.failing beside those that stay in flight */
async function benchFailures({ inFlight, failing }: Sizes['failures'][number]): Promise<Row[]> {
  // Hours may pass until the next report is due: those that are not reported on must not fall silent.
  const healthCheck = { intervalSeconds: 3_600, failureThreshold: 1 };
  let passMs: readonly number[] = [];
  const decidedMs: number[] = [];
  await withAgents(
    inFlight + failing,
    { healthCheck },
    async ({ url, deployments, load, slipway, folder }) => {
      const begin = {
        kind: 'batches',
        batches: deployments.length,
        instances: ['only'],
        sequence: 0,
      } as const;
      await load.ask<BatchesTaken>({ ...begin, url, deployments } satisfies Batches);
      // All that began bakes, and nobody waits behind it.
      await slipway.ask<Rest>({ rest: true });
      const asked = { kind: 'failures', perSecond: failuresPerSecond } as const;
      const told = await load.ask<FailuresTold>({
        ...{ ...asked, url },
        // Of every tenant.
        deployments: deployments
          .filter((_, at) => at % Math.floor(deployments.length / failing) === 0)
          .slice(0, failing),
      } satisfies Failures);
      ({ passMs } = told);
      // The last of them is decided on.
      await slipway.ask<Rest>({ rest: true });
      await slipway.stop();
      decidedMs.push(...(await decisions(folder, told.failedAt)));
    },
  );
  if (decidedMs.length !== failing) throw new Error(`${decidedMs.length} of ${failing} went back`);
  return [
    row(
      `failure reported → going back on disk, p99, ${inFlight} rollouts in flight (reference: a report on disk, p99)`,
      'ms',
      percentile(decidedMs, 0.99),
      percentile(passMs, 0.99),
      inFlight > judgedUpTo ? null : { atMost: 3 },
    ),
  ];
}

interface World {
  readonly url: string;
  readonly deployments: readonly Assigned[];
  readonly slipway: Child;
  readonly load: Child;
  readonly folder: string;
}

/** A Slipway with so many rollouts in flight, at most a thousand in a tenant, each of a plugin of its own. */
async function withAgents<T>(
  count: number,
  deployment: object,
  use: (world: World) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const slipway = startSlipway(folder, { SLIPWAY_RUNTIME: 'agent' });
  const [load, http] = [startChild('agents/load.ts'), startChild('http/load.ts')];
  try {
    const ours = await loggedIn((await slipway.next<Ready>()).url);
    const post = async (path: string, body: object): Promise<unknown> => {
      const response = await fetch(`${ours.url}/api/v1${path}`, {
        method: 'POST',
        headers: { ...bearer(ours), 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return response.json();
    };
    const many = (path: string, body: object, requests: number): Promise<unknown> => {
      const asked = { url: ours.url, method: 'POST', path: `/api/v1${path}`, requests } as const;
      return http.ask({ ...asked, headers: bearer(ours), body: JSON.stringify(body) } satisfies Load);
    };
    const version = { semanticVersion: '1.0.0', state: 'Stable', runtime: { type: 'DotNet8' } };
    const plugin = { pluginId: 'plugin-%n', name: 'A plugin', version };
    await many('/plugins', plugin, Math.min(count, inOneTenant));
    const deployments: Assigned[] = [];
    for (let tenant = 0; deployments.length < count; tenant += 1) {
      const scope = { tenantId: `acme-${tenant}`, environment: 'Production' };
      await post('/tenants', { tenantId: scope.tenantId, name: 'Acme' });
      const { key } = CreatedApiKeyAnswer.parse(await post('/api-keys', { name: 'Agents', scope }));
      const asked = {
        ...{ pluginId: 'plugin-%n', pluginVersion: '1.0.0', ...scope },
        // Longer than anything here.
        strategyConfig: { bakeSeconds: '86400' },
        ...deployment,
      };
      const here = Math.min(inOneTenant, count - deployments.length);
      await many('/plugin-deployments', asked, here);
      deployments.push(...(await assigned(ours.url, key, here)));
    }
    return await use({ url: ours.url, deployments, slipway, load, folder });
  } finally {
    await Promise.allSettled([slipway, load, http].map((child) => child.stop()));
    await rm(folder, { recursive: true });
  }
}

/** Once all are assigned. */
async function assigned(url: string, key: string, count: number): Promise<readonly Assigned[]> {
  const headers = { 'X-API-Key': key };
  for (let query = '', tries = 0; tries < 1_000; tries += 1) {
    const response = await fetch(`${url}/api/v1/agent/assignments${query}`, { headers });
    const { cursor, assignments } = AssignmentsAnswer.parse(await response.json());
    const found = assignments.flatMap(({ epoch, deployments }) =>
      deployments.map(({ deploymentId }) => ({ deploymentId, epoch, key })),
    );
    if (found.length === count) return found;
    query = `?after=${cursor}&wait=5`;
  }
  throw new Error(`${count} deployments were not assigned`);
}

/**
 * Milliseconds from a failure's sending to what the rollout process does once its decision to go back is on disk: it turns the slot.
 * @param failedAt milliseconds since 1970, by deployment
 */
async function decisions(folder: string, failedAt: FailuresTold['failedAt']): Promise<readonly number[]> {
  const store = await openSqliteEventStore({ path: join(folder, 'log.db'), clock: createSystemClock() });
  const ms: number[] = [];
  try {
    for (let after: Position | null = null; ;) {
      const page: LogPage = await store.readAll({ after, limit: 1_000 });
      for (const { type, data, metadata } of page.events) {
        if (type !== 'SlotTurned') continue;
        const sent = failedAt[slotEvents.SlotTurned.data.parse(data).ended];
        if (sent !== undefined) ms.push(Date.parse(metadata.at) - sent);
      }
      if (page.end) return ms;
      after = page.next;
    }
  } finally {
    await store.close();
  }
}
