/** The log over HTTP: what happened, who did it and what it changed. */
import type { Entries } from '../../audit/entries.ts';
import { readLog } from '../../audit/log.ts';
import { reports } from '../../audit/reports.ts';
import type { EventStore } from '../../ports/event-store.ts';
import { usersProjection } from '../../projections/users.ts';
import { route, type Route } from '../http/route.ts';
import { refuseOtherTenant, scopeOf } from '../plugin-manager/scope.ts';
import { refused } from './refused.ts';
import { auditTag } from './tag.ts';
import { entryAnswer, LogAnswer, LogQuery } from './schemas.ts';

/** E-mail addresses of users, by their ids: of those who have one that may be told. */
export type Emails = (ids: readonly string[]) => Promise<ReadonlyMap<string, string>>;

export interface LogRoutesDeps {
  readonly store: EventStore;
  readonly emails: Emails;
  readonly entries: Entries;
}

export function logRoutes(deps: LogRoutesDeps): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/audit/log',
      operationId: 'readAuditLog',
      summary: 'Read what happened: by stream, tenant, actor, type, correlation or time',
      tag: auditTag,
      policy: { permission: 'audit:read' },
      reads: [usersProjection.name],
      query: LogQuery,
      responses: { 200: LogAnswer },
      handler: async ({ principal, query }) => {
        if (query.tenantId !== undefined) refuseOtherTenant(principal, query.tenantId);
        const page = await readLog(deps, scopeOf(principal), questionOf(query)).catch((error: unknown) =>
          refused('cursor', error),
        );
        const emails = await deps.emails(page.entries.map(({ actor }) => actor.id));
        return {
          status: 200,
          body: { ...page, entries: page.entries.map((entry) => entryAnswer(entry, emails)) },
        };
      },
    }),
  ];
}

function questionOf(query: LogQuery): Parameters<typeof readLog>[2] {
  const { tenantId: tenant, type: types, without, actor, correlationId, about, from, to, ...rest } = query;
  return {
    ...rest,
    where: {
      ...(tenant !== undefined && { tenant }),
      ...(types && { types }),
      ...(without && { notTypes: reports }),
      ...(actor !== undefined && { actor }),
      ...(correlationId !== undefined && { correlationId }),
      ...(about !== undefined && { about }),
    },
    from: from === undefined ? undefined : Date.parse(from),
    to: to === undefined ? undefined : Date.parse(to),
  };
}
