/**
 * Which streams do not keep everything: only from these may an event be gone without who verifies the log saying so. Whoever sets a
 * retention asks here what it is.
 */
import { health, healthRetention } from './health.ts';
import { healthSummary, summaryRetention } from './health/summary.ts';
import { deliveriesKeptSeconds, webhookDeliveries } from './webhook-deliveries.ts';

const kept: readonly (readonly [aggregate: string, seconds: number])[] = [
  [health.name, healthRetention.maxAgeSeconds],
  [healthSummary.name, summaryRetention.maxAgeSeconds],
  [webhookDeliveries.name, deliveriesKeptSeconds],
];

/** Whether the beginning of this stream may be gone. */
export function mayBeShortened(stream: string): boolean {
  return keptSeconds(stream) !== undefined;
}

/** What such a stream keeps. @throws {RangeError} for those that keep everything */
export function retentionOf(stream: string): { readonly maxAgeSeconds: number } {
  const maxAgeSeconds = keptSeconds(stream);
  if (maxAgeSeconds === undefined)
    throw new RangeError(`${stream} is not among the streams that are shortened`);
  return { maxAgeSeconds };
}

function keptSeconds(stream: string): number | undefined {
  return kept.find(([aggregate]) => stream.startsWith(`${aggregate}-`))?.[1];
}

/** Whether an event of this stream and time may have been removed by now. @param at ISO 8601 */
export function mayHaveExpired(stream: string, at: string, nowMs: number): boolean {
  const seconds = keptSeconds(stream);
  return seconds !== undefined && Date.parse(at) + seconds * 1000 <= nowMs;
}
