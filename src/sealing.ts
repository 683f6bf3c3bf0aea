/** The sealer of a server, with what it needs of the ports. */
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import type { OpenPorts } from './container.ts';
import { openSigner } from './core/seals/head.ts';
import { createHeadSender } from './core/seals/head-sender.ts';
import { createSealer, type Sealer } from './core/seals/sealer.ts';

export interface Sealing {
  readonly sealer: Sealer;
  /** Seals once more, then ends. */
  stop(): Promise<void>;
}

/** @throws {BrokenSeal} when the log is not what was sealed */
export async function startSealing(
  ports: OpenPorts,
  config: Pick<Config, 'SLIPWAY_SEAL_URL'>,
  log: Logger,
): Promise<Sealing> {
  const { eventStore: store, sealLeaves: leaves, leafMaker, sealHeads: heads, vault, clock, egress } = ports;
  const moves = await ports.sealMoves.all();
  const url = config.SLIPWAY_SEAL_URL;
  const sender = url === undefined ? null : createHeadSender({ url, egress, clock, log });
  const sealer = createSealer({
    ...{ store, leaves, leafMaker, heads, moves, clock, log },
    signer: await openSigner(vault),
    signed: (head) => sender?.send(head),
  });
  await sealer.start();
  return {
    sealer,
    async stop() {
      await sealer.stop();
      await sender?.stop();
    },
  };
}
