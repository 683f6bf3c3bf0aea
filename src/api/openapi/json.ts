/** What the document is made of. */
import { z } from 'zod';

export const JsonObject = z.record(z.string(), z.unknown());
export type JsonObject = Readonly<Record<string, unknown>>;

/** A body; the example of its schema is shown as that of the whole. */
export function jsonContent({ examples, ...schema }: JsonObject): JsonObject {
  const [example] = z.array(z.unknown()).default([]).parse(examples);
  return { 'application/json': { schema, ...(example === undefined ? {} : { example }) } };
}
