/** The embedded {@link SealMoves}: a file with a line of JSON a move. There is none where a log never moved. */
import { readFile } from 'node:fs/promises';
import { type SealMoves, type SignedMove, UnreadableMoves } from '../../ports/seals.ts';
import { hasCode, writeSecretFile } from './durable.ts';

/** In the data folder. */
export const movesName = 'moves.ndjson';

/** @param parse null for what is no move */
export function fileSealMoves(path: string, parse: (value: unknown) => SignedMove | null): SealMoves {
  function parsed(line: string): SignedMove {
    try {
      const move = parse(JSON.parse(line));
      if (move) return move;
    } catch {
      // Told below, with what is no move.
    }
    throw new UnreadableMoves(
      `${path} is damaged: it tells which logs this one continues. Restore it from a backup.`,
    );
  }

  return {
    async all() {
      const text = await readFile(path, 'utf8').catch((error: unknown) => {
        if (hasCode(error, 'ENOENT')) return '';
        throw error;
      });
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map(parsed);
    },
    replace: (moves) => writeSecretFile(path, moves.map((move) => `${JSON.stringify(move)}\n`).join('')),
  };
}
