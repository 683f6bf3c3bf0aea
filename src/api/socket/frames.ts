/** What is said on a socket: frames of text, each an object of JSON with a `type`. docs/socket.md describes them. */
import { z } from 'zod';
import type { Announcement } from '../../projections/announcements/types.ts';
import { NotJson, parseJson } from '../http/json.ts';
import { Problem } from '../http/problem.ts';
import type { ErrorBody } from './refusals.ts';

const names = z.array(z.string().max(100)).min(1).max(20);
const oneOrMore = z
  .union([z.string().min(1).max(214), z.array(z.string().min(1).max(214)).min(1).max(100)])
  .transform((given) => new Set(typeof given === 'string' ? [given] : given));

/** Announcements that hold none of the values named for a field are left out. */
const Filter = z.strictObject({
  types: oneOrMore.optional(),
  /** Its `plg_…` id, slug or package name (decisions 2). */
  pluginId: oneOrMore.optional(),
  deploymentId: oneOrMore.optional(),
  environment: oneOrMore.optional(),
  tenantId: oneOrMore.optional(),
});
export type Filter = z.output<typeof Filter>;

const ClientFrame = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('auth'), token: z.string().min(1).max(8_192) }),
  z.strictObject({
    type: z.literal('subscribe'),
    channels: names,
    /** Where another socket stopped reading. */
    since: z.string().min(1).max(200).optional(),
    filter: Filter.optional(),
  }),
  z.strictObject({ type: z.literal('unsubscribe'), channels: names }),
  z.strictObject({ type: z.literal('ping') }),
]);
export type ClientFrame = z.output<typeof ClientFrame>;
export type Subscribe = Extract<ClientFrame, { readonly type: 'subscribe' }>;

/** @throws {Problem} `Invalid`, in words for whoever wrote the client */
export function parseClientFrame(bytes: Buffer): ClientFrame {
  const parsed = ClientFrame.safeParse(jsonOf(bytes));
  if (parsed.success) return parsed.data;
  const details = parsed.error.issues.slice(0, 10).map(({ path, message }) => ({
    field: path.join('.') || 'frame',
    message,
  }));
  const first = details[0] ?? { field: 'frame', message: 'is wrong' };
  throw new Problem('Invalid', `The frame was not understood: ${first.field}: ${first.message}`, { details });
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return parseJson(bytes);
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    const details = [{ field: 'frame', message: error.message }];
    throw new Problem('Invalid', `The frame ${error.message}`, { details });
  }
}

/** An announcement as sockets send it. @param position where a reader stands who has read it, see formatCursor */
export function eventFrame(announcement: Announcement, position: string): string {
  const { type, timestamp, data, id, channel } = announcement;
  return JSON.stringify({ type, timestamp, data, id, channel, position });
}

/** What else the server says. Each frame carries a `timestamp` as well. */
export type ServerFrame =
  | {
      readonly type: 'authenticated';
      readonly userId: string;
      readonly tenantId: string;
      /** ISO 8601. */
      readonly expiresAt: string;
    }
  | {
      readonly type: 'subscribed';
      readonly channels: readonly string[];
      /** Those that do not exist. */
      readonly unknown: readonly string[];
      readonly denied: readonly { readonly channel: string; readonly permission: string }[];
      /** All that happens after it is sent. */
      readonly position: string;
    }
  | {
      readonly type: 'unsubscribed';
      readonly channels: readonly string[];
      readonly unknown: readonly string[];
    }
  | { readonly type: 'pong' }
  | { readonly type: 'error'; readonly error: ErrorBody };

export function serverFrame({ type, ...rest }: ServerFrame, timestamp: string): Buffer {
  return Buffer.from(JSON.stringify({ type, timestamp, ...rest }));
}
