/** Waiting for what another process does: a condition with a deadline, asked again and again. */
import { setTimeout as pause } from 'node:timers/promises';

/**
 * @param ask answers what is waited for, or null as long as it is not so
 * @throws when it is not so within `deadlineMs`, saying `what`
 */
export async function until<T>(what: string, deadlineMs: number, ask: () => Promise<T | null>): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const found = await ask();
    if (found !== null) return found;
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await pause(50);
  }
}
