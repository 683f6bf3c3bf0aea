/**
 * Where a reader of announcements stands: after a position of the log, and in the middle of the event that comes next where that is
 * told by more than one frame, since a connection can end between two of them.
 */
import type { Position } from '../../ports/event-store.ts';
import { channels, type Channel } from '../../projections/announcements/types.ts';

export interface Cursor {
  /** Exclusive. */
  readonly after: Position;
  /** How many frames of the next event that is told on the channel were read already; null: none. */
  readonly read: { readonly channel: Channel; readonly frames: number } | null;
}

const inTheMiddle = /^(?<after>.*)\+(?<channel>[a-z]+)(?<frames>[1-9])$/;

/** `{position}`, or `{position}+{channel}{frames}`: opaque to clients, who send it back as `since`. */
export function formatCursor({ after, read }: Cursor): string {
  return read === null ? after : `${after}+${read.channel}${read.frames}`;
}

/** Whether the position is one of the log, its store finds out. */
export function parseCursor(text: string): Cursor {
  const parts = inTheMiddle.exec(text)?.groups;
  const channel = channels.find((known) => known === parts?.['channel']);
  if (!parts || !channel) return { after: text as Position, read: null };
  return { after: parts['after'] as Position, read: { channel, frames: Number(parts['frames']) } };
}
