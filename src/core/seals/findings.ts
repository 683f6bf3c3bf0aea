/** What is wrong with a log that was sealed, and where, in words for who must repair it. */
import type { Position } from '../../ports/event-store.ts';

export type Finding =
  /** The log has something else there than was sealed. */
  | {
      readonly kind: 'changed';
      readonly position: Position;
      readonly stream: string;
      readonly revision: number;
    }
  /** `count` sealed events in a row are gone. */
  | {
      readonly kind: 'missing';
      readonly position: Position;
      readonly through: Position;
      readonly stream: string;
      readonly revision: number;
      readonly count: number;
    }
  /** Between sealed events lies one that was not sealed. */
  | {
      readonly kind: 'inserted';
      readonly position: Position;
      readonly stream: string;
      readonly revision: number;
    }
  | { readonly kind: 'damaged'; readonly position: Position; readonly why: string }
  /** The log cannot be read on. */
  | { readonly kind: 'unreadable'; readonly after: Position | null; readonly why: string }
  /** The log ends before what a head has sealed. */
  | { readonly kind: 'cut'; readonly after: Position | null; readonly count: number; readonly at: string }
  /** The seals' own record of an event, or of a node above, is not what it was. */
  | { readonly kind: 'record'; readonly position: Position }
  /** What the head sealed, from behind `after` to `position`, is not what is there now, though leaves and events agree. */
  | {
      readonly kind: 'rewritten';
      readonly after: Position | null;
      readonly position: Position;
      readonly at: string;
    }
  /** Pages or indexes of the log's file are damaged. */
  | { readonly kind: 'file'; readonly why: string }
  /** A head is not one that this platform signed. */
  | { readonly kind: 'head'; readonly why: string };

export function sentenceOf(finding: Finding): string {
  switch (finding.kind) {
    case 'changed':
      return `The event at ${finding.position} is not what was sealed: ${placeOf(finding)}.`;
    case 'missing':
      return finding.count === 1
        ? `The event that was sealed at ${finding.position} is gone: ${placeOf(finding)}.`
        : `${finding.count} events that were sealed from ${finding.position} to ${finding.through} are gone; the first is ${placeOf(finding)}.`;
    case 'inserted':
      return `The event at ${finding.position} was put between sealed ones: ${placeOf(finding)}.`;
    case 'damaged':
      return `The event at ${finding.position} cannot be read: ${finding.why}.`;
    case 'unreadable':
      return `The log cannot be read behind ${finding.after ?? 'its start'}: ${finding.why}.`;
    case 'cut':
      return `The log ends at ${finding.after ?? 'its start'}, ${finding.count} events before what was sealed at ${finding.at}.`;
    case 'record':
      return `The seals' own record of the event at ${finding.position} was changed or damaged.`;
    case 'rewritten':
      return `What was sealed at ${finding.at}, behind ${finding.after ?? "the log's start"} up to ${finding.position}, was rewritten together with its leaves.`;
    case 'file':
      return `The file of the log is damaged: ${finding.why}.`;
    case 'head':
      return finding.why;
  }
}

function placeOf({ stream, revision }: { readonly stream: string; readonly revision: number }): string {
  return `revision ${revision} of ${stream}`;
}
