/** One running server. What is needed is opened from the inside out, and closed the other way round. */
import type { Logger } from 'pino';
import { isInRanges } from './adapters/egress/addresses.ts';
import { projectionRoutes } from './api/audit/projections.ts';
import { auditRoutes } from './api/audit/routes.ts';
import { sealRoutes } from './api/audit/seals.ts';
import { createAuthentication } from './api/authentication.ts';
import { createApp } from './api/http/app.ts';
import { defaultConnectionLimits } from './api/http/connection-limits.ts';
import { createMalformed } from './api/http/malformed.ts';
import { createHttpServer } from './api/http/server.ts';
import { createRateLimiting } from './api/http/rate-limiting.ts';
import type { HttpServices } from './api/http/services.ts';
import { openApiFace } from './api/openapi/face.ts';
import { healthFace, type Readiness } from './api/health.ts';
import { createAgentDesk } from './api/plugin-manager/agent-desk.ts';
import { agentRoutes } from './api/plugin-manager/agents.ts';
import { idpFace } from './api/idp/face.ts';
import { webhookDeliveryRoutes } from './api/idp/webhook-deliveries.ts';
import { webhookRoutes } from './api/idp/webhooks.ts';
import { apiKeyRoutes } from './api/plugin-manager/api-keys.ts';
import { authenticationRoutes } from './api/plugin-manager/authentication.ts';
import { catalogRoutes } from './api/plugin-manager/catalog.ts';
import { deploymentHealthRoutes } from './api/plugin-manager/deployment-health.ts';
import { deploymentRoutes } from './api/plugin-manager/deployments.ts';
import { forgettingRoutes } from './api/plugin-manager/forgetting.ts';
import { pluginManagerFace } from './api/plugin-manager/face.ts';
import { pluginChangeRoutes } from './api/plugin-manager/plugin-changes.ts';
import { pluginRoutes } from './api/plugin-manager/plugins.ts';
import { rolloutFreezeRoutes } from './api/plugin-manager/rollout-freeze.ts';
import { rolloutRoutes } from './api/plugin-manager/rollouts.ts';
import { secretRoutes } from './api/plugin-manager/secrets.ts';
import { followStated, type StatedElsewhere } from './api/plugin-manager/stated-elsewhere.ts';
import { tenantRoutes } from './api/plugin-manager/tenants.ts';
import { userRoutes } from './api/plugin-manager/users.ts';
import { socketFace } from './api/socket/face.ts';
import { openSockets, type Sockets, type SocketsOptions } from './api/socket/sockets.ts';
import { keyFileRenewal } from './custody/personal-keys.ts';
import { createFirstAdmin, type FirstAdmin } from './commands/create-first-admin.ts';
import type { Config } from './config.ts';
import { openPorts, type Ports, type Replaced } from './container.ts';
import { createApiKeys } from './core/api-keys.ts';
import { createConfigurationChecks } from './core/configuration-checks.ts';
import { createConsistency } from './core/consistency.ts';
import { createIdempotency } from './core/idempotency.ts';
import { leadOnce } from './core/leadership.ts';
import { createPasswordTries } from './core/password-tries.ts';
import { createPasswords } from './core/passwords.ts';
import { createSessions } from './core/sessions.ts';
import { createTenantLimits } from './core/tenant-limits.ts';
import { createTokens } from './core/tokens.ts';
import { sleep } from './core/waiting.ts';
import { Email } from './domain/user.ts';
import { createPlatform, type Platform } from './platform.ts';
import type { EventStore } from './ports/event-store.ts';
import { sealedElsewhere, startSealing, type Sealing } from './sealing.ts';
import { createAnnouncer } from './projections/announcements/announcer.ts';
import { allProjections } from './projections.ts';
import { emailsOf } from './projections/users.ts';

export interface Server {
  readonly url: string;
  readonly platform: Platform;
  readonly ports: Ports;
  /** Resolves when every projection stands where the log ended at start: from then on all routes answer. */
  readonly ready: Promise<void>;
  /**
   * Says that it is not ready any more, and answers on for as long as the settings say, so that a balancer notices; then lets running
   * requests end, and closes everything. Idempotent.
   */
  stop(): Promise<void>;
}

