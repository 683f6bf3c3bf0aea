/** Why something happened, over HTTP. */
import { z } from 'zod';
import type { Effect, Whys } from '../../audit/why.ts';
import { usersProjection } from '../../projections/users.ts';
import { route, type Route } from '../http/route.ts';
import { notFound, scopeOf } from '../plugin-manager/scope.ts';
import type { Emails } from './log.ts';
import { EntryAnswer, entryAnswer } from './schemas.ts';
import { auditTag } from './tag.ts';

const WhyParams = z.strictObject({ id: z.string() });

export const EffectAnswer = EntryAnswer.omit({ data: true, changes: true })
  .extend({
    asked: z.boolean().meta({ description: 'Whether it is what was asked about' }),
    get effects() {
      return z.array(EffectAnswer).meta({ description: 'What came of it, in order' });
    },
  })
  .meta({ id: 'AuditEffect' });

export const WhyAnswer = z
  .object({
    correlationId: z.string().meta({ description: 'Of the request that all of it came of' }),
    effects: z.array(EffectAnswer),
    more: z.boolean().meta({ description: 'Whether there is more than is told' }),
  })
  .meta({ id: 'AuditWhy' });

export function whyRoutes({
  whys,
  emails,
}: {
  readonly whys: Whys;
  readonly emails: Emails;
}): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/audit/why/:id',
      operationId: 'explainEvent',
      summary: 'Tell what an event, a command or a request came of, and everything that came of it',
      tag: auditTag,
      policy: { permission: 'audit:read' },
      reads: [usersProjection.name],
      params: WhyParams,
      responses: { 200: WhyAnswer },
      handler: async ({ principal, params: { id } }) => {
        const why = await whys.why(scopeOf(principal), id);
        if (!why) throw notFound('event, command or request', id);
        const known = await emails(why.effects.flatMap(actorsOf));
        const shown = ({ entry, asked, effects }: Effect): object => {
          const { data: _data, changes: _changes, ...answer } = entryAnswer(entry, known);
          return { ...answer, asked, effects: effects.map(shown) };
        };
        return { status: 200, body: { ...why, effects: why.effects.map(shown) } };
      },
    }),
  ];
}

function actorsOf({ entry, effects }: Effect): readonly string[] {
  return [entry.actor.id, ...effects.flatMap(actorsOf)];
}
