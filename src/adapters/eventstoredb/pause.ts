import { setTimeout as wait } from 'node:timers/promises';

/** Between two tries; ends early at the signal. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await wait(ms, undefined, signal && { signal }).catch(() => undefined);
}
