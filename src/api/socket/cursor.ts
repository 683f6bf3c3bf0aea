/**
 * Where a reader of announcements stands: after a position of the log, or in the middle of an event that is told by more than one frame,
 * since a connection can end between two of them.
 */
import type { EventStore, Position } from '../../ports/event-store.ts';

export interface Cursor {
  /** Exclusive: the log is read on after it. */
  readonly after: Position;
  /** What was read beyond it: everything before an event, and so many of its frames; null: nothing. */
  readonly within: { readonly event: Position; readonly frames: number } | null;
}

const inTheMiddle = /^(?<after>.+)\+(?<frames>\d{1,3})\+(?<event>.+)$/;

/** `{position}`, or `{position}+{frames}+{position of the event}`: opaque to clients, who send it back as `since`. */
export function formatCursor({ after, within }: Cursor): string {
  return within === null ? after : `${after}+${within.frames}+${within.event}`;
}

/** Whether the positions are of the log, its store finds out. */
export function parseCursor(text: string): Cursor {
  const parts = inTheMiddle.exec(text)?.groups;
  if (!parts) return { after: text as Position, within: null };
  const within = { event: parts['event'] as Position, frames: Number(parts['frames']) };
  return { after: parts['after'] as Position, within };
}

/** Whether who stands there has read this frame of the event at the position. @param frame from 0 */
export function hasRead(
  { after, within }: Cursor,
  position: Position,
  frame: number,
  compare: EventStore['compare'],
): boolean {
  if (within === null) return compare(position, after) <= 0;
  const order = compare(position, within.event);
  return order < 0 || (order === 0 && frame < within.frames);
}

/** Where a reader stands who has also read everything up to the position. */
export function readUpTo({ within }: Cursor, position: Position, compare: EventStore['compare']): Cursor {
  return { after: position, within: within && compare(within.event, position) > 0 ? within : null };
}
