/** Summaries of a deployment's health: an event for every five minutes in which somebody reported, kept for 90 days. */
import { z } from 'zod';
import type { Aggregate, EventsOf } from '../event.ts';
import { DeploymentId, TenantId } from '../ids.ts';
import type { Decision } from '../refusal.ts';
import type { Span } from './span.ts';
import { Tally } from './tally.ts';

const instant = z.iso.datetime();
const instances = z.int().min(0);

export const healthSummaryEvents = {
  HealthSummarised: {
    schema: 1,
    data: z.strictObject({
      deploymentId: DeploymentId,
      tenant: TenantId,
      from: instant,
      /** Exclusive. */
      until: instant,
      lastReportAt: instant,
      /** What it counts, by revisions of the health stream: behind `after` (-1: from its start), up to `through`. */
      after: z.int().min(-1),
      through: z.int().min(0),
      healthyInstances: instances,
      unhealthyInstances: instances,
      leastHealthyInstances: instances,
      measured: Tally,
    }),
  },
} as const;
export type HealthSummaryEvent = EventsOf<typeof healthSummaryEvents>;
export type HealthSummarised = HealthSummaryEvent['data'];

/** 90 days (design): what the longest window of the history shows. */
export const summaryRetention = { maxAgeSeconds: 90 * 24 * 3600 };

/** Stream `healthsummary-{deploymentId}`: up to which report it has come. */
export const healthSummary: Aggregate<{ readonly through: number }, HealthSummaryEvent> = {
  name: 'healthsummary',
  events: healthSummaryEvents,
  initial: { through: -1 },
  evolve: (_state, { data: { through } }) => ({ through }),
  lastTellsAll: true,
};

/**
 * @param slots in order, what a read model knows of those that are over. What was summarised already is left out; a read model that is
 * behind what was summarised cannot tell the rest apart, and is asked again later
 */
export function summarise(
  { through }: { readonly through: number },
  slots: readonly Span[],
  of: { readonly deploymentId: DeploymentId; readonly tenant: TenantId },
): Decision<HealthSummaryEvent> {
  const left = slots.filter((slot) => slot.through > through);
  if (left[0] && left[0].after < through) return [];
  return left.map((slot) => ({ type: 'HealthSummarised', data: { ...of, ...dataOf(slot) } }));
}

function dataOf(slot: Span): Omit<HealthSummarised, 'deploymentId' | 'tenant'> {
  return {
    from: iso(slot.from),
    until: iso(slot.until),
    lastReportAt: iso(slot.lastReportAt),
    after: slot.after,
    through: slot.through,
    healthyInstances: slot.healthy,
    unhealthyInstances: slot.unhealthy,
    leastHealthyInstances: slot.leastHealthy,
    measured: slot.tally,
  };
}

export function spanOf(summary: HealthSummarised): Span {
  return {
    from: Date.parse(summary.from),
    until: Date.parse(summary.until),
    lastReportAt: Date.parse(summary.lastReportAt),
    after: summary.after,
    through: summary.through,
    healthy: summary.healthyInstances,
    unhealthy: summary.unhealthyInstances,
    leastHealthy: summary.leastHealthyInstances,
    tally: summary.measured,
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
