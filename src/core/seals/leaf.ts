/** What of an event is sealed, to the byte. docs/seals.md says it to strangers. */
import type { RecordedEvent } from '../../ports/event-store.ts';
import type { Hash, NewLeaf } from '../../ports/seals.ts';
import { leafHashOfText, sha256 } from './merkle.ts';

/** JSON without white space: the array of id, type, data and metadata, members in the order in which the log has them. */
export function contentOf({
  id,
  type,
  data,
  metadata,
}: Pick<RecordedEvent, 'id' | 'type' | 'data' | 'metadata'>): string {
  return JSON.stringify([id, type, data, metadata]);
}

export function hashOfContent(content: string): Hash {
  return sha256(content);
}

/**
 * The hash of the leaf: over the JSON array of stream, revision, time and the content's hash in hex. The content is hashed by itself
 * so that the leaf can still be checked when retention has removed the event.
 */
export function hashOfLeaf({
  stream,
  revision,
  at,
  content,
}: Pick<NewLeaf, 'stream' | 'revision' | 'at' | 'content'>): Hash {
  const hex = Buffer.from(content).toString('hex');
  return leafHashOfText(JSON.stringify([stream, revision, at, hex]));
}

export function leafOf(event: RecordedEvent): NewLeaf {
  const { position, stream, revision, metadata } = event;
  return leafOfContent({ position, stream, revision, at: metadata.at }, contentOf(event));
}

/** For who has the content as a text already. */
export function leafOfContent(
  place: Pick<NewLeaf, 'position' | 'stream' | 'revision' | 'at'>,
  text: string,
): NewLeaf {
  const content = hashOfContent(text);
  return { ...place, content, hash: hashOfLeaf({ ...place, content }) };
}
