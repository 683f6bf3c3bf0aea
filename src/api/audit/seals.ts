/** That nobody rewrote the log: heads, proofs and the verification of all of it. */
import { z } from 'zod';
import { sentenceOf } from '../../core/seals/findings.ts';
import { SignedHeadShape } from '../../core/seals/head.ts';
import { ConsistencyProof, InclusionProof, NotAsSealed, NotSealed } from '../../core/seals/proof.ts';
import type { EventPlace, Sealer } from '../../core/seals/sealer.ts';
import { createGate } from '../../core/gate.ts';
import { ForeignPosition, type Position } from '../../ports/event-store.ts';
import { Problem } from '../http/problem.ts';
import { route, type Route } from '../http/route.ts';
import { auditTag as tag } from './tag.ts';

const policy = { permission: 'audit:prove' } as const;

const HeadAnswer = SignedHeadShape.meta({ id: 'SignedHead' });

const SealAnswer = z
  .strictObject({
    publicKey: z
      .string()
      .meta({ description: 'Ed25519, base64url. Keep it elsewhere: proofs are checked with it' }),
    head: HeadAnswer.nullable().meta({ description: 'Null: nothing is in the log' }),
  })
  .meta({ id: 'Seal' });

const ProofParams = z.strictObject({
  event: z
    .string()
    .max(250)
    .regex(/^(.+@\d{1,15}|[^@]+:\d{1,15})$/, 'must be a position, or a stream and a revision: tenant-acme@0')
    .transform(placeOf)
    .meta({ description: 'Its position, or `stream@revision`', example: 'tenant-tenant-acme-corp@0' }),
});

const size = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'must be how many events a head has sealed')
  .transform(Number)
  .meta({ description: 'How many events are under the head that you kept: its `size`', example: '2' });

const ProofQuery = z.strictObject({
  since: size.optional().meta({
    description:
      'Proves besides that the log continues the one of so many events: the `size` of a head that you kept',
    example: '2',
  }),
});
const ConsistencyParams = z.strictObject({ size });

export const VerificationAnswer = z
  .strictObject({
    whole: z.boolean().meta({ description: 'Whether everything that was sealed is as it was sealed' }),
    events: z.int(),
    sealed: z.int(),
    unsealed: z.int().meta({ description: 'Events behind the newest head' }),
    expired: z.int().meta({
      description:
        'Sealed events that retention has removed, as it may, or that a move of the log had to leave behind',
    }),
    keys: z.array(z.string()).meta({ description: 'Public keys that signed heads' }),
    head: HeadAnswer.nullable(),
    findings: z.array(z.string()).meta({ description: 'What is wrong and where, the first thousand' }),
  })
  .meta({ id: 'Verification' });

export function sealRoutes({
  sealer,
}: {
  readonly sealer: Omit<Sealer, 'start' | 'stop'>;
}): readonly Route[] {
  // It reads the whole log.
  const gate = createGate({ atOnce: 1, waiting: 2 });
  return [
    route({
      ...{ method: 'POST', path: '/audit/seal', operationId: 'sealLog', tag, policy },
      summary: 'Seal what is in the log now, and show the signed head over it',
      responses: { 200: SealAnswer },
      handler: async () => ({
        status: 200,
        body: { publicKey: sealer.publicKey, head: await sealer.seal() },
      }),
    }),
    route({
      ...{ method: 'GET', path: '/audit/proofs/:event', operationId: 'proveEvent', tag, policy, reads: [] },
      summary: 'Prove that an event is in the log, to whoever has the public key',
      params: ProofParams,
      query: ProofQuery,
      responses: { 200: InclusionProof.meta({ id: 'InclusionProof' }) },
      refusals: ['NotFound', 'Conflict'],
      handler: async ({ params, query }) => {
        const proof = await sealer.prove(params.event, query.since).catch(asRefusal);
        if (!proof) throw new Problem('NotFound', 'there is no such event in the log, or it has expired');
        return { status: 200, body: proof };
      },
    }),
    route({
      ...{ method: 'GET', path: '/audit/consistency/:size', operationId: 'proveConsistency', tag, policy },
      reads: [],
      summary: 'Prove that the log continues what an older head has sealed, to whoever kept that head',
      params: ConsistencyParams,
      responses: { 200: ConsistencyProof.meta({ id: 'ConsistencyProof' }) },
      refusals: ['NotFound'],
      handler: async ({ params }) => {
        const proof = await sealer.proveSince(params.size).catch((error: unknown) => {
          throw error instanceof NotSealed ? new Problem('NotFound', error.message) : error;
        });
        if (!proof) throw new Problem('NotFound', 'nothing is in the log');
        return { status: 200, body: proof };
      },
    }),
    route({
      ...{ method: 'POST', path: '/audit/verification', operationId: 'verifyLog', tag, policy },
      summary: 'Compare the whole log with what was sealed, and locate what was changed',
      responses: { 200: VerificationAnswer },
      handler: async () => {
        const verified = await gate(() => sealer.verify({ publicKey: sealer.publicKey }));
        const { events, sealed, unsealed, expired, keys, lastHead, findings, found, foundUnsealed } =
          verified;
        return {
          status: 200,
          body: {
            whole: found === foundUnsealed,
            ...{ events, sealed, unsealed, expired, keys, head: lastHead },
            findings: findings.map(sentenceOf),
          },
        };
      },
    }),
  ];
}

function placeOf(text: string): EventPlace {
  const [, stream, revision] = /^(.+)@(\d+)$/.exec(text) ?? [];
  return stream === undefined ? { position: text as Position } : { stream, revision: Number(revision) };
}

function asRefusal(error: unknown): never {
  if (error instanceof ForeignPosition)
    throw new Problem('Invalid', `event: ${error.message}`, {
      details: [{ field: 'event', message: error.message }],
    });
  if (error instanceof NotSealed)
    throw new Problem('Invalid', `since: ${error.message}`, {
      details: [{ field: 'since', message: error.message }],
    });
  if (error instanceof NotAsSealed) throw new Problem('Conflict', error.message);
  throw error;
}
