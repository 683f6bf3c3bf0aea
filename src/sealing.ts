/** The sealer of a server, with what it needs of the ports. */
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import type { OpenPorts } from './container.ts';
import { LedElsewhere, type Leadership } from './core/leadership.ts';
import { openSigner } from './core/seals/head.ts';
import { createHeadSender } from './core/seals/head-sender.ts';
import { createScrub } from './core/seals/scrub.ts';
import { createSealer, type Sealer } from './core/seals/sealer.ts';
import { aborted } from './core/waiting.ts';

export interface Sealing {
  readonly sealer: Sealer;
  /** Whether nothing was found so far that is not as it was sealed. */
  readonly isWhole: () => boolean;
  /** Seals once more, then ends. */
  stop(): Promise<void>;
}

/** @throws {BrokenSeal} when the log is not what was sealed */
export async function startSealing(
  ports: OpenPorts,
  config: Pick<Config, 'SLIPWAY_SEAL_URL'>,
  log: Logger,
  leadership: Leadership,
): Promise<Sealing> {
  const { eventStore: store, sealLeaves: leaves, leafMaker, sealHeads: heads, vault, clock, egress } = ports;
  const moves = await ports.sealMoves.all();
  const url = config.SLIPWAY_SEAL_URL;
  const sender = url === undefined ? null : createHeadSender({ url, egress, clock, log });
  const stopping = new AbortController();
  let leads = leadership.isAlone;
  const sealer = createSealer({
    leads: () => leads,
    ...{ store, leaves, leafMaker, heads, moves, clock, log },
    signer: await openSigner(vault),
    signed: (head) => sender?.send(head),
  });
  await sealer.start();
  const led = leadership.isAlone
    ? Promise.resolve()
    : leadership.lead('seals', stopping.signal, async ({ signal }) => {
        leads = true;
        try {
          await sealer.seal();
          await aborted(signal);
        } finally {
          leads = false;
        }
      });
  const scrub = createScrub({ log: store, leaves, moves, clock, logger: log });
  scrub.start();
  return {
    sealer,
    isWhole: scrub.isWhole,
    async stop() {
      stopping.abort();
      await led;
      await scrub.stop();
      await sealer.stop();
      await sender?.stop();
    },
  };
}

/** Of a process that seals nothing: it has no leaves to prove anything by. */
export function sealedElsewhere(): Omit<Sealer, 'start' | 'stop'> {
  const refuse = async (): Promise<never> => {
    throw new LedElsewhere('processes with the role "processes" seal the log');
  };
  return { seal: refuse, prove: refuse, proveSince: refuse, verify: refuse, publicKey: '' };
}
