/** Strict parsing of what people write, with every violation named at once. */
import { refuse, type Refusal } from '../refusal.ts';

export interface Violation {
  readonly field: string;
  readonly message: string;
}

/** Collects violations; what breaks a rule yields the fallback, so that parsing goes on to the next field. */
export interface Violations {
  add(field: string, message: string): void;
  /** A whole number within bounds; `fallback` when absent or wrong. */
  integer(
    field: string,
    value: string | number | undefined,
    fallback: number,
    min: number,
    max: number,
  ): number;
  readonly found: readonly Violation[];
}

export function violations(): Violations {
  const found: Violation[] = [];
  const add = (field: string, message: string): void => void found.push({ field, message });
  return {
    add,
    found,
    integer: (field, value, fallback, min, max) => {
      if (value === undefined) return fallback;
      const number = typeof value === 'number' ? value : wholeNumber(value);
      if (Number.isInteger(number) && number >= min && number <= max) return number;
      add(field, `must be a whole number from ${min} to ${max}`);
      return fallback;
    },
  };
}

/** Digits alone: no sign, space, exponent or leading zero. NaN for anything else. */
export function wholeNumber(text: string): number {
  return /^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : Number.NaN;
}

export function refuseInvalid(what: string, found: readonly Violation[]): Refusal {
  const first = found[0];
  return refuse('Invalid', first ? `${what}: ${first.field} ${first.message}` : what, ...found);
}
