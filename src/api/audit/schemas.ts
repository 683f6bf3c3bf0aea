/** The past as the Plugin Manager API writes it: what is asked for, and entries of the log. */
import { z } from 'zod';
import type { AuditEntry } from '../../audit/entries.ts';
import { TenantId } from '../../domain/ids.ts';
import { pagingQuery } from '../plugin-manager/paging.ts';

const id = z.string().min(1).max(200);
export const instant = z.iso.datetime({ offset: true }).max(40);

export const LogQuery = z.strictObject({
  stream: id.optional().meta({
    description: 'The events of one stream, at the same cost however long the log is',
    example: 'tenant-tenant-acme-corp',
  }),
  tenantId: TenantId.optional().meta({ description: 'Whose facts they are', example: 'tenant-acme-corp' }),
  actor: id.optional().meta({
    description: 'Who acted: the id of a user, or a part of the platform',
    example: 'process:rollouts',
  }),
  type: z
    .string()
    .regex(/^[A-Za-z]{1,60}(,[A-Za-z]{1,60}){0,49}$/, 'must be types of events, separated by commas')
    .transform((list) => list.split(','))
    .optional()
    .meta({
      description: 'Any of these types, separated by commas',
      example: 'StageStarted,RollbackStarted',
    }),
  without: z.enum(['reports']).optional().meta({
    description:
      'Leaves out what comes in great numbers and decides nothing: reports and summaries of health, attempts at webhooks, records of idempotent requests',
    example: 'reports',
  }),
  correlationId: id.optional().meta({
    description: 'Everything that came of one request: the traceId of its answer',
    example: 'c0ffee00-0000-4000-8000-000000000000',
  }),
  about: id.optional().meta({
    description: 'About whatever has this id: a plugin, a deployment, a user, a webhook',
    example: 'payment-stripe',
  }),
  from: instant.optional().meta({ description: 'Not earlier than', example: '2025-11-23T02:00:00Z' }),
  to: instant.optional().meta({ description: 'Not later than', example: '2025-11-23T12:00:00Z' }),
  order: z
    .enum(['newest', 'oldest'])
    .default('newest')
    .meta({ description: 'What comes first', example: 'oldest' }),
  limit: pagingQuery.limit,
  cursor: id.optional().meta({ description: 'The `next` or the `head` of an answer to the same question' }),
});
export type LogQuery = z.output<typeof LogQuery>;

const json = z.json();

export const ChangeAnswer = z
  .object({
    field: z.string().meta({ example: 'rateLimits.maxRequestsPerMinute' }),
    before: json.optional().meta({ description: 'Absent: there was none', example: 100 }),
    after: json.optional().meta({ description: 'Absent: there is none any more', example: 200 }),
  })
  .meta({ id: 'AuditChange' });

export const EntryAnswer = z
  .object({
    position: z.string().meta({ description: 'Where in the log it is' }),
    id: z.string(),
    type: z.string().meta({ example: 'TenantEdited' }),
    stream: z.string().meta({ example: 'tenant-tenant-acme-corp' }),
    revision: z.int(),
    at: z.iso.datetime(),
    tenantId: z.string().nullable().meta({ description: 'Null: it is a fact of the platform' }),
    actor: z.object({
      id: z.string(),
      face: z.string().meta({ description: 'Where it was asked for: a face of the API, or a process' }),
      email: z.string().nullable().meta({ description: 'Null: no person, or one who was forgotten' }),
    }),
    correlationId: z.string(),
    causationId: z.string().meta({ description: 'The command that it is an effect of' }),
    summary: z.string().meta({ example: 'Tenant edited' }),
    reason: z.string().nullable(),
    evidence: z.array(z.string()).meta({ description: 'What a decision stood on, a sentence each' }),
    changes: z
      .array(ChangeAnswer)
      .nullable()
      .meta({ description: 'Null: the data tells all, or nobody here can read it' }),
    data: z.record(z.string(), json),
  })
  .meta({ id: 'AuditEntry' });

export const LogAnswer = z
  .object({
    entries: z.array(EntryAnswer),
    next: z.string().nullable().meta({
      description: 'The cursor to go on with, also when this page is empty; null: there is nothing beyond',
    }),
    end: z.boolean().meta({ description: 'Whether there is nothing beyond just now' }),
    head: z.string().meta({ description: 'The cursor to follow the log with, the oldest first' }),
  })
  .meta({ id: 'AuditLogPage' });

type ShownEntry = Omit<AuditEntry, 'tenant' | 'actor'> & {
  readonly tenantId: string | null;
  readonly actor: AuditEntry['actor'] & { readonly email: string | null };
};

/** @param emails of users, by their ids */
export function entryAnswer(
  { tenant, actor, ...entry }: AuditEntry,
  emails: ReadonlyMap<string, string>,
): ShownEntry {
  const who = { ...actor, email: emails.get(actor.id) ?? null };
  return { ...entry, tenantId: tenant, actor: who };
}
