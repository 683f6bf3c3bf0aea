/** `Retry-After` (RFC 9110, 10.2.3): how long an answer asks to be left alone. */

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const time = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`;
const month = `(?<month>${months.join('|')})`;

/** The three forms of RFC 9110, 5.6.7: today's, and two that only old senders write. All are in GMT. */
const dates = [
  new RegExp(String.raw`^[A-Z][a-z]{2}, (?<day>\d\d) ${month} (?<year>\d{4}) ${time} GMT$`),
  new RegExp(String.raw`^[A-Z][a-z]{5,8}, (?<day>\d\d)-${month}-(?<year>\d\d) ${time} GMT$`),
  new RegExp(String.raw`^[A-Z][a-z]{2} ${month} (?<day>[ \d]\d) ${time} (?<year>\d{4})$`),
];

/**
 * @param value of the header: seconds, or a date @param nowMs wall time
 * @returns milliseconds from now, 0 for a time that has passed; null: nothing that can be read
 */
export function retryAfterMs(value: string, nowMs: number): number | null {
  const text = value.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const at = httpDate(text, nowMs);
  return at === null ? null : Math.max(0, at - nowMs);
}

function httpDate(text: string, nowMs: number): number | null {
  const found = dates.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  if (!found) return null;
  const number = (name: string): number => Number(found[name]);
  const [day, minute, second] = [number('day'), number('minute'), number('second')];
  const monthAt = months.indexOf(found['month'] ?? '');
  const year = found['year']?.length === 2 ? fullYear(number('year'), nowMs) : number('year');
  const date = new Date(Date.UTC(year, monthAt, day));
  // The 31st of June, and times that no clock shows. A leap second is one that is shown twice.
  if (date.getUTCDate() !== day || number('hour') > 23 || minute > 59 || second > 60) return null;
  return date.setUTCHours(number('hour'), minute, Math.min(second, 59));
}

/** What seems to be more than fifty years ahead was in the century before. */
function fullYear(short: number, nowMs: number): number {
  const now = new Date(nowMs).getUTCFullYear();
  const year = now - (now % 100) + short;
  return year > now + 50 ? year - 100 : year;
}
