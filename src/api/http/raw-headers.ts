/**
 * How often a header was sent: of most that occur twice, Node keeps the first and tells nobody.
 * @param name in lower case; @param rawHeaders names and values in turns, as Node has them
 */
export function timesSent(name: string, rawHeaders: readonly string[]): number {
  let times = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const sent = rawHeaders[index] ?? '';
    if (sent.length === name.length && sent.toLowerCase() === name) times += 1;
  }
  return times;
}
