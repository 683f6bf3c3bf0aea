/** The platform as an agent sees it: two calls over HTTP, as docs/agents.md describes them. */
import { z } from 'zod';

// Lenient: a newer platform may say more.
const Assignments = z.object({
  cursor: z.string(),
  assignments: z.array(
    z.object({
      slot: z.string(),
      epoch: z.number(),
      deployments: z.array(
        z.object({
          deploymentId: z.string(),
          pluginId: z.string(),
          version: z.string(),
          instances: z.number(),
          healthCheck: z.object({ intervalSeconds: z.number() }),
        }),
      ),
    }),
  ),
});
export type Assignments = z.output<typeof Assignments>;
export type AssignedSlot = Assignments['assignments'][number];
export type AssignedDeployment = AssignedSlot['deployments'][number];

const Received = z.object({
  epoch: z.number(),
  assigned: z.boolean(),
  accepted: z.number(),
  duplicates: z.number(),
  stale: z.number(),
  refused: z.array(z.object({ instance: z.string(), sequence: z.number(), reason: z.string() })),
  nextSequences: z.record(z.string(), z.number()),
});
export type Received = z.output<typeof Received>;

const Refused = z.object({ error: z.object({ message: z.string() }) });

export interface HealthReport {
  readonly instance: string;
  readonly sequence: number;
  readonly outcome: 'pass' | 'fail' | 'error';
  readonly latencyMs: number | null;
  readonly replaces: string | null;
}

export interface Platform {
  /** @param after the cursor of the last answer; null: answer at once @throws {NotAnswered} */
  assignments(after: string | null, waitSeconds: number, signal: AbortSignal): Promise<Assignments>;
  /** @throws {NotAnswered} */
  report(
    deploymentId: string,
    batch: { readonly epoch: number; readonly reports: readonly HealthReport[] },
    signal: AbortSignal,
  ): Promise<Received>;
}

/** The platform could not be reached, was busy, or refused. */
export class NotAnswered extends Error {
  override readonly name = 'NotAnswered';
  /** 0: no answer came. */
  readonly status: number;
  readonly retryAfterMs: number | null;
  constructor(status: number, message: string, retryAfterMs: number | null = null) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** @param options.url of the platform, `http://127.0.0.1:3000` @param options.key an API key with a scope */
export function createPlatform(options: { readonly url: string; readonly key: string }): Platform {
  const api = `${options.url.replace(/\/+$/, '')}/api/v1`;
  const headers = { 'X-API-Key': options.key, 'Content-Type': 'application/json' };

  async function ask<S extends z.ZodType>(schema: S, path: string, init: RequestInit): Promise<z.output<S>> {
    const response = await fetch(api + path, { ...init, headers, redirect: 'error' }).catch(
      (error: unknown) => {
        throw new NotAnswered(0, `${options.url} cannot be reached (${causeOf(error)})`);
      },
    );
    const body: unknown = await response.json().catch(() => null);
    if (!response.ok) {
      const told = Refused.safeParse(body);
      const message = told.success ? told.data.error.message : 'no reason given';
      const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
      const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : null;
      throw new NotAnswered(response.status, `${response.status}: ${message}`, retryAfterMs);
    }
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    throw new NotAnswered(response.status, `${options.url} does not answer as a Slipway does`);
  }

  return {
    assignments: (after, waitSeconds, signal) => {
      const query = after === null ? '' : `?after=${encodeURIComponent(after)}&wait=${waitSeconds}`;
      return ask(Assignments, `/agent/assignments${query}`, { signal });
    },
    report: (deploymentId, batch, signal) =>
      ask(Received, `/plugin-deployments/${encodeURIComponent(deploymentId)}/health-reports`, {
        method: 'POST',
        body: JSON.stringify(batch),
        signal,
      }),
  };
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.message;
}
