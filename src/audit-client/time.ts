/** Times as people type them. */
import { InvalidArgumentError } from 'commander';

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * @param text `2025-11-23T03:10:00Z`, a date or a time without a zone (in UTC), or how long ago: `90s`, `30m`, `12h`, `7d`
 * @param now wall milliseconds
 * @returns ISO 8601
 * @throws {InvalidArgumentError}
 */
export function parseTime(text: string, now: number): string {
  const [, amount, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ago = units[unit];
  if (amount !== undefined && ago !== undefined) return new Date(now - Number(amount) * ago).toISOString();
  const written = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/.exec(text);
  const zoned = written && (written[1] === undefined || written[4] !== undefined);
  const ms = written ? Date.parse(zoned ? text : `${text.replace(' ', 'T')}Z`) : NaN;
  if (Number.isNaN(ms))
    throw new InvalidArgumentError(
      'must be a time such as 2025-11-23T03:10:00Z, or how long ago: 90s, 30m, 12h, 7d',
    );
  return new Date(ms).toISOString();
}

/**
 * @param text a position as answers tell it (`{log}:{number}`), or whatever {@link parseTime} takes
 * @throws {InvalidArgumentError}
 */
export function parsePlace(text: string, now: number): string {
  return /^[0-9a-f-]{36}:\d{1,15}$/.test(text) ? text : parseTime(text, now);
}
