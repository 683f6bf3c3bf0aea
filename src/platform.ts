/** The platform without a face: everything between the ports and the commands, and the processes that run by themselves. */
import { hostname } from 'node:os';
import { parseScenario, scenarioNames } from './adapters/simulated/scenario.ts';
import type { DependantsDeps } from './commands/check-dependants.ts';
import type { DeletePluginDeps } from './commands/delete-plugin.ts';
import type { DeployPluginDeps } from './commands/check-deployment.ts';
import type { Config } from './config.ts';
import type { Ports } from './container.ts';
import { createExecutor } from './core/command-executor.ts';
import type { Executor } from './core/executor.ts';
import { leadAlone, leadByLease, type Leadership, type Term } from './core/leadership.ts';
import { createProcessRunner, type ProcessManager, type ProcessRunner } from './core/process-runner.ts';
import { createProjector, type Projector } from './core/projector.ts';
import { within } from './core/term-executor.ts';
import { sleep } from './core/waiting.ts';
import { createSchemas, type Schemas } from './core/schemas.ts';
import type { Projection } from './core/projection.ts';
import { createWebhookSecrets, type WebhookSecrets } from './core/webhook-secrets.ts';
import { refuse } from './domain/refusal.ts';
import { allEvents } from './events.ts';
import type { Log } from './ports/log.ts';
import { createProber, type Prober } from './processes/prober.ts';
import { deletionProcess } from './processes/deletions.ts';
import { healthSummaries } from './processes/health-summaries.ts';
import { quotaKeeper } from './processes/quota-keeper.ts';
import { rolloutProcess } from './processes/rollout-process.ts';
import { createRollouts } from './processes/rollouts.ts';
import { createWitness } from './processes/witness.ts';
import { createWebhookSender, type WebhookSender } from './processes/webhook-sender.ts';
import { webhookProcess } from './processes/webhooks.ts';
import { allProjections } from './projections.ts';
import { serverRoles, type ServerRole } from './roles.ts';
import { dueSummaries, getKnownHealth } from './projections/deployment-health.ts';
import { createAnnouncer } from './projections/announcements/announcer.ts';
import { dueSlots, inFlightDeployments } from './projections/deployments.ts';
import { deletionsSince } from './projections/plugins.ts';
import { dueClaims, occupiedSlots, occupiedSlotsBeside, occupiedSlotsOf } from './projections/slots.ts';
import { reservedSlots } from './projections/usage.ts';

export interface Platform {
  readonly schemas: Schemas;
  readonly executor: Executor;
  readonly projector: Projector;
  readonly processes: ProcessRunner;
  /** Whether other processes may serve the same platform, by the same stores. */
  readonly isShared: boolean;
  readonly leadership: Leadership;
  /** At rest where another process leads the rollouts. */
  readonly prober: Pick<Prober, 'idle'>;
  readonly projections: readonly Projection[];
  /** At rest where another process leads it. */
  readonly webhookSender: Pick<WebhookSender, 'idle'>;
  readonly webhookSecrets: WebhookSecrets;
  readonly scenarioOf: DeployPluginDeps['scenarioOf'];
  readonly occupiedSlots: DeletePluginDeps['occupiedSlots'];
  readonly slotsBeside: DependantsDeps['slotsBeside'];
  /** Ends what runs by itself; the ports stay open. */
  stop(): Promise<void>;
}

const purgeEveryMs = 3_600_000;

/**
 * Nothing runs yet: `projector.start()`, then `processes.start()`.
 * @param tuning.roles what this process does of what one at a time does, default all
 */
