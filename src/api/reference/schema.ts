/** JSON Schema as far as the page tells it. */
import { z } from 'zod';

export const Schema = z.object({
  $ref: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  description: z.string().default(''),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  format: z.string().optional(),
  pattern: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  minItems: z.number().optional(),
  maxItems: z.number().optional(),
  required: z.array(z.string()).default([]),
  default: z.unknown().optional(),
  examples: z.array(z.unknown()).default([]),
  get anyOf(): z.ZodOptional<z.ZodArray<typeof Schema>> {
    return z.array(Schema).optional();
  },
  get oneOf(): z.ZodOptional<z.ZodArray<typeof Schema>> {
    return z.array(Schema).optional();
  },
  get items(): z.ZodOptional<typeof Schema> {
    return Schema.optional();
  },
  get properties(): z.ZodDefault<z.ZodRecord<z.ZodString, typeof Schema>> {
    return z.record(z.string(), Schema).default({});
  },
  get additionalProperties(): z.ZodDefault<z.ZodUnion<readonly [z.ZodBoolean, typeof Schema]>> {
    return z.union([z.boolean(), Schema]).default(true);
  },
});
export type Schema = Readonly<z.output<typeof Schema>>;

/** What a value may be instead of one thing: any of these. */
export function waysOf({ anyOf, oneOf }: Schema): readonly Schema[] | null {
  return anyOf ?? oneOf ?? null;
}

/** What values of the type are held to, in words. */
export function boundsOf(schema: Schema): readonly string[] {
  const { format, pattern, exclusiveMinimum: above, exclusiveMaximum: below } = schema;
  return [
    format ?? null,
    range(schema.minimum, schema.maximum),
    above === undefined ? null : `more than ${above}`,
    below === undefined ? null : `less than ${below}`,
    range(schema.minLength, schema.maxLength, ['character', 'characters']),
    range(schema.minItems, schema.maxItems, ['entry', 'entries']),
    pattern === undefined ? null : `matches ${pattern}`,
  ].flatMap((bound) => bound ?? []);
}

function range(
  least: number | undefined,
  most: number | undefined,
  [one, many]: readonly [one: string, many: string] = ['', ''],
): string | null {
  const bound = most ?? least;
  if (bound === undefined) return null;
  const unit = bound === 1 ? one : many;
  if (least !== undefined && most !== undefined && least !== most)
    return `${least} to ${most} ${unit}`.trimEnd();
  const word = least === most ? 'exactly' : most === undefined ? 'at least' : 'at most';
  return `${word} ${bound} ${unit}`.trimEnd();
}
