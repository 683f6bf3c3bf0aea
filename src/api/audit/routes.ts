/** All that is asked of the past, `/api/v1/audit/…`: part of the Plugin Manager's face. */
import { createEntries } from '../../audit/entries.ts';
import { createWhys } from '../../audit/why.ts';
import type { Schemas } from '../../core/schemas.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { Route } from '../http/route.ts';
import { type Emails, logRoutes } from './log.ts';
import { whyRoutes } from './why.ts';

export interface AuditRoutesDeps {
  readonly store: EventStore;
  readonly schemas: Schemas;
  readonly emails: Emails;
}

export function auditRoutes(deps: AuditRoutesDeps): readonly Route[] {
  const entries = createEntries(deps);
  const whys = createWhys({ ...deps, entries });
  return [...logRoutes({ ...deps, entries }), ...whyRoutes({ ...deps, whys })];
}
