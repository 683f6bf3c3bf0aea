/** What the past cannot tell, as HTTP says it. */
import { NoSuchPlace, Untold } from '../../audit/places.ts';
import { TooMuchToReplay } from '../../core/projection-replay.ts';
import { Problem } from '../http/problem.ts';

/** @param field that the place stood in */
export function refused(field: string, error: unknown): never {
  if (error instanceof TooMuchToReplay)
    throw new Problem('Conflict', `${sentence(error.message)}; ask for the stream of an aggregate instead`);
  if (error instanceof Untold) throw new Problem('Conflict', sentence(error.message));
  if (!(error instanceof NoSuchPlace)) throw error;
  const { message } = error;
  throw new Problem('Invalid', `${field}: ${message}`, { details: [{ field, message }] });
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
