/** What was so, over HTTP: of streams and of documents of read models, and what changed between two places. */
import { z } from 'zod';
import type { NamedDocument, PastDocuments } from '../../audit/documents.ts';
import { placeOf } from '../../audit/places.ts';
import { stateAt, stateBetween, type StatesDeps } from '../../audit/states.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventStore, Position } from '../../ports/event-store.ts';
import { Problem } from '../http/problem.ts';
import { route, type Route } from '../http/route.ts';
import { scopeOf } from '../plugin-manager/scope.ts';
import { refused } from './refused.ts';
import { ChangeAnswer } from './schemas.ts';
import { auditTag } from './tag.ts';

export interface StateRoutesDeps extends StatesDeps {
  readonly store: EventStore;
  readonly clock: Pick<Clock, 'now'>;
  readonly pastDocuments: PastDocuments;
}

const place = z.string().min(1).max(200);
const placeExample = '2025-11-23T03:10:00Z';
const AtQuery = z.strictObject({
  at: place.optional().meta({
    description: 'A position, or a time as ISO 8601 with a zone; default: now',
    example: placeExample,
  }),
});
const BetweenQuery = z.strictObject({
  from: place.optional().meta({
    description: 'A position or a time, as is `to`; default: before there was anything',
    example: placeExample,
  }),
  to: place.optional().meta({ description: 'Default: now', example: placeExample }),
});

/** Any text: what names nothing does not exist. */
const StreamParams = z.strictObject({ stream: z.string() });
const DocumentParams = z.strictObject({ collection: z.string(), documentId: z.string() });

const LastAnswer = z
  .object({
    revision: z.int(),
    position: z.string(),
    type: z.string().meta({ example: 'TenantEdited' }),
    at: z.iso.datetime(),
  })
  .meta({ id: 'AuditLastEvent' });
const state = z.json().meta({ description: 'As the platform knows it, without what is sealed' });
const changes = z.array(ChangeAnswer);

export const StateAnswer = z
  .object({ stream: z.string(), last: LastAnswer.meta({ description: 'The last event in it' }), state })
  .meta({ id: 'AuditState' });
export const StateChangesAnswer = z
  .object({
    stream: z.string(),
    from: LastAnswer.nullable().meta({ description: 'Null: there was nothing yet' }),
    to: LastAnswer,
    changes,
  })
  .meta({ id: 'AuditStateChanges' });
const named = { collection: z.string(), documentId: z.string() };
export const DocumentAnswer = z
  .object({ ...named, at: z.string().meta({ description: 'The position' }), state })
  .meta({ id: 'AuditDocument' });
export const DocumentChangesAnswer = z
  .object({ ...named, from: z.string().nullable(), to: z.string(), changes })
  .meta({ id: 'AuditDocumentChanges' });

const asking = { method: 'GET', tag: auditTag, policy: { permission: 'audit:read' }, reads: [] } as const;

export function stateRoutes(deps: StateRoutesDeps): readonly Route[] {
  const { store, clock, pastDocuments } = deps;
  const head = (): Promise<Position> => store.head();
  const placed = (field: string, text: string | undefined): Promise<Position> =>
    text === undefined
      ? head()
      : placeOf(store, text, clock.now()).catch((error: unknown) => refused(field, error));

  /** @throws {Problem} when `from` is behind `to` */
  async function between(query: z.output<typeof BetweenQuery>) {
    const to = await placed('to', query.to);
    const from = query.from === undefined ? null : await placed('from', query.from);
    if (from === null || store.compare(from, to) <= 0) return { from, to };
    const message = 'lies behind to';
    throw new Problem('Invalid', `from: ${message}`, { details: [{ field: 'from', message }] });
  }

  return [
    route({
      ...asking,
      path: '/audit/streams/:stream/state',
      operationId: 'showPastState',
      summary: 'Show what a stream said at a place in the past',
      params: StreamParams,
      query: AtQuery,
      responses: { 200: StateAnswer },
      refusals: ['Conflict'],
      handler: async ({ principal, params: { stream }, query }) => {
        const at = await placed('at', query.at);
        const found = await told(stateAt(deps, scopeOf(principal), stream, at));
        if (!found) throw wasNot(`stream ${stream}`, query.at);
        return { status: 200, body: { stream, ...found } };
      },
    }),
    route({
      ...asking,
      path: '/audit/streams/:stream/changes',
      operationId: 'comparePastStates',
      summary: 'Show what changed in a stream between two places in the past',
      params: StreamParams,
      query: BetweenQuery,
      responses: { 200: StateChangesAnswer },
      refusals: ['Conflict'],
      handler: async ({ principal, params: { stream }, query }) => {
        const found = await told(stateBetween(deps, scopeOf(principal), stream, await between(query)));
        if (!found) throw wasNot(`stream ${stream}`, query.to);
        return { status: 200, body: { stream, ...found } };
      },
    }),
    route({
      ...asking,
      path: '/audit/documents/:collection/:documentId/state',
      operationId: 'showPastDocument',
      summary: 'Show what a read model said at a place in the past',
      params: DocumentParams,
      query: AtQuery,
      responses: { 200: DocumentAnswer },
      refusals: ['Conflict'],
      handler: async ({ principal, params, query }) => {
        const at = await placed('at', query.at);
        const found = await told(pastDocuments.documentAt(scopeOf(principal), nameOf(params), at));
        if (found === null) throw wasNot(`document ${params.documentId} in ${params.collection}`, query.at);
        return { status: 200, body: { ...params, at, state: found } };
      },
    }),
    route({
      ...asking,
      path: '/audit/documents/:collection/:documentId/changes',
      operationId: 'comparePastDocuments',
      summary: 'Show what changed in a document of a read model between two places in the past',
      params: DocumentParams,
      query: BetweenQuery,
      responses: { 200: DocumentChangesAnswer },
      refusals: ['Conflict'],
      handler: async ({ principal, params, query }) => {
        const places = await between(query);
        const found = await told(pastDocuments.documentBetween(scopeOf(principal), nameOf(params), places));
        if (!found) throw wasNot(`document ${params.documentId} in ${params.collection}`, query.to);
        return { status: 200, body: { ...params, ...places, changes: found } };
      },
    }),
  ];
}

function nameOf({ collection, documentId }: z.output<typeof DocumentParams>): NamedDocument {
  return { collection, id: documentId };
}

function told<T>(asked: Promise<T>): Promise<T> {
  return asked.catch((error: unknown) => refused('at', error));
}

function wasNot(what: string, at: string | undefined): Problem {
  return new Problem('NotFound', at === undefined ? `There is no ${what}` : `There was no ${what} at ${at}`);
}
