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
