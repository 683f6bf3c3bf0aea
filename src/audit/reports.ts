/** Events that come in great numbers and decide nothing: each says what there is to say by itself. */
import { commandRecord } from '../core/command-record.ts';
import { health } from '../domain/health.ts';
import { healthSummary } from '../domain/health/summary.ts';
import { webhookDeliveries } from '../domain/webhook-deliveries.ts';

/** Types of events. */
export const reports: readonly string[] = [commandRecord, health, healthSummary, webhookDeliveries].flatMap(
  ({ events }) => Object.keys(events),
);

const all = new Set(reports);

export function isReport(type: string): boolean {
  return all.has(type);
}
