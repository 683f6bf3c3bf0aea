/** The whole server in this process, asked over HTTP. */
import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { LoggedInAnswer } from '../../src/api/plugin-manager/authentication.ts';
import { createUser } from '../../src/commands/create-user.ts';
import { readConfig } from '../../src/config.ts';
import type { Ports } from '../../src/container.ts';
import { createPasswords } from '../../src/core/passwords.ts';
import { platformTenant, TenantId } from '../../src/domain/ids.ts';
import type { Role } from '../../src/domain/permissions.ts';
import { Email } from '../../src/domain/user.ts';
import { type Server, startServer } from '../../src/server.ts';
import { type Client, createDescribedClient, type Reply } from './http.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const adminEmail = 'admin@example.com';
export const adminPassword = 'Admin123!';

export interface TestServer extends Client {
  /** What runs now: another one after a restart. */
  readonly server: Server;
  readonly folder: string;
  login(username: string, password: string): Promise<Reply>;
  /**
   * A session token, the same one every time: of the first administrator, or of a user who is made for it.
   * @param tenant of the user; it need not exist. Default: `platform`
   */
  asRole(role: Role, tenant?: string): Promise<string>;
  /** Resolves when nobody has anything left to do at this moment. */
  readonly settle: () => Promise<void>;
  stop(): Promise<void>;
  /** Stops, and starts again on the same folder, at another address. */
  restart(): Promise<void>;
}

/**
 * @param options.ports brought by the test; they are closed with the server, so only a clock outlives a restart
 * @param options.folder stays when the server stops; without it there is one that is removed
 */
export async function startTestServer(
  options: {
    readonly settings?: Readonly<Record<string, string>>;
    readonly ports?: Partial<Ports>;
    readonly folder?: string;
    /** Takes every line of the log, at the most talkative level. */
    readonly logTo?: (line: string) => void;
  } = {},
): Promise<TestServer> {
  const own = options.folder === undefined ? await temporaryFolder() : null;
  const folder = options.folder ?? own?.path ?? '';
  const config = readConfig({
    PORT: '0',
    SLIPWAY_DATA_DIR: folder,
    SLIPWAY_ADMIN_EMAIL: adminEmail,
    SLIPWAY_ADMIN_PASSWORD: adminPassword,
    SLIPWAY_RATE_LIMITS: 'off',
    ...options.settings,
  });
  const passwords = createPasswords();
  const tokens = new Map<string, Promise<string>>();
  let server: Server;
  let client: Client;

  async function start(): Promise<void> {
    server = await startServer(config, {
      logger: options.logTo ? pino({ level: 'trace' }, { write: options.logTo }) : pino({ level: 'silent' }),
      announce: () => undefined,
      ...(options.ports ? { ports: options.ports } : {}),
    });
    await server.ready;
    client = await createDescribedClient(server.url);
  }

  const login = (username: string, password: string): Promise<Reply> =>
    client.call('POST', '/api/v1/authentication/login', { body: { username, password } });

  async function tokenOf(role: Role, tenant: string): Promise<string> {
    const isAdmin = role === 'PlatformAdmin';
    const email = isAdmin ? adminEmail : `${role}@${tenant.replaceAll('_', '-')}.example.com`.toLowerCase();
    if (!isAdmin) await makeUser(role, TenantId.parse(tenant), Email.parse(email));
    return LoggedInAnswer.parse((await login(email, adminPassword)).body).token;
  }

  async function makeUser(role: Role, tenantId: TenantId, email: Email): Promise<void> {
    const commandId = randomUUID();
    const context = { commandId, correlationId: commandId, actor: { id: 'test', face: 'test' } };
    const deps = { executor: server.platform.executor, vault: server.ports.vault, passwords };
    await createUser(deps, context, { tenantId, role, email, name: null, password: adminPassword });
  }

  async function settle(): Promise<void> {
    const { platform, ports } = server;
    for (let head = null; head !== (await ports.eventStore.head());) {
      head = await ports.eventStore.head();
      await platform.prober.idle();
      await platform.processes.idle();
      await platform.webhookSender.idle();
      await platform.projector.waitFor('all', head, Number.MAX_SAFE_INTEGER);
    }
  }

  try {
    await start();
  } catch (error) {
    await own?.remove();
    throw error;
  }
  return {
    folder,
    get server() {
      return server;
    },
    get url() {
      return server.url;
    },
    call: (method, path, call) => client.call(method, path, call),
    login,
    asRole(role, tenant = platformTenant) {
      const name = `${role} ${tenant}`;
      const known = tokens.get(name) ?? tokenOf(role, tenant);
      tokens.set(name, known);
      return known;
    },
    settle,
    async stop() {
      await server.stop();
      await own?.remove();
    },
    async restart() {
      await server.stop();
      await start();
    },
  };
}
