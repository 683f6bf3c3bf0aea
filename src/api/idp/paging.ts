/** Paging of the IDP's API: `page` and `limit` in, `total`, `page`, `limit` and `pages` out (decisions 17). */
import { z } from 'zod';

const wholeNumber = (most: number) =>
  z
    .string()
    .regex(/^\d{1,7}$/, 'Must be a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(most));

/** Members of a query's schema. */
export const pagingQuery = {
  page: wholeNumber(1_000_000).default(1).meta({ description: 'From 1', example: '1' }),
  limit: wholeNumber(100).default(20).meta({ description: 'Most items to return', example: '20' }),
};

/** Members of a page's schema. */
export const pageMembers = {
  total: z.int().meta({ description: 'How many there are on all pages' }),
  page: z.int(),
  limit: z.int(),
  pages: z.int(),
};

interface Asked {
  readonly page: number;
  readonly limit: number;
}

/** What read models are asked for. */
export function rangeOf({ page, limit }: Asked): { readonly limit: number; readonly offset: number } {
  return { limit, offset: (page - 1) * limit };
}

/** What is said of the page. */
export function pageOf({ page, limit }: Asked, total: number) {
  return { total, page, limit, pages: Math.ceil(total / limit) };
}
