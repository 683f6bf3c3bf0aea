/** Read models as those see them who run the platform: how far they are, what they could not digest, what the log would make of them. */
import { z } from 'zod';
import { differences } from '../../audit/difference.ts';
import { redactedChange } from '../../audit/redaction.ts';
import { createGate } from '../../core/gate.ts';
import type { Comparison, DocumentDifference } from '../../core/projection-rebuild.ts';
import type { Projector } from '../../core/projector.ts';
import { route, type Route } from '../http/route.ts';
import { notFound } from '../plugin-manager/scope.ts';
import { refused } from './refused.ts';
import { ChangeAnswer } from './schemas.ts';

export const projectionsTag = 'Projections';

const NameParams = z.strictObject({ name: z.string() });

const ParkedAnswer = z
  .object({
    stream: z.string(),
    revision: z.int().meta({ description: 'From here on the events of the stream wait' }),
    eventId: z.string(),
    type: z.string(),
    error: z.string(),
    tries: z.int(),
    parkedAt: z.iso.datetime(),
  })
  .meta({ id: 'ParkedEvent' });
const ProjectionAnswer = z
  .object({
    name: z.string().meta({ example: 'deployments' }),
    version: z.int(),
    state: z.enum(['building', 'live', 'stalled']).meta({
      description: 'building: it does not answer yet; stalled: it stands still while the log moves',
    }),
    position: z.string().nullable(),
    lagEvents: z.int().nullable().meta({ description: 'Events that wait; null: more than are counted' }),
    parked: z.array(ParkedAnswer).meta({ description: 'Events that could not be digested' }),
  })
  .meta({ id: 'Projection' });
export const ProjectionListAnswer = z.object({ projections: z.array(ProjectionAnswer) });

export const ComparisonAnswer = z
  .object({
    name: z.string(),
    position: z.string().nullable().meta({ description: 'Up to where both have come' }),
    documents: z.int().meta({ description: 'How many the log makes' }),
    different: z.int().meta({ description: 'How many are missing, too many, or not the same' }),
    differences: z
      .array(
        z.object({
          collection: z.string(),
          id: z.string(),
          kind: z.enum(['missing', 'extra', 'changed']),
          changes: z.array(ChangeAnswer).meta({ description: 'From what answers to what the log makes' }),
        }),
      )
      .meta({ description: 'The first hundred' }),
    parked: z.array(ParkedAnswer).meta({ description: 'Events that cannot be digested now either' }),
  })
  .meta({ id: 'ProjectionComparison' });
export const RetriedAnswer = z.object({
  name: z.string(),
  healed: z.int().meta({ description: 'Streams of which nothing waits any more' }),
  parked: z.array(ParkedAnswer),
});

/** Differences that are shown. */
const mostShown = 100;

const reading = { tag: projectionsTag, policy: { permission: 'projections:read' }, reads: [] } as const;
const writing = { tag: projectionsTag, policy: { permission: 'projections:write' } } as const;

export function projectionRoutes({
  projector,
}: {
  readonly projector: Pick<Projector, 'status' | 'parked' | 'retry' | 'compare' | 'rebuild'>;
}): readonly Route[] {
  // Each holds a whole read model in memory.
  const gate = createGate({ atOnce: 1, waiting: 2 });
  const parkedOf = (name: string) =>
    projector.parked().flatMap(({ projection, ...parked }) => (projection === name ? [parked] : []));

  async function known(name: string): Promise<string> {
    const all = await projector.status();
    if (!all.some((one) => one.name === name)) throw notFound('projection', name);
    return name;
  }

  async function compared(name: string, compare: (name: string) => Promise<Comparison>) {
    const found = await gate(() => compare(name)).catch((error: unknown) => refused('name', error));
    return { status: 200, body: comparisonAnswer(name, found) };
  }

  return [
    route({
      ...reading,
      method: 'GET',
      path: '/projections',
      summary: 'List the read models: how far they are, and what they could not digest',
      responses: { 200: ProjectionListAnswer },
      handler: async () => {
        const all = await projector.status();
        const projections = all.map(({ name, version, state, position, lagEvents }) => {
          return { name, version, state, position, lagEvents, parked: parkedOf(name) };
        });
        return { status: 200, body: { projections } };
      },
    }),
    route({
      ...reading,
      method: 'GET',
      path: '/projections/:name/diff',
      operationId: 'compareProjection',
      summary: 'Compare a read model with what the log makes of it now',
      params: NameParams,
      responses: { 200: ComparisonAnswer },
      refusals: ['Conflict'],
      handler: async ({ params }) => compared(await known(params.name), (name) => projector.compare(name)),
    }),
    route({
      ...writing,
      method: 'POST',
      path: '/projections/:name/rebuild',
      operationId: 'rebuildProjection',
      summary: 'Make a read model what the log makes of it now, at once',
      params: NameParams,
      responses: { 200: ComparisonAnswer },
      refusals: ['Conflict'],
      handler: async ({ params }) => compared(await known(params.name), (name) => projector.rebuild(name)),
    }),
    route({
      ...writing,
      method: 'POST',
      path: '/projections/:name/retry',
      operationId: 'retryProjection',
      summary: 'Try again what a read model could not digest',
      params: NameParams,
      responses: { 200: RetriedAnswer },
      handler: async ({ params }) => {
        const name = await known(params.name);
        const healed = await projector.retry(name);
        return { status: 200, body: { name, healed, parked: parkedOf(name) } };
      },
    }),
  ];
}

function comparisonAnswer(name: string, { differences: all, ...comparison }: Comparison): object {
  return { name, ...comparison, different: all.length, differences: all.slice(0, mostShown).map(shown) };
}

function shown({ collection, id, kept, rebuilt }: DocumentDifference): object {
  const whole = (document: DocumentDifference['kept']) => document && { ...document.data };
  const changes = differences(whole(kept), whole(rebuilt)).map(redactedChange);
  return { collection, id, kind: !kept ? 'missing' : !rebuilt ? 'extra' : 'changed', changes };
}
