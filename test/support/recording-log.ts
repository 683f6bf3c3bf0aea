/** A log that a test can look into. */
import type { Log } from '../../src/ports/log.ts';

export interface RecordingLog extends Log {
  readonly lines: readonly { readonly level: string; readonly message: string; readonly fields: object }[];
}

export function createRecordingLog(): RecordingLog {
  const lines: { level: string; message: string; fields: object }[] = [];
  const write =
    (level: string, bindings: object) =>
    (fields: object, message: string): void =>
      void lines.push({ level, message, fields: { ...bindings, ...fields } });
  const bound = (bindings: object): Log => ({
    info: write('info', bindings),
    warn: write('warn', bindings),
    error: write('error', bindings),
    child: (more) => bound({ ...bindings, ...more }),
  });
  return { ...bound({}), lines };
}
