/** Requests on a condition: a read that only wants what is new, a change that only holds for what its caller has seen. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Precondition } from '../../core/precondition.ts';
import type { Answer, RenderedAnswer } from './answer.ts';
import { digestOf, entityTagOf, parseEntityTags, versionIn } from './entity-tags.ts';
import type { ConditionalHeader, EntityTag, EntityTags } from './entity-tags.ts';
import { Problem } from './problem.ts';
import type { Route } from './route.ts';

export interface Conditions {
  /** For the command that changes something. */
  readonly precondition?: Precondition;
  /** What a read is to answer to: itself, nothing at all (304), or a refusal. @throws {Problem} PreconditionFailed */
  readonly hold: (answer: RenderedAnswer) => RenderedAnswer;
}

const unconditional: Conditions = { hold: (answer) => answer };

/** @throws {Problem} Invalid, when a condition is malformed, or is none that this route can hold to */
export function conditionsOf(route: Route, headers: IncomingHttpHeaders): Conditions {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (match === undefined && noneMatch === undefined) return unconditional;
  if (route.method !== 'GET')
    return { ...unconditional, precondition: preconditionOf(route, match, noneMatch) };
  // What has no tag has nothing that could be compared (13.1).
  if (route.etag === null) return unconditional;
  const wanted = match === undefined ? '*' : parseEntityTags('If-Match', match);
  const had = noneMatch === undefined ? [] : parseEntityTags('If-None-Match', noneMatch);
  return { hold: (answer) => held(answer, wanted, had) };
}

function preconditionOf(
  { conditional, method }: Route,
  match: string | undefined,
  noneMatch: string | undefined,
): Precondition {
  if (match !== undefined && noneMatch !== undefined)
    throw unfit('If-None-Match', 'cannot come with If-Match: send one');
  if (noneMatch !== undefined) {
    if (conditional !== 'change or create') throw unfit('If-None-Match', `is not compared by this ${method}`);
    if (parseEntityTags('If-None-Match', noneMatch) === '*') return { holds: 'absent' };
    throw unfit('If-None-Match', `must be * for this ${method}: only when it is not there yet`);
  }
  if (conditional === null) throw unfit('If-Match', `is not compared by this ${method}: send it without`);
  const tags = parseEntityTags('If-Match', match ?? '');
  return tags === '*' ? { holds: 'exists' } : { holds: 'among', versions: versionsIn(tags) };
}

/** Weak tags never match here (13.1.1), nor does what is no tag of ours. */
function versionsIn(tags: readonly EntityTag[]): readonly string[] {
  return tags.flatMap((tag) => versionIn(tag) ?? []);
}

/** In this order (13.2.2). Both headers are compared with the bytes: for a read, there is nothing else. */
function held(answer: RenderedAnswer, wanted: EntityTags, had: EntityTags): RenderedAnswer {
  const tag = answer.headers['ETag'];
  if (tag === undefined) return answer;
  const is = ({ opaque }: EntityTag): boolean => tag === `"${opaque}"`;
  if (wanted !== '*' && !wanted.some((one) => !one.weak && is(one))) {
    const message = `What you named is not what is here now, which is ${tag}`;
    const details = [{ field: 'If-Match', message }];
    throw new Problem('PreconditionFailed', message, { details });
  }
  if (had !== '*' && !had.some(is)) return answer;
  const { 'Content-Type': _ofNoBody, ...headers } = answer.headers;
  return { status: 304, headers, text: null };
}

/** An answer with its `ETag`, where its route says that it has one. */
export function tagged({ etag }: Route, { version, digest }: Answer, answer: RenderedAnswer): RenderedAnswer {
  if (etag === null || answer.text === null) return answer;
  if (etag === 'version' && version === undefined) throw new Error('an answer does not say its version');
  const ETag = entityTagOf(digest?.() ?? digestOf(answer.text), version ?? null);
  return { ...answer, headers: { ...answer.headers, ETag } };
}

function unfit(field: ConditionalHeader, message: string): Problem {
  return new Problem('Invalid', `${field} ${message}`, { details: [{ field, message }] });
}