/**
 * @param options.announce tells the person at the first start how to log in
 * @param options.ports what a test brings instead
 * @throws when it cannot start; nothing is left open then
 */
export async function startServer(
  config: Config,
  options: {
    readonly logger: Logger;
    readonly announce: FirstAdmin['announce'];
    readonly ports?: Replaced;
  },
): Promise<Server> {
  const { logger } = options;
  const ports = await openPorts(config, options.ports);
  const roles = config.SLIPWAY_ROLES;
  const answers = roles.includes('api');
  const platform = createPlatform(ports, config, logger, { roles });
  const { isShared } = platform;
  const configurationChecks = createConfigurationChecks();
  const ending = new AbortController();
  let following: Promise<void> = Promise.resolve();
  let sockets: Sockets | null = null;
  let sealing: Sealing | null = null;
  let stated: StatedElsewhere | null = null;

  async function close(): Promise<void> {
    ending.abort();
    await following;
    await stated?.stop();
    await configurationChecks.close();
    await platform.stop();
    await sealing?.stop();
    await ports.close();
  }

  try {
    const { eventStore: store, readModels: models, vault, clock, runtimes } = ports;
    const { executor, projector } = platform;
    const passwords = createPasswords();
    const sessions = createSessions(vault, clock, { isShared });
    const tokens = createTokens(ports.sessionSecret, clock);
    const admin = {
      email: Email.parse(config.SLIPWAY_ADMIN_EMAIL),
      password: config.SLIPWAY_ADMIN_PASSWORD ?? null,
      announce: options.announce,
    };
    // Of several that start at once, one: each would print another password.
    if (answers)
      await leadOnce(platform.leadership, 'setup', () =>
        createFirstAdmin({ executor, vault, passwords }, admin),
      );

    if (roles.includes('processes')) sealing = await startSealing(ports, config, logger, platform.leadership);
    const sealer = sealing?.sealer ?? sealedElsewhere();
    const isLogWhole = sealing?.isWhole ?? (() => true);
    await projector.start();
    const readiness = await followReadiness(store, platform);
    const core = {
      executor,
      store,
      models,
      vault,
      clock,
      runtimes,
      passwords,
      passwordTries: createPasswordTries({ vault, rateLimits: ports.rateLimits, clock }),
      sessions,
      tokens,
      apiKeys: createApiKeys(vault),
      scenarioOf: platform.scenarioOf,
      projector,
      occupiedSlots: platform.occupiedSlots,
      slotsBeside: platform.slotsBeside,
      configurationChecks,
      webhookSecrets: platform.webhookSecrets,
      egress: ports.egress,
    };
    if (answers && isShared) {
      stated = await followStated({ store, executor, clock, log: logger });
      following = sessions.followOthers({ clock, log: logger, signal: ending.signal });
    }
    const desk = createAgentDesk({ models, executor, agent: stated ?? runtimes.agent, clock });
    const pluginManager = pluginManagerFace([
      ...authenticationRoutes(core),
      ...pluginRoutes(core),
      ...pluginChangeRoutes(core),
      ...catalogRoutes(core),
      ...deploymentRoutes(core),
      ...rolloutRoutes(core),
      ...deploymentHealthRoutes(core),
      ...rolloutFreezeRoutes(core),
      ...tenantRoutes(core),
      ...secretRoutes(core),
      ...userRoutes(core),
      ...forgettingRoutes({ ...core, renewKeyFile: keyFileRenewal(config) }),
      ...apiKeyRoutes(core),
      ...agentRoutes({ executor, desk }),
      ...projectionRoutes({ projector }),
      ...auditRoutes({
        ...{ store, clock, schemas: platform.schemas, emails: (ids) => emailsOf(core, ids) },
        projections: allProjections(createAnnouncer({ store, schemas: platform.schemas, executor, vault })),
      }),
      ...sealRoutes({ sealer }),
    ]);
    const idp = idpFace([...webhookRoutes(core), ...webhookDeliveryRoutes(core)]);
    const authentication = createAuthentication(core);
    const isTrustedProxy = (address: string) => isInRanges(address, config.SLIPWAY_TRUSTED_PROXIES);
    const services: HttpServices = {
      clock,
      logger,
      ...authentication,
      consistency: createConsistency({
        ...{ projector, compare: (a, b) => store.compare(a, b) },
        ...(isShared && { head: () => store.head() }),
      }),
      idempotency: createIdempotency({ executor, vault, clock, log: logger, isShared }),
      rateLimiting: createRateLimiting({
        rateLimits: ports.rateLimits,
        tenantLimit: createTenantLimits({ executor, clock, log: logger }),
        clock,
        perEndpoint: config.SLIPWAY_RATE_LIMITS === 'on',
      }),
      isTrustedProxy,
    };
    const health = healthFace({ clock, readiness: readiness.now, isLogWhole });
    const openApi = openApiFace([pluginManager, idp, health, socketFace], apiInfo);
    const app = createApp({
      always: health,
      // The API reference lies within the IDP's prefix.
      faces: answers ? [pluginManager, openApi, idp, socketFace] : [pluginManagerFace([])],
      services,
      isReady: () => readiness.now().ready,
      corsOrigins: config.CORS_ORIGINS,
    });
    const announcer = createAnnouncer({ store, schemas: platform.schemas, executor, vault });
    const socketsOptions: SocketsOptions = {
      ...{ store, announcer, authentication, sessions, clock, logger },
      isReady: () => readiness.now().ready,
      origins: config.CORS_ORIGINS,
      isTrustedProxy,
      limits: { all: config.SLIPWAY_MAX_SOCKETS, perUser: config.SLIPWAY_SOCKETS_PER_USER },
    };
    const taken = answers ? await openSockets(socketsOptions) : null;
    sockets = taken;
    const malformed = createMalformed(pluginManager.errors, services);
    const limits = {
      ...defaultConnectionLimits,
      connections: defaultConnectionLimits.connections + config.SLIPWAY_MAX_SOCKETS,
    };
    const http = await createHttpServer({
      ...{ app, malformed, isTrustedProxy, limits, host: config.HOST, port: config.PORT },
      ...(taken && { upgrades: taken }),
    });
    if (roles.includes('processes')) await platform.processes.start();

    let stopping: Promise<void> | null = null;
    const stop = async (): Promise<void> => {
      readiness.leave();
      http.wane();
      const drainMs = config.SLIPWAY_DRAIN_SECONDS * 1_000;
      if (drainMs > 0) await sleep(clock, drainMs, ending.signal);
      // Nothing new from here on; a connection that has become a socket ends by its farewell.
      const drained = Promise.all([http.stop(), taken?.stop()]);
      // Or those who wait for news would hold it up.
      desk.close();
      await drained;
      await close();
    };
    return { url: http.url, platform, ports, ready: readiness.reached, stop: () => (stopping ??= stop()) };
  } catch (error) {
    await sockets?.stop();
    await close();
    throw error;
  }
}

const apiInfo = {
  title: 'Slipway',
  version: '1.0.0',
  description:
    'A plugin platform: plugins and their versions, tenants, and deployments that watch themselves.',
  license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
};

/** Which projections have reached the place where the log ended at start. */
async function followReadiness(
  store: EventStore,
  { projector, projections }: Pick<Platform, 'projector' | 'projections'>,
): Promise<{
  readonly now: () => Readiness;
  readonly reached: Promise<void>;
  /** From now on it says that it stops. */
  leave(): void;
}> {
  const head = await store.head();
  const there = new Set<string>();
  const names = projections.map(({ name }) => name);
  let stopping = false;
  const follow = async (name: string): Promise<void> => {
    // False also when the projector stops: then nobody asks any more.
    if (await projector.waitFor([name], head, Number.MAX_SAFE_INTEGER)) there.add(name);
  };
  return {
    now: () => ({
      ready: there.size === names.length,
      stopping,
      projections: names.map((name) => ({ name, ready: there.has(name) })),
    }),
    reached: Promise.all(names.map(follow)).then(() => undefined),
    leave: () => {
      stopping = true;
    },
  };
}
