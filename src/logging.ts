/** Structured lines on standard error, one JSON object each; standard output is for what a person asked for. */
import { pino } from 'pino';
import type { Config } from './config.ts';
import type { Log } from './ports/log.ts';

export function createLog(config: Pick<Config, 'LOG_LEVEL'>): Log {
  return pino(
    {
      level: config.LOG_LEVEL,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // Nothing logs a secret on purpose; this catches the accident.
      redact: {
        paths: ['password', 'token', 'authorization', '*.password', '*.token', '*.authorization'],
        censor: '[redacted]',
      },
    },
    pino.destination(2),
  );
}
