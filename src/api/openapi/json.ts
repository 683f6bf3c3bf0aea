/** What the document is made of. */
import { z } from 'zod';

export const JsonObject = z.record(z.string(), z.unknown());
export type JsonObject = Readonly<Record<string, unknown>>;
