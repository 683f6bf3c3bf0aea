/** What a person types: `slipway serve`, `demo`, `watch`, `audit`, `projections`, `backup`, `restore`, `migrate`, `agent`. */
import { Command } from 'commander';
import { createSystemClock } from './adapters/system-clock.ts';
import { agentCommand } from './agent/command.ts';
import { auditCommand } from './audit-client/command.ts';
import { projectionsCommand } from './audit-client/projections.ts';
import { UnusableSecret } from './adapters/filesystem/generated-secret.ts';
import { openS3Blobs } from './adapters/s3/blobs.ts';
import { UnreadableLog } from './adapters/sqlite/event-store-schema.ts';
import { StoreLocked } from './adapters/sqlite/folder-lock.ts';
import { UnusableSeals } from './adapters/sqlite/seal-leaves.ts';
import { WrongMasterKey } from './adapters/vault/keys.ts';
import type { FirstAdmin } from './commands/create-first-admin.ts';
import { type Config, readConfig, readEventStoreUrl, readS3Place, WrongSetting } from './config.ts';
import { BrokenSeal } from './core/seals/sealer.ts';
import { UnreadableMoves } from './ports/seals.ts';
import { backupCommand, restoreCommand } from './custody/backup-command.ts';
import { Refused } from './client/api.ts';
import { checkProofCommand } from './custody/check-proof.ts';
import { proveCommand, sealCommand } from './custody/prove.ts';
import { exportCommand, importCommand } from './custody/export-command.ts';
import { forgetCommand } from './custody/forget.ts';
import { migrateCommand } from './custody/migrate/command.ts';
import { replayCommand } from './custody/replay-command.ts';
import { verifyCommand } from './custody/verify.ts';
import { demoCommand } from './demo/command.ts';
import type { Blobs } from './ports/blobs.ts';
import { type EventStore, StoreUnavailable } from './ports/event-store.ts';
import { createLogger } from './logging.ts';
import { openFolder, openStopped } from './offline.ts';
import { type Server, startServer } from './server.ts';
import { openRemoteLog, openStores } from './stores.ts';
import { watchCommand } from './watch/command.ts';

/** Ctrl-C arrives twice: from the terminal and from npm. A second signal counts only after this. */
const secondSignalAfterMs = 1_000;

const exitCodes = { failed: 1, wrongSetting: 2 } as const;

/** Secrets are settings too, though only what opens them finds out that they are wrong. */
const wrongSettings = [WrongSetting, UnusableSecret, WrongMasterKey];

const runtimeTold: Readonly<Record<Config['SLIPWAY_RUNTIME'], string>> = {
  simulated: 'The runtime is simulated: instances behave by scenario, no plugin really runs.',
  agent: 'Plugins run where agents start them, see docs/agents.md.',
};

const program = new Command('slipway')
  .description('A plugin platform in which every change is an event and every rollout watches itself.')
  .showHelpAfterError();

program
  .command('serve', { isDefault: true })
  .description('start the server; settings are environment variables, see docs/settings.md')
  .option('--roles <list>', 'what this process does: api, projector, processes (SLIPWAY_ROLES)')
  .action(serve);

const terminal = { clock: createSystemClock(), fail };
program.addCommand(demoCommand({ ...terminal, startServer: startWith }));
program.addCommand(watchCommand(terminal));
program.addCommand(agentCommand(terminal));
const elsewhere = ['EVENTSTORE_URL', 'MONGODB_URL'].filter((name) => process.env[name]);
const custody = {
  ...{ ...terminal, elsewhere, openRemoteBlobs, isTerminal: process.stderr.isTTY },
  openRemoteLog: remoteLog,
};
const audit = auditCommand({
  ...terminal,
  openFolder: async (folder) => openFolder(folder, await remoteLog()),
});
for (const command of [
  verifyCommand,
  sealCommand,
  proveCommand,
  checkProofCommand,
  exportCommand,
  importCommand,
  forgetCommand,
])
  audit.addCommand(command(custody));
audit.addCommand(
  replayCommand({ ...custody, openStopped: async (folder) => openStopped(folder, await remoteLog()) }),
);
program.addCommand(audit);
program.addCommand(backupCommand(custody));
program.addCommand(restoreCommand(custody));
program.addCommand(
  migrateCommand({
    ...custody,
    openStores: () => openStores(process.env).catch(failOnSetting),
    masterKey: process.env['SLIPWAY_MASTER_KEY'],
  }),
);
program.addCommand(projectionsCommand(terminal));

