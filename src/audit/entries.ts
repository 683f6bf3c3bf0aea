/** Events as a person reads them: who did what, when, why, and what it changed. */
import { createPast, type Past } from '../core/past.ts';
import type { Schemas } from '../core/schemas.ts';
import type { DeploymentEvent } from '../domain/deployment/events.ts';
import type { DeploymentState } from '../domain/deployment/deployment.ts';
import { tell } from '../domain/deployment/history.ts';
import type { SlotEvent } from '../domain/slot.ts';
import type { EventStore, JsonObject, RecordedEvent } from '../ports/event-store.ts';
import { aggregateOf } from './aggregates.ts';
import { asJson, differences, type Change } from './difference.ts';
import { redactedChange, redactedObject } from './redaction.ts';
import { isReport } from './reports.ts';
import { slotTold } from './slot-told.ts';

export interface AuditEntry {
  readonly position: string;
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  /** ISO 8601. */
  readonly at: string;
  /** Whose fact it is; null: the platform's. */
  readonly tenant: string | null;
  readonly actor: { readonly id: string; readonly face: string };
  readonly correlationId: string;
  readonly causationId: string;
  /** What happened, in one sentence. */
  readonly summary: string;
  readonly reason: string | null;
  /** What a decision stood on, a sentence each. */
  readonly evidence: readonly string[];
  /** What it changed in what its stream says; null: its data tells all there is, or nobody can read it. */
  readonly changes: readonly Change[] | null;
  /** As it was stored, without what is sealed. */
  readonly data: JsonObject;
}

export interface Entries {
  /** In the order of the events. */
  of(events: readonly RecordedEvent[]): Promise<readonly AuditEntry[]>;
}

/** Beyond it, finding out what one event changed costs more than it tells. */
const longestFold = 5_000;

export function createEntries(options: {
  readonly store: Pick<EventStore, 'readStream' | 'compare'>;
  readonly schemas: Schemas;
}): Entries {
  const { schemas } = options;
  const past = createPast({ ...options, streams: 500 });
  return {
    async of(events) {
      const entries = new Map<string, AuditEntry>();
      // The oldest first, so that each fold goes on where the one before it ended.
      for (const event of events.toSorted((a, b) => a.revision - b.revision))
        entries.set(event.position, await entryOf(event, schemas, past));
      return events.flatMap(({ position }) => entries.get(position) ?? []);
    },
  };
}

async function entryOf(recorded: RecordedEvent, schemas: Schemas, past: Past): Promise<AuditEntry> {
  const { position, id, type, stream, revision, metadata } = recorded;
  const { at, tenant, actor, correlationId, causationId } = metadata;
  const decoded = schemas.decode(recorded);
  const about = decoded.ok ? await aboutOf(decoded.event, past) : unreadable;
  return {
    ...{ position, id, type, stream, revision, at, tenant, actor, correlationId, causationId },
    ...about,
    data: redactedObject(recorded.data),
  };
}

type About = Pick<AuditEntry, 'summary' | 'reason' | 'evidence' | 'changes'>;
const unreadable: About = {
  summary: 'Something that this version of the program cannot read',
  ...{ reason: null, evidence: [], changes: null },
};

async function aboutOf(event: RecordedEvent, past: Past): Promise<About> {
  const found = aggregateOf(event.stream);
  const { reason, evidence } = event.data;
  const plain = {
    summary: inWords(event.type),
    reason: typeof reason === 'string' ? reason : null,
    evidence: Array.isArray(evidence) ? evidence.filter((one) => typeof one === 'string') : [],
  };
  if (!found || isReport(event.type) || event.revision > longestFold) return { ...plain, changes: null };
  // What a newer program wrote earlier in the stream, or what retention took from it, cannot be folded.
  const states = await past.around(found.aggregate, event).catch(() => null);
  if (!states) return { ...plain, changes: null };
  const { before, after } = states;
  const changes = differences(asJson(before), asJson(after)).map(redactedChange);
  const told =
    found.aggregate.name === 'deployment'
      ? deploymentTold(event, after)
      : found.aggregate.name === 'slot'
        ? { summary: slotTold({ type: event.type, data: event.data } as object as SlotEvent) }
        : null;
  return { ...plain, ...told, changes };
}

function deploymentTold(event: RecordedEvent, after: unknown): Pick<About, 'summary' | 'evidence'> | null {
  // The fold of a deployment's stream, and the events that it is folded from.
  const state = after as DeploymentState;
  if (state.phase === 'None') return null;
  const told = tell({ type: event.type, data: event.data } as object as DeploymentEvent, state.request);
  return told && { summary: told.summary, evidence: told.evidence };
}

/** `TenantRateLimitsChanged`: Tenant rate limits changed. */
export function inWords(type: string): string {
  const words = type.split(/(?<=[a-z0-9])(?=[A-Z])/);
  return words.map((word, index) => (index === 0 ? word : word.toLowerCase())).join(' ');
}