export function createPlatform(
  ports: Ports,
  config: Pick<Config, 'SLIPWAY_SIMULATE'>,
  log: Log,
  {
    cachedStates,
    roles = serverRoles,
    ...tuning
  }: {
    readonly pollMs?: number;
    readonly cachedStates?: number;
    readonly roles?: readonly ServerRole[];
  } = {},
): Platform {
  const { eventStore: store, readModels: models, snapshots, runtimes, clock, vault, leases } = ports;
  const leadership = leases
    ? leadByLease({ leases, holder: `${hostname()} ${process.pid}`, clock, log })
    : leadAlone({ clock, log });
  const schemas = createSchemas(allEvents);
  const cached = cachedStates === undefined ? {} : { cachedStates };
  const executor = createExecutor({ store, schemas, snapshots, clock, log, ...cached });
  const announcer = () => createAnnouncer({ store, schemas, executor, vault });
  const projections = allProjections(announcer());
  const projector = createProjector({
    ...{ store, models, schemas, projections, clock, log },
    leadership: roles.includes('projector') ? leadership : null,
  });
  const questions = {
    occupied: async () => (await Array.fromAsync(occupiedSlots(models))).map(({ key }) => key),
    open: () => Array.fromAsync(inFlightDeployments(models)),
    due: (span: Parameters<typeof dueSlots>[1], limit: number) => dueSlots(models, span, limit),
    dueClaims: (nowMs: number, limit: number) => dueClaims(models, nowMs, limit),
  };
  const slots = async () => [
    ...new Set([...(await questions.occupied()), ...(await Array.fromAsync(reservedSlots(models)))]),
  ];
  const occupiedByPlugin: DeletePluginDeps['occupiedSlots'] = (pluginId, asOf) =>
    occupiedSlotsOf({ models, projector }, pluginId, asOf);
  const webhookSecrets = createWebhookSecrets(vault, clock);
  const { egress, random } = ports;
  /** Of the term that this process leads; null: another does. */
  let prober: Prober | null = null;
  let sender: WebhookSender | null = null;

  function beginRollouts(term: Term): ProcessManager {
    const own = within(term, executor);
    const asking = createProber({ executor: own, clock, log, random });
    const witness = createWitness({ executor, clock });
    const rollouts = createRollouts({ store, executor: own, runtimes, prober: asking, witness, clock });
    prober = asking;
    return rolloutProcess({ rollouts, witness, questions, clock, end: () => asking.stop() });
  }

  function beginWebhooks(term: Term): ProcessManager {
    const projected = {
      executor: within(term, executor),
      models,
      projector,
      announcer: announcer(),
      webhookSecrets,
    };
    sender = createWebhookSender({ ...projected, store, egress, clock, random, log });
    return webhookProcess({ sender });
  }

  const processes = createProcessRunner({
    ...{ store, schemas, projector, clock, log, newId: ports.newId, leadership, ...tuning },
    processes: [
      { name: 'rollouts', begin: beginRollouts },
      {
        name: 'quotas',
        begin: (term) => quotaKeeper({ executor: within(term, executor), clock, questions: { slots } }),
      },
      {
        name: 'deletions',
        begin: (term) =>
          deletionProcess({
            ...{ executor: within(term, executor), store, clock, occupiedSlots: occupiedByPlugin },
            begunBy: (atMs, limit) => deletionsSince(models, atMs, limit),
          }),
      },
      {
        name: 'health-summaries',
        begin: (term) =>
          healthSummaries({
            ...{ executor: within(term, executor), store, clock },
            questions: {
              due: (nowMs, limit) => dueSummaries(models, nowMs, limit),
              healthOf: (id) => getKnownHealth(models, { kind: 'platform' }, id),
            },
          }),
      },
      { name: 'webhooks', begin: beginWebhooks },
    ],
  });
  const stopping = new AbortController();
  const purging = roles.includes('processes')
    ? leadership.lead('purge', stopping.signal, ({ signal }) => purgeRegularly(ports, log, signal))
    : Promise.resolve();

  return {
    schemas,
    executor,
    projector,
    processes,
    isShared: !leadership.isAlone,
    leadership,
    prober: { idle: async () => prober?.idle() },
    projections,
    webhookSender: { idle: async () => sender?.idle() },
    webhookSecrets,
    occupiedSlots: occupiedByPlugin,
    slotsBeside: (place, asOf) => occupiedSlotsBeside({ models, projector }, place, asOf),
    scenarioOf:
      runtimes.chosen === 'simulated' ? simulatedScenario(config.SLIPWAY_SIMULATE ?? null) : () => null,
    stop: async () => {
      stopping.abort();
      await processes.stop();
      await projector.stop();
      await purging;
    },
  };
}

/** Expired sessions and answers leave the vault, expired events the log. */
async function purgeRegularly(
  { vault, eventStore, clock }: Ports,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await sleep(clock, purgeEveryMs, signal);
    if (signal.aborted) return;
    await Promise.all([vault.purge(), eventStore.scavenge()]).catch((error: unknown) =>
      log.warn({ err: error }, 'what has expired could not be removed; in an hour again'),
    );
  }
}

/** The deployment's configuration, else a tag of the plugin, else the setting says how simulated instances behave. */
function simulatedScenario(byDefault: string | null): DeployPluginDeps['scenarioOf'] {
  const prefix = 'simulate:';
  return ({ configuration, tags }) => {
    const { simulate } = configuration;
    if (simulate === undefined) {
      const tagged = tags.filter((tag) => tag.startsWith(prefix)).map((tag) => tag.slice(prefix.length));
      return tagged.find((scenario) => parseScenario(scenario) !== null) ?? byDefault;
    }
    if (typeof simulate === 'string' && parseScenario(simulate) !== null) return simulate;
    const message = `must be one of ${scenarioNames.join(', ')}, with a number after a colon where it takes one`;
    return refuse('Invalid', `configuration.simulate ${message}`, {
      field: 'configuration.simulate',
      message,
    });
  };
}