/** What they print is news beside their work. */
const workers = ['serve', 'demo', 'agent'];
program.hook('preAction', (_program, command) => {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    // Whoever reads has read enough (`… | head`), which is no failure.
    if (!workers.includes(command.name())) process.exit(0);
  });
});
await program.parseAsync();

async function serve({ roles }: { readonly roles?: string }): Promise<void> {
  try {
    const config = readConfig({ ...process.env, ...(roles === undefined ? {} : { SLIPWAY_ROLES: roles }) });
    const logger = createLogger(config);
    const server = await startServer(config, { logger, announce });
    stopOnSignals(server);
    await server.ready;
    tell(config, server);
  } catch (error) {
    const isSetting = wrongSettings.some((kind) => error instanceof kind);
    fail(sentenceOf(error), isSetting ? exitCodes.wrongSetting : exitCodes.failed);
  }
}

/** A server with these settings and no others: those of the environment do not count. */
async function startWith(settings: Readonly<Record<string, string>>): Promise<Server> {
  const config = readConfig(settings);
  const server = await startServer(config, { logger: createLogger(config), announce: () => undefined });
  await server.ready;
  return server;
}

function openRemoteBlobs(): Blobs | null {
  try {
    const place = readS3Place(process.env);
    return place && openS3Blobs({ ...place, clock: createSystemClock() });
  } catch (error) {
    return failOnSetting(error);
  }
}

async function remoteLog(): Promise<EventStore | null> {
  try {
    const url = readEventStoreUrl(process.env);
    return url === null ? null : await openRemoteLog(url);
  } catch (error) {
    if (error instanceof StoreUnavailable) throw new Refused(error.message);
    return failOnSetting(error);
  }
}

function failOnSetting(error: unknown): never {
  if (error instanceof WrongSetting) fail(error.message, exitCodes.wrongSetting);
  throw error;
}

function fail(sentence: string, code: number): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(code);
}

function announce({ email, randomPassword }: Parameters<FirstAdmin['announce']>[0]): void {
  const how =
    randomPassword === null
      ? 'with the password of SLIPWAY_ADMIN_PASSWORD'
      : `with the password ${randomPassword} (shown only now: keep it)`;
  process.stdout.write(`The first administrator is ${email}: log in ${how}.\n`);
}

function tell(config: Config, { url }: Server): void {
  process.stdout.write(
    [
      config.SLIPWAY_ROLES.includes('api')
        ? `Slipway is at ${url}: the API under /api/v1, described at /docs and, for programs, at /api/openapi.json.`
        : `Slipway is at ${url}: /health and /ready, and nothing else. This process does ${config.SLIPWAY_ROLES.join(' and ')}.`,
      `Data is in ${config.SLIPWAY_DATA_DIR}. ${runtimeTold[config.SLIPWAY_RUNTIME]}`,
      '',
    ].join('\n'),
  );
}

function stopOnSignals(server: Server): void {
  let firstAt: number | null = null;
  const onSignal = (): void => {
    if (firstAt !== null) {
      if (performance.now() - firstAt >= secondSignalAfterMs) process.exit(exitCodes.failed);
      return;
    }
    firstAt = performance.now();
    process.stdout.write('Stopping: running requests end first. Once more to stop at once.\n');
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${sentenceOf(error)}\n`);
        process.exit(exitCodes.failed);
      },
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

/** What a person can mend is told in a sentence; everything else is a defect and shows its stack. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof WrongMasterKey) return `SLIPWAY_MASTER_KEY: ${error.message}`;
  const mendable = [
    ...[WrongSetting, StoreLocked, UnusableSecret, UnreadableLog],
    ...[UnusableSeals, UnreadableMoves, BrokenSeal, StoreUnavailable],
  ];
  if (mendable.some((kind) => error instanceof kind)) return error.message;
  const code = 'code' in error ? error.code : null;
  if (code === 'EADDRINUSE') return `HOST, PORT: another program listens there already (${error.message})`;
  if (code === 'EADDRNOTAVAIL' || code === 'EACCES')
    return `HOST, PORT: this address cannot be listened on (${error.message})`;
  return error.stack ?? error.message;
}
