/** Agents, as many as it takes: batches of reports as fast as they are taken, or some reports a second of which some fail. */
import autocannon from 'autocannon';
import { tell } from '../child.ts';

export interface Assigned {
  readonly deploymentId: string;
  readonly epoch: number;
  /** Of the agents of its tenant. */
  readonly key: string;
}

interface Asked {
  readonly url: string;
  /** Instead of the key of the agents. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly deployments: readonly Assigned[];
}

export interface Batches extends Asked {
  readonly kind: 'batches';
  /** Names: each batch has a report of each. */
  readonly instances: readonly string[];
  readonly batches: number;
  /** Of the first batch of each deployment. */
  readonly sequence: number;
}

export interface BatchesTaken {
  /** Reports. */
  readonly perSecond: number;
  /** When the last answer came, in milliseconds since 1970. */
  readonly last: number;
}

/** Every deployment's one instance passes once more, then fails. */
export interface Failures extends Asked {
  readonly kind: 'failures';
  /** Deployments. */
  readonly perSecond: number;
}

export interface FailuresTold {
  /** Milliseconds until a pass was on disk and answered. */
  readonly passMs: readonly number[];
  /** When the failure of each was sent, in milliseconds since 1970. */
  readonly failedAt: Readonly<Record<string, number>>;
}

const connections = 16;

function pathOf({ deploymentId }: Assigned): string {
  return `/api/v1/plugin-deployments/${deploymentId}/health-reports`;
}

async function sendBatches(asked: Batches): Promise<BatchesTaken> {
  const { url, deployments, instances, batches } = asked;
  let sent = 0;
  let last = 0;
  const { promise, resolve, reject } = Promise.withResolvers<autocannon.Result>();
  const request = (base: autocannon.Request): autocannon.Request => {
    const of = deployments[sent % deployments.length];
    if (!of) throw new Error('nothing is deployed');
    const sequence = asked.sequence + Math.floor(sent / deployments.length);
    sent += 1;
    const metrics = { requests: 240, errors: 1, responseTime: 31 };
    const reports = instances.map((instance) => ({
      ...{ instance, sequence, outcome: 'pass', latencyMs: 12, metrics },
    }));
    const headers = { ...base.headers, ...(asked.headers ?? { 'X-API-Key': of.key }) };
    return { ...base, headers, path: pathOf(of), body: JSON.stringify({ epoch: of.epoch, reports }) };
  };
  const started = performance.now();
  let ended = started;
  const run = autocannon(
    {
      ...{ url, connections, amount: batches, timeout: 60 },
      requests: [
        {
          ...{ method: 'POST', path: '/' },
          headers: { 'content-type': 'application/json' },
          setupRequest: request,
        },
      ],
    },
    (error: Error | null, result) => (error ? reject(error) : resolve(result)),
  );
  run.on('response', () => {
    ended = performance.now();
    last = Date.now();
  });
  const result = await promise;
  if (result['2xx'] !== batches)
    throw new Error(`of ${batches} batches: ${JSON.stringify(result.statusCodeStats)}`);
  return { perSecond: (batches * instances.length * 1000) / (ended - started), last };
}

async function sendFailures({ url, deployments, perSecond }: Omit<Failures, 'kind'>): Promise<FailuresTold> {
  const passMs: number[] = [];
  const failedAt: Record<string, number> = {};
  const report = async (of: Assigned, sequence: number, outcome: string): Promise<void> => {
    const response = await fetch(url + pathOf(of), {
      method: 'POST',
      headers: { 'X-API-Key': of.key, 'content-type': 'application/json' },
      body: JSON.stringify({ epoch: of.epoch, reports: [{ instance: 'only', sequence, outcome }] }),
    });
    const answer = (await response.json()) as { readonly accepted?: number };
    if (answer.accepted !== 1) throw new Error(`${response.status}: ${JSON.stringify(answer)}`);
  };
  const started = performance.now();
  const running = deployments.map(async (of, at) => {
    const due = started + (at * 1000) / perSecond;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    const sent = performance.now();
    await report(of, 1, 'pass');
    passMs.push(performance.now() - sent);
    failedAt[of.deploymentId] = performance.timeOrigin + performance.now();
    await report(of, 2, 'fail');
  });
  await Promise.all(running);
  return { passMs, failedAt };
}

process.on('message', (message: Batches | Failures) => {
  void (message.kind === 'batches' ? sendBatches(message) : sendFailures(message)).then(tell);
});
process.once('SIGTERM', () => process.exit(0));
