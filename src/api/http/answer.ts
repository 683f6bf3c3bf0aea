/** What a handler says; the kernel turns it into bytes. */
import type { Position } from '../../ports/event-store.ts';

export interface Answer {
  readonly status: number;
  /** Rendered as JSON; absent: no body. */
  readonly body?: unknown;
  /** Beside those that every answer carries. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Where the log stood after the command: sent as `X-Position`, and waited for by the principal's next reads. */
  readonly position?: Position | null;
}

/** An answer whose body is text already. */
export interface RenderedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; null: no body. */
  readonly text: string | null;
}

export function rendered({ status, headers = {}, body, position }: Answer): RenderedAnswer {
  return {
    status,
    headers: position ? { ...headers, 'X-Position': position } : headers,
    text: body === undefined ? null : JSON.stringify(body),
  };
}
