/** The health stream of a deployment: what its instances, or whoever watches them, reported. Kept 7 days. */
import { z } from 'zod';
import type { Aggregate, EventsOf } from './event.ts';
import { DeploymentId, Environment, PluginId, TenantId } from './ids.ts';
import { type Decision } from './refusal.ts';
import { foldReports, noEvidence, Report, unknownReports, type Evidence } from './deployment/evidence.ts';

export const healthEvents = {
  /** One a report batch. */
  InstanceHealthObserved: {
    schema: 1,
    data: z.strictObject({
      deploymentId: DeploymentId,
      tenant: TenantId,
      environment: Environment,
      plugin: PluginId,
      /** Of the slot, as the runtime was told; see epochOf. */
      epoch: z.int().min(0),
      reports: z.array(Report).min(1).max(1000),
    }),
  },
} as const;
export type HealthEvent = EventsOf<typeof healthEvents>;
export type InstanceHealthObserved = HealthEvent['data'];

/** How long reports are kept: what they came to is summarised within minutes. */
export const healthRetention = { maxAgeSeconds: 7 * 24 * 3600 };

/**
 * Stream `health-{deploymentId}`. Its state is the evidence, without the times of receipt that only a live process knows. A week of
 * reports is long: a server that starts reads a snapshot of it and the little that came after.
 */
export const health: Aggregate<Evidence, HealthEvent> = {
  name: 'health',
  events: healthEvents,
  initial: noEvidence,
  evolve: (evidence, { data }) => foldReports(evidence, data, null),
  snapshotVersion: 1,
};

/**
 * Takes what is new of a batch: no event when nothing is. Reports of another epoch than the slot's present one are dropped: an
 * old one is history, a newer one is invented.
 */
export function observe(
  evidence: Evidence,
  batch: InstanceHealthObserved,
  currentEpoch: number,
): Decision<HealthEvent> {
  if (batch.epoch !== currentEpoch) return [];
  const reports = unknownReports(evidence, batch);
  return reports.length > 0
    ? [{ type: 'InstanceHealthObserved', data: { ...batch, reports: [...reports] } }]
    : [];
}
