/** A face: one document's routes under its prefix, in its own spelling of errors. */
import type { z } from 'zod';
import type { ProblemRenderer } from './exchange.ts';
import type { FaceLimits } from './rate-limiting.ts';
import type { Route } from './route.ts';

export interface Face {
  /** Part of every event's actor: `plugin-manager`. */
  readonly name: string;
  /** `/api/v1`; empty for routes at the root, beside which other faces live. */
  readonly prefix: string;
  /** Before the names of its operations in the API reference, where another face has the same: `idp`. */
  readonly operationPrefix?: string;
  /** What the tags of its routes stand for, in the API reference: a sentence each. */
  readonly tags: Readonly<Record<string, string>>;
  readonly routes: readonly Route[];
  readonly errors: ProblemRenderer;
  /** What `errors` answers, for the API reference. */
  readonly errorBody: z.ZodType;
  readonly limits: FaceLimits;
}
