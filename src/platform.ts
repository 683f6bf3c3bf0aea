/** The platform without a face: everything between the ports and the commands, and the processes that run by themselves. */
import { parseScenario, scenarioNames } from './adapters/simulated/scenario.ts';
import type { DependantsDeps } from './commands/check-dependants.ts';
import type { DeletePluginDeps } from './commands/delete-plugin.ts';
import type { DeployPluginDeps } from './commands/check-deployment.ts';
import type { Config } from './config.ts';
import type { Ports } from './container.ts';
import { createExecutor } from './core/command-executor.ts';
import type { Executor } from './core/executor.ts';
import { createProcessRunner, type ProcessRunner } from './core/process-runner.ts';
import { createProjector, type Projector } from './core/projector.ts';
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
  readonly prober: Prober;
  readonly projections: readonly Projection[];
  readonly webhookSender: WebhookSender;
  readonly webhookSecrets: WebhookSecrets;
  readonly scenarioOf: DeployPluginDeps['scenarioOf'];
  readonly occupiedSlots: DeletePluginDeps['occupiedSlots'];
  readonly slotsBeside: DependantsDeps['slotsBeside'];
  /** Ends what runs by itself; the ports stay open. */
  stop(): Promise<void>;
}

const purgeEveryMs = 3_600_000;

/** Nothing runs yet: `projector.start()`, then `processes.start()`. */
export function createPlatform(
  ports: Ports,
  config: Pick<Config, 'SLIPWAY_SIMULATE'>,
  log: Log,
  { cachedStates, ...tuning }: { readonly pollMs?: number; readonly cachedStates?: number } = {},
): Platform {
  const { eventStore: store, readModels: models, snapshots, runtimes, clock, vault } = ports;
  const schemas = createSchemas(allEvents);
  const cached = cachedStates === undefined ? {} : { cachedStates };
  const executor = createExecutor({ store, schemas, snapshots, clock, log, ...cached });
  const announcer = () => createAnnouncer({ store, schemas, executor, vault });
  const projections = allProjections(announcer());
  const projector = createProjector({ store, models, schemas, projections, clock, log });
  const prober = createProber({ executor, clock, log, random: ports.random });
  const witness = createWitness({ executor, clock });
  const rollouts = createRollouts({ store, executor, runtimes, prober, witness, clock });
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
  const sender = createWebhookSender({
    ...{
      store,
      executor,
      models,
      projector,
      announcer: announcer(),
      webhookSecrets,
      egress,
      clock,
      random,
      log,
    },
  });
  const processes = createProcessRunner({
    ...{ store, schemas, projector, clock, log, newId: ports.newId, ...tuning },
    processes: [
      rolloutProcess({ rollouts, witness, questions, clock }),
      quotaKeeper({ executor, clock, questions: { slots } }),
      deletionProcess({
        ...{ executor, store, clock, occupiedSlots: occupiedByPlugin },
        begunBy: (atMs, limit) => deletionsSince(models, atMs, limit),
      }),
      healthSummaries({
        ...{ executor, store, clock },
        questions: {
          due: (nowMs, limit) => dueSummaries(models, nowMs, limit),
          healthOf: (id) => getKnownHealth(models, { kind: 'platform' }, id),
        },
      }),
      webhookProcess({ sender }),
    ],
  });
  const endPurging = purgeRegularly(ports, log);

  return {
    schemas,
    executor,
    projector,
    processes,
    prober,
    projections,
    webhookSender: sender,
    webhookSecrets,
    occupiedSlots: occupiedByPlugin,
    slotsBeside: (place, asOf) => occupiedSlotsBeside({ models, projector }, place, asOf),
    scenarioOf:
      runtimes.chosen === 'simulated' ? simulatedScenario(config.SLIPWAY_SIMULATE ?? null) : () => null,
    stop: async () => {
      endPurging();
      await processes.stop();
      await sender.stop();
      await prober.stop();
      await projector.stop();
    },
  };
}

/** Expired sessions and answers leave the vault, expired events the log. */
function purgeRegularly({ vault, eventStore, clock }: Ports, log: Log): () => void {
  let cancel = (): void => undefined;
  const schedule = (): void => {
    cancel = clock.after(purgeEveryMs, () => {
      Promise.all([vault.purge(), eventStore.scavenge()]).catch((error: unknown) =>
        log.warn({ err: error }, 'what has expired could not be removed; in an hour again'),
      );
      schedule();
    });
  };
  schedule();
  return () => cancel();
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
