/** What the demo does, in its order: an ordinary client of the API that also says what it does. */
import { z } from 'zod';
import { newPlugin, newTenant } from '../api/plugin-manager/request-examples.ts';
import { type Call, type Caller, curlLine, NotAsExpected } from './calls.ts';
import type { Received } from './receiver.ts';
import type { Teller } from './telling.ts';

export interface Stage {
  readonly call: Caller;
  readonly teller: Teller;
  /** Shows a deployment until it has ended. @returns its status */
  readonly follow: (deploymentId: string) => Promise<string>;
  readonly receiver: {
    readonly url: string;
    readonly secret: string;
    /** What the receiver got of this type about this deployment, as soon as it did. */
    readonly awaited: (type: string, deploymentId: string) => Promise<Received>;
  };
}

const corePayments = {
  pluginId: 'core-payments',
  name: 'Core Payments',
  category: 'PaymentGateway',
  version: { semanticVersion: '1.4.0', state: 'Stable', runtime: { type: 'DotNet8', version: '8.0' } },
};
const laterStripe = (semanticVersion: string, releaseNotes: string) => ({
  pluginId: newPlugin.pluginId,
  name: newPlugin.name,
  version: { semanticVersion, state: 'Beta', runtime: newPlugin.version.runtime, releaseNotes },
});

const slot = { tenantId: newTenant.tenantId, environment: 'Production' };
/** As short as the rules of rollouts allow, which want three probes a stage: people bake for minutes and hours. */
const hasty = { healthCheck: { intervalSeconds: 1 } };
const direct = { ...hasty, strategy: 'Direct', strategyConfig: { bakeSeconds: '2' } };
const canary = (stageInterval: string) => ({
  ...hasty,
  strategy: 'Canary',
  strategyConfig: { canaryPercentage: '10', stages: '10,50,100', stageInterval },
});

const Deployed = z.object({ deploymentId: z.string(), runtime: z.string() });
const Anything = z.unknown();

interface Plugin {
  readonly pluginId: string;
  readonly version: { readonly semanticVersion: string };
}

/** @throws {NotAsExpected} when anything ends otherwise than it should */
export async function play({ call, teller, follow, receiver }: Stage): Promise<void> {
  const secrets = { SECRET: receiver.secret };

  async function make<T>(title: string, asked: Call, answer: z.ZodType<T>): Promise<T> {
    teller.step(title);
    teller.command(curlLine(asked, secrets));
    return call(asked, answer);
  }

  async function publish(title: string, body: Plugin): Promise<void> {
    const { pluginId, version } = body;
    const idempotencyKey = `demo-${pluginId}-${version.semanticVersion}`;
    await make(title, { method: 'POST', path: '/v1/plugins', body, idempotencyKey }, Anything);
    teller.good(`Published: ${pluginId} ${version.semanticVersion}`);
  }

  async function deploy(title: string, body: { pluginId: string; pluginVersion: string }, end: string) {
    const asked: Call = {
      ...{ method: 'POST', path: '/v1/plugin-deployments', body: { ...body, ...slot } },
      idempotencyKey: `demo-deploy-${body.pluginId}-${body.pluginVersion}`,
    };
    const { deploymentId, runtime } = await make(title, asked, Deployed);
    teller.say(`Accepted as ${deploymentId}; its instances are ${runtime}. Ask how it is with`);
    teller.command(curlLine({ method: 'GET', path: `/v1/plugin-deployments/${deploymentId}` }));
    const status = await follow(deploymentId);
    if (status !== end)
      throw new NotAsExpected(`${deploymentId} should have ended as ${end}, and ended as ${status}`);
    return deploymentId;
  }

  const tenant: Call = {
    method: 'POST',
    path: '/v1/tenants',
    body: newTenant,
    idempotencyKey: 'demo-tenant',
  };
  await make('A tenant', tenant, Anything);
  teller.good(`Created: ${newTenant.tenantId}`);

  const events = ['deployment.completed', 'deployment.rolled_back'];
  const webhook = { url: receiver.url, events, secret: receiver.secret };
  const { id: webhookId } = await make(
    'A webhook, so that somebody is told at night',
    { method: 'POST', path: '/webhooks', body: webhook },
    z.object({ id: z.string() }),
  );
  teller.good(`Created: ${webhookId}, which calls ${receiver.url} with what it signs`);

  await publish('A plugin', corePayments);
  await publish('A plugin that requires it', newPlugin);
  const core = { pluginId: 'core-payments', pluginVersion: '1.4.0', ...direct };
  await deploy('Deploy the first at once', core, 'Completed');
  const ofStripe = (pluginVersion: string) => ({
    pluginId: 'payment-stripe',
    pluginVersion,
    totalInstances: 10,
  });
  const first = { ...ofStripe('2.0.0'), ...direct };
  await deploy('Deploy the first version of the other', first, 'Completed');

  await publish('A second version', laterStripe('2.1.0', 'Faster refunds'));
  const second = { ...ofStripe('2.1.0'), ...canary('3') };
  await deploy('Let it grow as a canary: 1, 5, then 10 instances', second, 'Completed');

  await publish('A third version, which is bad', laterStripe('2.2.0', 'A rewrite over the weekend'));
  const third = { ...ofStripe('2.2.0'), ...canary('5'), configuration: { simulate: 'sick-after:9' } };
  const title = 'Let it grow as well: its instances are told to fall sick after nine seconds. Nobody watches';
  const sick = await deploy(title, third, 'RolledBack');
  teller.good('It went back by itself. Version 2.1.0 never stopped serving.');

  const history: Call = { method: 'GET', path: `/v1/plugin-deployments/${sick}/history` };
  const { entries } = await make('Why? The history tells it, with the evidence', history, History);
  const decision = entries.find(({ event }) => event === 'RollbackStarted');
  if (!decision) throw new NotAsExpected(`The history of ${sick} does not say why it went back`);
  teller.bad(decision.summary);
  for (const sentence of [decision.reason, ...decision.evidence]) teller.say(`- ${sentence}`);

  const told = await receiver.awaited('deployment.rolled_back', sick);
  const deliveries: Call = { method: 'GET', path: `/webhooks/${webhookId}/deliveries` };
  await make('Who was told? The receiver of the webhook was', deliveries, Anything);
  teller.good(`${told.type} arrived as ${told.id}, and its signature is genuine. It says:`);
  teller.say(JSON.stringify({ reason: told.data['reason'], evidence: told.data['evidence'] }));
}

const History = z.object({
  entries: z.array(
    z.object({
      event: z.string(),
      summary: z.string(),
      reason: z.string().nullable(),
      evidence: z.array(z.string()),
    }),
  ),
});
