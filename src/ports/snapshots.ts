/**
 * Folded states, so that a long stream need not be folded from its start. They can be thrown away at any time: whoever reads
 * one checks it against the log, and a missing one only costs time.
 */
import type { Json } from './event-store.ts';

export interface Snapshot {
  readonly state: Json;
  /** Of the last event folded into `state`. */
  readonly revision: number;
  /** That event's id: a snapshot of a log that was put back from a backup is noticed by it. */
  readonly eventId: string;
  /** Which fold made it: another one ignores it. */
  readonly fingerprint: string;
}

export interface Snapshots {
  read(stream: string): Promise<Snapshot | null>;
  /** Replaces the stream's snapshot. Need not be durable. */
  write(stream: string, snapshot: Snapshot): Promise<void>;
  close(): Promise<void>;
}
