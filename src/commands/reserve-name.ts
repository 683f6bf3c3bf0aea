/** Claims of names, before what is named is appended; and their return when it was refused after all. */
import { step } from '../core/context.ts';
import { CommandRefused, type CommandContext, type Executor } from '../core/executor.ts';
import type { Aggregate } from '../domain/event.ts';
import type { TenantId } from '../domain/ids.ts';
import { refuse } from '../domain/refusal.ts';
import { release, reserve, type Reservation, type ReservationEvent } from '../domain/reservation.ts';

export interface Claim {
  readonly reservation: Aggregate<Reservation, ReservationEvent>;
  readonly name: string;
  readonly claimant: string;
  readonly tenant: TenantId;
  /** What a caller is told when another claimant has the name. */
  readonly taken: { readonly field: string; readonly message: string };
}

/**
 * Claims the name, then acts; gives it back when the act is refused.
 * @param hasName whether what is named has the name by now: a parallel request of the same claimant may have been faster
 * @throws {CommandRefused} Conflict, when another claimant has the name; or what `act` throws
 */
export async function withName<T>(
  executor: Executor,
  context: CommandContext,
  claim: Claim,
  { act, hasName }: { readonly act: () => Promise<T>; readonly hasName: () => Promise<boolean> },
): Promise<T> {
  await reserveName(executor, context, claim);
  try {
    return await act();
  } catch (error) {
    if (error instanceof CommandRefused && !(await hasName())) await releaseName(executor, context, claim);
    throw error;
  }
}

async function reserveName(executor: Executor, context: CommandContext, claim: Claim): Promise<void> {
  const { reservation, name, claimant, tenant, taken } = claim;
  const { state } = await executor.execute({
    aggregate: reservation,
    id: name,
    tenant,
    context,
    decide: (holder) => reserve(holder, claimant, taken),
  });
  // A repeated command is answered with what it did the first time; it may have given the name back since.
  if (state !== claimant) throw new CommandRefused(refuse('Conflict', taken.message, taken));
}

/** A step of its own: reserving and releasing are two effects on one stream. */
async function releaseName(executor: Executor, context: CommandContext, claim: Claim): Promise<void> {
  const { reservation, name, claimant, tenant } = claim;
  await executor.execute({
    aggregate: reservation,
    id: name,
    tenant,
    context: step(context, 'release name'),
    decide: (holder) => release(holder, claimant),
  });
}
