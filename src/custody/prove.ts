/** `slipway audit seal` and `prove`: what strangers are given. */
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { z } from 'zod';
import { say } from '../audit-client/source.ts';
import { createApi, type Api, Refused } from '../client/api.ts';
import { type KeyOptions, keyOf, parseUrl } from '../client/options.ts';
import { SignedHeadShape } from '../core/seals/head.ts';
import { ConsistencyProof, InclusionProof } from '../core/seals/proof.ts';
import { type Custody, exitCodes, inSentences } from './custody.ts';
import { readHead } from './kept-head.ts';

export interface AskingOptions extends KeyOptions {
  readonly url: string;
  readonly json?: true;
}

export function asking(name: string, permission = 'audit:prove'): Command {
  return new Command(name)
    .option('--url <url>', 'where the platform is', parseUrl, 'http://127.0.0.1:3000')
    .option(
      '--key <key>',
      `an API key with ${permission}, or a session token; other users of this machine can see it`,
    )
    .option('--key-file <file>', 'a file that holds the key')
    .option('--json', 'JSON, for programs');
}

export function apiOf(options: AskingOptions, { fail }: Custody): Api {
  const key = keyOf(options) ?? fail('Give a key: --key-file <file> or --key <key>', exitCodes.wrongOptions);
  return createApi({ url: options.url, key });
}

const Seal = z.object({ publicKey: z.string(), head: SignedHeadShape.nullable() });

export function sealCommand(custody: Custody): Command {
  return asking('seal')
    .description('seal the log as it is now, and show the signed head and the public key')
    .action((options: AskingOptions) =>
      inSentences(custody, async () => {
        const seal = Seal.parse(await apiOf(options, custody).post('/api/v1/audit/seal'));
        if (options.json) {
          say(JSON.stringify(seal));
          return;
        }
        const { head, publicKey } = seal;
        say(
          head ? `${head.size} events up to ${head.position} are sealed at ${head.at}.` : 'The log is empty.',
        );
        if (head) say(`Root ${head.root}, signature ${head.signature}.`);
        say(`The public key is ${publicKey}: keep it elsewhere, and heads too.`);
      }),
    );
}

interface ProveOptions extends AskingOptions {
  readonly head?: string;
  readonly out?: string;
}

export function proveCommand(custody: Custody): Command {
  return asking('prove')
    .description(
      'prove to a stranger that an event is in the log and was never changed, and that the log continues what a kept head has sealed',
    )
    .argument(
      '[event]',
      'its position as `slipway audit log --json` tells it, or stream@revision; none: --head alone is proven',
    )
    .option('--head <file>', 'a signed head that was kept: the proof says too that the log continues it')
    .option('--out <file>', 'where the proof goes; default: standard output')
    .action((event: string | undefined, options: ProveOptions) =>
      inSentences(custody, async () => {
        const proof = await proofOf(event, options, custody);
        const text = JSON.stringify(proof, null, 2);
        if (options.out === undefined) {
          say(text);
          return;
        }
        await writeFile(options.out, `${text}\n`, { flag: 'wx' }).catch((error: unknown) => {
          throw error instanceof Error && 'code' in error && error.code === 'EEXIST'
            ? new Refused(`${options.out ?? ''} is there already: name another file.`)
            : error;
        });
        const kept = options.head === undefined ? '' : ` --head ${options.head}`;
        say(`The proof is in ${options.out}: check it with slipway audit check-proof ${options.out}${kept}`);
        if (event !== undefined)
          say('It holds the event to the byte, nothing hidden: look at it before you give it away.');
      }),
    );
}

async function proofOf(
  event: string | undefined,
  options: ProveOptions,
  custody: Custody,
): Promise<InclusionProof | ConsistencyProof> {
  const kept = options.head === undefined ? null : await readHead(options.head);
  const api = apiOf(options, custody);
  if (event !== undefined) {
    const path = `/api/v1/audit/proofs/${encodeURIComponent(event)}`;
    return InclusionProof.parse(await api.get(path, { since: kept?.size }));
  }
  if (!kept)
    return custody.fail('Say which event, or which head was kept: --head <file>', exitCodes.wrongOptions);
  return ConsistencyProof.parse(await api.get(`/api/v1/audit/consistency/${kept.size}`));
}
