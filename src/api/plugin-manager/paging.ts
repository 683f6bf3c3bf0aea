/** Paging of the Plugin Manager API: `limit` and `offset`, echoed in the answer (decisions 17). */
import { z } from 'zod';

/** Digits, which clients and the API reference know as a number. */
const wholeNumber = (minimum: number, maximum: number, byDefault: number, description: string) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'Must be a whole number')
    .transform(Number)
    .pipe(z.int().min(minimum).max(maximum))
    .default(byDefault)
    .meta({ description, type: 'integer', pattern: undefined, minimum, maximum, example: byDefault });

/** Members of a query's schema. */
export const pagingQuery = {
  limit: wholeNumber(1, 100, 20, 'Most items to return'),
  offset: wholeNumber(0, 999_999_999, 0, 'How many to skip'),
};

/** Members of a page's schema. */
export const pageMembers = {
  total: z.int().meta({ description: 'How many there are on all pages' }),
  limit: z.int(),
  offset: z.int(),
};
