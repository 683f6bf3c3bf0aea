/** `slipway audit seal`, `prove` and `check-proof`: what strangers are given, and how they look at it. */
import { readFile, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { z } from 'zod';
import { say } from '../audit-client/source.ts';
import { createApi, type Api, Refused } from '../client/api.ts';
import { type KeyOptions, keyOf, parseUrl } from '../client/options.ts';
import { SignedHeadShape } from '../core/seals/head.ts';
import { InclusionProof, objectionTo } from '../core/seals/proof.ts';
import { type Custody, exitCodes, inSentences } from './custody.ts';

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

export function proveCommand(custody: Custody): Command {
  return asking('prove')
    .description('prove to a stranger that an event is in the log and was never changed')
    .argument('<event>', 'its position as `slipway audit log --json` tells it, or stream@revision')
    .option('--out <file>', 'where the proof goes; default: standard output')
    .action((event: string, options: AskingOptions & { readonly out?: string }) =>
      inSentences(custody, async () => {
        const path = `/api/v1/audit/proofs/${encodeURIComponent(event)}`;
        const proof = InclusionProof.parse(await apiOf(options, custody).get(path));
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
        say(`The proof is in ${options.out}: check it with slipway audit check-proof ${options.out}`);
      }),
    );
}

export function checkProofCommand(custody: Custody): Command {
  return new Command('check-proof')
    .description(
      'check a proof, anywhere and without a platform: exit code 0 when it holds, 3 when it does not',
    )
    .argument('<file>', 'the proof')
    .option('--public-key <key>', 'the key of the platform, as you know it from elsewhere')
    .action((file: string, options: { readonly publicKey?: string }) =>
      inSentences(custody, async () => {
        const proof = parsed(await readFile(file, 'utf8'), file);
        const objection = objectionTo(proof, options.publicKey ?? null);
        if (objection !== null) {
          say(`The proof does NOT hold. ${objection}`);
          process.exitCode = exitCodes.broken;
          return;
        }
        const { stream, revision, at, head } = proof;
        say(
          `The proof holds: revision ${revision} of ${stream}, of ${at}, is event ${proof.index + 1} of ${head.size}.`,
        );
        say(`Sealed at ${head.at} with the key ${head.key}.`);
        if (options.publicKey === undefined)
          say('Whose key that is, this file cannot tell: say --public-key with the one that you know.');
        say(proof.content);
      }),
    );
}

function parsed(text: string, file: string): InclusionProof {
  try {
    return InclusionProof.parse(JSON.parse(text));
  } catch {
    throw new Refused(`${file} is no proof: \`slipway audit prove\` makes them.`);
  }
}
