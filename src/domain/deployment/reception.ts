/** What is taken of a batch that an agent sends. An agent is somebody else's program: it may repeat, reorder, err and lie. */
import {
  lastSequence,
  reportsKept,
  unknownReports,
  type Evidence,
  type InstanceEvidence,
  type Report,
} from './evidence.ts';

export interface RefusedReport {
  readonly instance: string;
  readonly sequence: number;
  readonly reason: string;
}

export interface Reception {
  readonly accepted: readonly Report[];
  /** How many were known already, or lie too far back to be remembered. */
  readonly duplicates: number;
  readonly refused: readonly RefusedReport[];
  /** By instance, where the highest number taken is another than the highest that was sent: the one to go on with. */
  readonly nextSequences: Readonly<Record<string, number>>;
}

/**
 * A sequence that jumps ahead would outrank all that follows: numbers may be missing, as many as are remembered of an instance and no
 * more. An instance that was first told of under another deployment of the slot stays with it.
 * @param others what is known of the slot's other deployments
 */
export function receive(
  evidence: Evidence,
  others: readonly Evidence[],
  batch: { readonly epoch: number; readonly reports: readonly Report[] },
): Reception {
  const accepted: Report[] = [];
  const refused: RefusedReport[] = [];
  const fresh = unknownReports(evidence, batch);
  const last = new Map(
    batch.reports.flatMap(({ instance }) => {
      const known = own(evidence, instance);
      return known ? [[instance, lastSequence(known)] as const] : [];
    }),
  );
  const sent = new Map<string, number>();
  for (const { instance, sequence } of batch.reports)
    sent.set(instance, Math.max(sent.get(instance) ?? 0, sequence));

  for (const report of fresh.toSorted((a, b) => a.sequence - b.sequence)) {
    const { instance, sequence } = report;
    const before = last.get(instance);
    const reason = refusal(before, report, others);
    if (reason !== null) refused.push({ instance, sequence, reason });
    else {
      accepted.push(report);
      last.set(instance, Math.max(before ?? sequence, sequence));
    }
  }
  const behind = [...last].filter(([instance, highest]) => highest !== sent.get(instance));
  const nextSequences = Object.fromEntries(behind.map(([instance, highest]) => [instance, highest + 1]));
  return { accepted, duplicates: batch.reports.length - fresh.length, refused, nextSequences };
}

function refusal(
  before: number | undefined,
  { instance, sequence }: Report,
  others: readonly Evidence[],
): string | null {
  if (before !== undefined)
    return sequence <= before + reportsKept
      ? null
      : `The sequence of this instance stands at ${before}: it may not jump more than ${reportsKept} ahead`;
  return others.some((other) => own(other, instance))
    ? 'This instance was reported of another deployment in the slot'
    : null;
}

function own({ instances }: Evidence, instance: string): InstanceEvidence | undefined {
  return Object.hasOwn(instances, instance) ? instances[instance] : undefined;
}
