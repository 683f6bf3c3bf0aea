/** What sealing costs commands: the same commands with the sealer and without it. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTenant } from '../src/commands/create-tenant.ts';
import { readConfig } from '../src/config.ts';
import { openPorts } from '../src/container.ts';
import { createLogger } from '../src/logging.ts';
import { createPlatform } from '../src/platform.ts';
import { startSealing } from '../src/sealing.ts';
import { NewTenant } from '../src/domain/tenant.ts';
import { compared, type Row } from './table.ts';
import { inTurns } from './turns.ts';

const inFlight = 50;
/** A round takes several of the seconds between two heads, or chance would decide how much is left to be sealed at its end. */
const full = { rounds: 7, commands: 20_000 };

/** @param sizes small ones only show that it runs */
export async function benchSeals({
  rounds,
  commands,
}: { readonly rounds: number; readonly commands: number } = full): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const sealed = await open(join(folder, 'sealed'), true);
  const plain = await open(join(folder, 'plain'), false);
  try {
    const measured = await inTurns(
      { rounds, warmUps: 2 },
      (round) => sealed.rate(round, commands),
      (round) => plain.rate(round, commands),
    );
    return [
      compared(
        'commands of 2 events, 50 in flight, sealed',
        'commands/s',
        measured.ours,
        measured.reference,
        {
          atLeast: 0.95,
        },
      ),
    ];
  } finally {
    await sealed.close();
    await plain.close();
    await rm(folder, { recursive: true });
  }
}

/** A platform with its projections, and no face. */
async function open(folder: string, isSealed: boolean) {
  const config = readConfig({ SLIPWAY_DATA_DIR: folder, LOG_LEVEL: 'silent' });
  const logger = createLogger(config);
  const ports = await openPorts(config);
  const platform = createPlatform(ports, config, logger);
  const sealing = isSealed ? await startSealing(ports, config, logger, platform.leadership) : null;
  await platform.projector.start();
  const { executor } = platform;
  const { vault, clock } = ports;

  async function create(tenantId: string): Promise<void> {
    const commandId = randomUUID();
    const context = { commandId, correlationId: commandId, actor: { id: 'bench', face: 'bench' } };
    await createTenant({ executor, vault, clock }, context, NewTenant.parse({ tenantId, name: tenantId }));
  }

  return {
    /** Commands a second; what still has to be sealed of them is waited for too. */
    async rate(round: number, commands: number): Promise<number> {
      const start = performance.now();
      let next = 0;
      const client = async (): Promise<void> => {
        while (next < commands) await create(`t-${round}-${(next += 1)}`);
      };
      await Promise.all(Array.from({ length: inFlight }, client));
      await sealing?.sealer.seal();
      const seconds = (performance.now() - start) / 1_000;
      await platform.projector.waitFor('all', await ports.eventStore.head(), 600_000);
      return commands / seconds;
    },
    async close(): Promise<void> {
      await platform.stop();
      await sealing?.stop();
      await ports.close();
    },
  };
}
