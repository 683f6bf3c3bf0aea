/** Durations as ISO 8601 writes them: `PT24H`, `P1DT12H`, `P2W`. */

const number = String.raw`(\d{1,9}(?:[.,]\d{1,9})?)`;
const pattern = new RegExp(
  `^P(?!$)(?:${number}Y)?(?:${number}M)?(?:${number}W)?(?:${number}D)?(?:T(?!$)(?:${number}H)?(?:${number}M)?(?:${number}S)?)?$`,
);

const day = 86_400_000;
/** Of a duration without a date to begin at, a year has 365 days and a month 30. */
const units = [365 * day, 30 * day, 7 * day, day, 3_600_000, 60_000, 1_000];

/** @returns milliseconds; null when the text is no duration. Only its last number may have a fraction, after a point or a comma */
export function parseIsoDuration(text: string): number | null {
  const found = pattern.exec(text)?.slice(1);
  if (!found) return null;
  const parts = found.flatMap((part: string | undefined, index) =>
    part === undefined ? [] : [{ part, ms: units[index] ?? 0 }],
  );
  if (parts.slice(0, -1).some(({ part }) => /[.,]/.test(part))) return null;
  return parts.reduce((sum, { part, ms }) => sum + Number(part.replace(',', '.')) * ms, 0);
}
