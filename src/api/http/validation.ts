/** From what a schema found wrong to fields as the caller wrote them. */
import { z } from 'zod';
import { fieldName } from '../../domain/field-name.ts';
import { Problem } from './problem.ts';
import type { FieldProblem } from './problem.ts';

export type Part = 'params' | 'query' | 'body';

const options: z.core.ParseContext<z.core.$ZodIssue> = { error: sentenceOf };

const units: Readonly<Record<string, readonly [one: string, more: string]>> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
  record: ['member', 'members'],
};

/** What to do about it, in words; undefined: the schema's own message says it. */
function sentenceOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type')
    return issue.input === undefined ? 'is required' : `must be ${article(issue.expected)}`;
  if (issue.code === 'too_small') return bound('at least', issue.origin, issue.minimum);
  if (issue.code === 'too_big') return bound('at most', issue.origin, issue.maximum);
  if (issue.code === 'invalid_value')
    return `must be ${issue.values
      .map(String)
      .join(', ')
      .replace(/, ([^,]*)$/, ' or $1')}`;
  return undefined;
}

function bound(word: 'at least' | 'at most', origin: string, limit: number | bigint): string {
  const unit = units[origin];
  if (unit === undefined) return `must be ${word} ${limit}`;
  if (word === 'at least' && limit === 1) return 'must not be empty';
  return `must have ${word} ${limit} ${limit === 1 ? unit[0] : unit[1]}`;
}

function article(type: string): string {
  const words: Readonly<Record<string, string>> = {
    int: 'a whole number',
    record: 'an object',
    nan: 'a number',
  };
  return words[type] ?? (/^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`);
}

/** Most details in an answer: a body of a million wrong items must not be answered with a million sentences. */
const most = 50;

/** @throws {Problem} `Invalid`, naming every field that is wrong */
export function validated<S extends z.ZodType>(schema: S, value: unknown, part: Part): z.output<S> {
  const result = schema.safeParse(value, options);
  if (result.success) return result.data;
  const details = result.error.issues.flatMap((issue) => fieldsOf(issue, part)).slice(0, most);
  const first = details[0];
  throw new Problem('Invalid', first ? `${first.field}: ${first.message}` : 'The request is not valid', {
    details,
  });
}

function fieldsOf(issue: z.core.$ZodIssue, part: Part): readonly FieldProblem[] {
  if (issue.code !== 'unrecognized_keys') {
    return [{ field: fieldName(issue.path) || part, message: issue.message }];
  }
  const message = part === 'query' ? 'is not a parameter of this call' : 'is not a field of this call';
  return issue.keys.map((key) => ({ field: fieldName([...issue.path, key]), message }));
}
