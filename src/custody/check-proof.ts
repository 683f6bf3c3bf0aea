/** `slipway audit check-proof`: how a stranger looks at a proof, without a platform. */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { z } from 'zod';
import { say } from '../audit-client/source.ts';
import { Refused } from '../client/api.ts';
import {
  ConsistencyProof,
  InclusionProof,
  objectionTo,
  objectionToContinuation,
} from '../core/seals/proof.ts';
import type { SignedHead } from '../ports/seals.ts';
import { type Custody, exitCodes, inSentences } from './custody.ts';
import { readHead } from './kept-head.ts';

interface Options {
  readonly publicKey?: string;
  readonly head?: string;
}

const Proof = z.union([InclusionProof, ConsistencyProof]);
type Proof = InclusionProof | ConsistencyProof;

export function checkProofCommand(custody: Custody): Command {
  return new Command('check-proof')
    .description(
      'check a proof, anywhere and without a platform: exit code 0 when it holds, 3 when it does not',
    )
    .argument('<file>', 'the proof')
    .option('--public-key <key>', 'the key of the platform, as you know it from elsewhere')
    .option(
      '--head <file>',
      'the signed head that you kept, of which the proof says that the log continues it',
    )
    .action((file: string, options: Options) =>
      inSentences(custody, async () => {
        const proof = parsed(await readFile(file, 'utf8'), file);
        const kept = await keptFor(proof, file, options);
        const objection = objectionOf(proof, kept, options.publicKey ?? null);
        if (objection !== null) {
          say(`The proof does NOT hold. ${objection}`);
          process.exitCode = exitCodes.broken;
          return;
        }
        for (const line of told(proof, kept, options)) say(line);
      }),
    );
}

/** @throws {Refused} when the proof and what it is to be held against do not go together */
async function keptFor(proof: Proof, file: string, { head }: Options): Promise<SignedHead | null> {
  if (head === undefined) {
    if (!isOfEvent(proof))
      throw new Refused(
        `${file} says that the log continues the head over ${proof.since.size} events: name the one that you kept with --head.`,
      );
    return null;
  }
  if (!proof.since)
    throw new Refused(`${file} says nothing about a head that was kept: make it with audit prove --head.`);
  return readHead(head);
}

function objectionOf(proof: Proof, kept: SignedHead | null, publicKey: string | null): string | null {
  const { since, head } = proof;
  const ofEvent = isOfEvent(proof) ? objectionTo(proof, publicKey) : null;
  return ofEvent ?? (kept && since ? objectionToContinuation({ since, head }, kept, publicKey) : null);
}

function told(proof: Proof, kept: SignedHead | null, { publicKey }: Options): readonly string[] {
  const { head, since } = proof;
  const lines: string[] = [];
  if (isOfEvent(proof)) {
    const { stream, revision, at, index } = proof;
    lines.push(
      `The proof holds: revision ${revision} of ${stream}, of ${at}, is event ${index + 1} of ${head.size}.`,
    );
  }
  if (kept) {
    lines.push(
      `The log continues what you kept: the first ${kept.size} of ${head.size} events are those that were sealed at ${kept.at}.`,
    );
    if (isOfEvent(proof))
      lines.push(
        proof.index < kept.size
          ? 'The event was among them.'
          : 'The event came later: what you kept does not speak of it.',
      );
  } else if (since)
    lines.push(
      `It says too that the log continues a head over ${since.size} events: name yours with --head.`,
    );
  lines.push(`Sealed at ${head.at} with the key ${head.key}.`);
  if (publicKey === undefined)
    lines.push('Whose key that is, this file cannot tell: say --public-key with the one that you know.');
  return isOfEvent(proof) ? [...lines, proof.content] : lines;
}

function isOfEvent(proof: Proof): proof is InclusionProof {
  return proof.kind === 'slipway inclusion proof v1';
}

function parsed(text: string, file: string): Proof {
  try {
    return Proof.parse(JSON.parse(text));
  } catch {
    throw new Refused(`${file} is no proof: \`slipway audit prove\` makes them.`);
  }
}
