/** Structured lines on standard error, one JSON object each; standard output is for what a person asked for. */
import { type Logger, pino } from 'pino';
import type { Config } from './config.ts';

export function createLogger(config: Pick<Config, 'LOG_LEVEL'>): Logger {
  const secrets = ['password', 'token', 'authorization', 'secret'];
  return pino(
    {
      level: config.LOG_LEVEL,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // Nothing logs a secret on purpose; this catches the accident.
      redact: { paths: secrets.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
