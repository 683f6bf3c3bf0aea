/** The history of a deployment: read from its stream whenever somebody asks, so that it is never behind. */
import { createSchemas } from '../core/schemas.ts';
import {
  deploymentEvents,
  type DeploymentEvent,
  type DeploymentRequest,
} from '../domain/deployment/events.ts';
import { tell, type Told } from '../domain/deployment/history.ts';
import type { DeploymentId } from '../domain/ids.ts';
import type { EventStore } from '../ports/event-store.ts';

export interface HistoryEntry extends Told {
  readonly event: string;
  /** ISO 8601. */
  readonly at: string;
  readonly correlationId: string;
}

export interface DeploymentHistory {
  readonly request: DeploymentRequest;
  /** The oldest first. */
  readonly entries: readonly HistoryEntry[];
}

const pageSize = 1_000;
const schemas = createSchemas([deploymentEvents]);

/** Null: there is no such deployment. An event of a newer program is told by its type alone. */
export async function historyOf(
  store: Pick<EventStore, 'readStream'>,
  id: DeploymentId,
): Promise<DeploymentHistory | null> {
  let request: DeploymentRequest | null = null;
  const entries: HistoryEntry[] = [];
  for (let from = 0; ; from += pageSize) {
    const page = await store.readStream(`deployment-${id}`, { from, limit: pageSize });
    for (const recorded of page) {
      const { type, metadata } = recorded;
      const decoded = schemas.decode(recorded);
      // Decoding has checked the data by the schema of its type.
      const event = decoded.ok
        ? ({ type, data: decoded.event.data } as { readonly type: string } as DeploymentEvent)
        : null;
      if (event?.type === 'DeploymentRequested') request = event.data;
      if (!request) continue;
      const told = event ? tell(event, request) : unreadable;
      if (told)
        entries.push({ event: type, at: metadata.at, correlationId: metadata.correlationId, ...told });
    }
    if (page.length < pageSize) return request && { request, entries };
  }
}

const unreadable: Told = {
  summary: 'Something that this version of the program cannot read',
  ...{ stage: null, instances: null, reason: null, evidence: [], by: null },
};
