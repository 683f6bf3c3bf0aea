/** All that is asked of the past, `/api/v1/audit/…`: part of the Plugin Manager's face. */
import { createPastDocuments } from '../../audit/documents.ts';
import { createEntries } from '../../audit/entries.ts';
import { createWhys } from '../../audit/why.ts';
import type { Projection } from '../../core/projection.ts';
import type { Schemas } from '../../core/schemas.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { Route } from '../http/route.ts';
import { type Emails, logRoutes } from './log.ts';
import { stateRoutes } from './states.ts';
import { whyRoutes } from './why.ts';

export interface AuditRoutesDeps {
  readonly store: EventStore;
  readonly schemas: Schemas;
  readonly emails: Emails;
  readonly clock: Pick<Clock, 'now'>;
  /** Of its own: they remember what they have just told. */
  readonly projections: readonly Projection[];
}

export function auditRoutes(deps: AuditRoutesDeps): readonly Route[] {
  const entries = createEntries(deps);
  const whys = createWhys({ ...deps, entries });
  const pastDocuments = createPastDocuments(deps);
  return [
    ...logRoutes({ ...deps, entries }),
    ...whyRoutes({ ...deps, whys }),
    ...stateRoutes({ ...deps, pastDocuments }),
  ];
}
