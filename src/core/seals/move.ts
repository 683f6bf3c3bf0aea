/** Moves of a log from store to store: what is signed of one, to the byte, and which logs a log continues. */
import { hash } from 'node:crypto';
import { z } from 'zod';
import type { Leaf, SignedMove } from '../../ports/seals.ts';
import { holds } from './signature.ts';

export type Move = Omit<SignedMove, 'key' | 'signature'>;

const SignedMoveShape = z.strictObject({
  from: z.string().min(1).max(100),
  to: z.string().min(1).max(100),
  size: z.int().min(0),
  left: z.array(z.strictObject({ stream: z.string().min(1), through: z.int().min(0) })),
  at: z.iso.datetime(),
  key: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  signature: z.string().regex(/^[A-Za-z0-9_-]{86}$/),
});

/** Null for what is no move. Whether its signature holds is another question. */
export function parseMove(value: unknown): SignedMove | null {
  return SignedMoveShape.safeParse(value).data ?? null;
}

/** What was left behind may be long: its hash is signed. */
export function linesOfMove({ from, to, size, left, at }: Move): readonly string[] {
  const leftBehind = JSON.stringify(left.map(({ stream, through }) => [stream, through]));
  return [
    'slipway move v1',
    `from ${from}`,
    `to ${to}`,
    `size ${size}`,
    `left ${hash('sha256', leftBehind)}`,
    `at ${at}`,
  ];
}

export interface Lineage {
  /** Whether it is this log, or one that it continues. */
  includes(log: string): boolean;
  /** Whether the leaf's event could not go along when the log was moved. */
  leftBehind(leaf: Pick<Leaf, 'index' | 'stream' | 'revision'>): boolean;
  /** Moves that nobody moved, in sentences. */
  readonly objections: readonly string[];
}

/** @param publicKey that must have signed the moves; null: any */
export function lineageOf(log: string, moves: readonly SignedMove[], publicKey: string | null): Lineage {
  const objections: string[] = [];
  const before = new Map<string, SignedMove>();
  for (const move of moves) {
    const { key, signature, ...signed } = move;
    const named = `The move of the log ${move.from} to ${move.to}`;
    if (!holds({ key, signature }, linesOfMove(signed)))
      objections.push(`${named} is not signed by the key that it names.`);
    else if (publicKey !== null && key !== publicKey)
      objections.push(`${named} is signed by another key (${key}).`);
    else before.set(move.to, move);
  }
  const logs = new Set([log]);
  const left: { readonly size: number; readonly through: ReadonlyMap<string, number> }[] = [];
  for (let move = before.get(log); move && !logs.has(move.from); move = before.get(move.from)) {
    logs.add(move.from);
    const through = new Map(move.left.map((stream) => [stream.stream, stream.through]));
    if (through.size > 0) left.push({ size: move.size, through });
  }
  return {
    includes: (asked) => logs.has(asked),
    leftBehind: ({ index, stream, revision }) =>
      left.some(({ size, through }) => index < size && revision <= (through.get(stream) ?? -1)),
    objections,
  };
}
