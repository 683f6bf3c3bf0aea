/** What a handler says; the kernel turns it into bytes. */
import { digestOf } from './entity-tags.ts';
import type { Position } from '../../ports/event-store.ts';

export type Answer = AnswerHead & (JsonBody | TextBody);

interface AnswerHead {
  readonly status: number;
  /** Beside those that every answer carries. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Which version of its resource a representation shows, where the route says that it has an `ETag` by version: a revision, or
   * what else of `[A-Za-z0-9_-]` grows old as soon as the resource changes. `If-Match` compares it, see core/precondition.ts.
   */
  readonly version?: string | number;
  /** Where the log stood after the command: sent as `X-Position`, and waited for by the principal's next reads. */
  readonly position?: Position | null;
}

interface JsonBody {
  /** Rendered as JSON; absent: no body. */
  readonly body?: unknown;
  readonly text?: never;
  readonly digest?: never;
}

interface TextBody {
  /** Sent as it is, in UTF-8. */
  readonly text: string;
  /** Of the text: `text/html`. */
  readonly mediaType: string;
  /** Of the text, see {@link digestOf}: where it is sent often, and is there already. */
  readonly digest?: () => string;
  readonly body?: never;
}

/** An answer whose body is text already. */
export interface RenderedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, unless the headers name another `Content-Type`; null: no body. */
  readonly text: string | null;
}

export function rendered(answer: Answer): RenderedAnswer {
  const { status, headers = {}, position } = answer;
  const { text, type } = bodyOf(answer);
  return {
    status,
    headers: { ...headers, ...type, ...(position ? { 'X-Position': position } : {}) },
    text,
  };
}

/**
 * For bodies that are made of one object and of nothing else: rendered as JSON once for as long as that object is there.
 * Lists are read far more often than they change.
 */
export function renderedOnce<T extends object>(body: (of: T) => unknown): (of: T) => TextBody {
  const texts = new WeakMap<T, TextBody>();
  return (of) => {
    const known = texts.get(of);
    if (known) return known;
    const text = JSON.stringify(body(of));
    let digest: string | null = null;
    const made = { text, mediaType: 'application/json', digest: () => (digest ??= digestOf(text)) };
    texts.set(of, made);
    return made;
  };
}

function bodyOf(
  answer: Answer,
): Pick<RenderedAnswer, 'text'> & { readonly type?: RenderedAnswer['headers'] } {
  if (answer.text !== undefined)
    return { text: answer.text, type: { 'Content-Type': `${answer.mediaType}; charset=utf-8` } };
  return { text: answer.body === undefined ? null : JSON.stringify(answer.body) };
}
