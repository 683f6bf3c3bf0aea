/** Paging of the Plugin Manager API: `limit` and `offset`, echoed in the answer (decisions 17). */
import { z } from 'zod';

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'Must be a whole number')
    .transform(Number)
    .pipe(z.int().min(least).max(most));

/** Members of a query's schema. */
export const pagingQuery = {
  limit: wholeNumber(1, 100).default(20).meta({ description: 'Most items to return', example: '20' }),
  offset: wholeNumber(0, 999_999_999).default(0).meta({ description: 'How many to skip', example: '0' }),
};

/** Members of a page's schema. */
export const pageMembers = {
  total: z.int().meta({ description: 'How many there are on all pages' }),
  limit: z.int(),
  offset: z.int(),
};
