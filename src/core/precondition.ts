/** What a caller has seen of what he wants to change: lost updates are refused, in the decision itself (RFC 9110, 13). */
import { isRefusal, refuse, type Decision } from '../domain/refusal.ts';

/** `among`: it still has one of these versions. `exists`: it is there at all. `absent`: it is not. */
export type Precondition =
  { readonly holds: 'among'; readonly versions: readonly string[] } | { readonly holds: 'exists' | 'absent' };

/**
 * Holds a decision to the precondition of its command. Called where the decision is made, on what it was made from: then nobody
 * comes in between. What the caller may not see or do is refused as ever; only what is wrong with the change itself comes after.
 * @param current version of what is changed: the revision of its stream, unless only a part of the stream is changed. Null: there is none
 */
export function conditional<E>(
  { precondition }: { readonly precondition?: Precondition },
  current: string | number | null,
  decision: Decision<E>,
): Decision<E> {
  if (!precondition) return decision;
  if (isRefusal(decision) && (decision.refused === 'NotFound' || decision.refused === 'Forbidden'))
    return decision;
  switch (precondition.holds) {
    case 'among': {
      if (current !== null && precondition.versions.includes(String(current))) return decision;
      const now = current === null ? 'it is not there' : `its version is ${current} by now`;
      const message = `It is not as you have seen it: ${now}. Read it again, and send the ETag of that answer`;
      return refuse('PreconditionFailed', message, { field: 'If-Match', message });
    }
    case 'exists': {
      if (current !== null) return decision;
      const message = 'It is not there: to create it, send the request without If-Match';
      return refuse('PreconditionFailed', message, { field: 'If-Match', message });
    }
    case 'absent': {
      if (current === null) return decision;
      const message = `It is there already, in version ${current}: to replace it, send If-Match in place of If-None-Match`;
      return refuse('PreconditionFailed', message, { field: 'If-None-Match', message });
    }
  }
}
