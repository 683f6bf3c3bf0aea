/**
 * The one file that knows the client of EventStoreDB. It speaks in records, numbers and four outcomes; its successor's is another file
 * with the same exports.
 *
 * Appends do not go through the client's `appendToStream`: that keeps its promises in one map for the whole process, rejects
 * all of them when any stream of any connection fails, and an answer that comes afterwards throws where nobody can catch it.
 * They go through the same generated stubs, in a stream of their own.
 */
import {
  ErrorType,
  EventStoreDBClient,
  isCommandError,
  StreamNotFoundError,
  type ResolvedEvent,
  type StreamingRead,
} from '@eventstore/db-client';
import operations from '@eventstore/db-client/generated/operations_pb.js';
import operationsGrpc from '@eventstore/db-client/generated/operations_grpc_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { Status } from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import emptyTypes from 'google-protobuf/google/protobuf/empty_pb.js';
import { randomUUID } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { StoreUnavailable, type ExpectedRevision } from '../../ports/event-store.ts';
import type { EncodedEvent, StoredRecord } from './records.ts';

/** A place (inclusive forwards, exclusive backwards), or an end of the log. */
export type From = number | 'start' | 'end';

export interface PageOf<Start> {
  readonly from: Start;
  readonly direction: 'forwards' | 'backwards';
  readonly limit: number;
}

export type Answer =
  | { readonly kind: 'appended'; readonly revision: number; readonly place: number | null }
  | { readonly kind: 'conflict'; readonly actual: ExpectedRevision }
  /** It will never be taken as it is. */
  | { readonly kind: 'refused'; readonly why: string }
  /** It was written, or not. */
  | { readonly kind: 'unknown'; readonly why: string };

/** One stream of appends to the server, which answers each under the id that sending it gave. */
export interface AppendStream {
  send(append: {
    readonly stream: string;
    readonly expected: ExpectedRevision;
    readonly events: readonly EncodedEvent[];
  }): string;
  end(): void;
}

export interface Feed {
  close(): void;
}

export interface Connection {
  readAll(page: PageOf<From>): Promise<readonly StoredRecord[]>;
  /** Null: there never was such a stream. */
  readStream(stream: string, page: PageOf<From>): Promise<readonly StoredRecord[] | null>;
  /** Everything that is stored from now on; `onLive` once nothing more can be missed. `onEnd` is called once. */
  follow(on: {
    readonly live: () => void;
    readonly record: (record: StoredRecord) => void;
    readonly end: (why: string) => void;
  }): Feed;
  openAppends(on: {
    readonly answer: (id: string, answer: Answer) => void;
    readonly end: (why: string) => void;
  }): Promise<AppendStream>;
  /** @returns the scavenge's id; of the one that runs, when one does */
  startScavenge(): Promise<string>;
  close(): Promise<void>;
}

/** Bytes of events in one message: gRPC servers take 4 MiB. */
const messageBytes = 1024 * 1024;
/** Of a cluster, only the leader has what was just acknowledged. Who asks another is told where the leader is, and goes there. */
const requiresLeader = true;

/**
 * @param url a connection string: `esdb://user:password@host:2113,host:2113?tls=true`
 * @param patience how long a read may go without an answer, milliseconds
 * @throws {RangeError} when it is no connection string; the message does not show it, for a password may stand in it
 */
export function connect(url: string, patience: number): Connection {
  const client = clientOf(url);
  return {
    readAll: ({ from, direction, limit }) =>
      collected(
        client.readAll({
          direction,
          requiresLeader,
          maxCount: limit,
          fromPosition: typeof from === 'number' ? { commit: BigInt(from), prepare: BigInt(from) } : from,
        }),
        patience,
      ),

    async readStream(stream, { from, direction, limit }) {
      const fromRevision = typeof from === 'number' ? BigInt(from) : from;
      try {
        return await collected(
          client.readStream(stream, { direction, requiresLeader, maxCount: limit, fromRevision }),
          patience,
        );
      } catch (error) {
        if (error instanceof StoreUnavailable && error.cause instanceof StreamNotFoundError) return null;
        throw error;
      }
    },

    follow(on) {
      const subscription = client.subscribeToAll({ fromPosition: 'end', requiresLeader });
      let ended = false;
      const end = (why: string): void => {
        if (ended) return;
        ended = true;
        on.end(why);
        subscription.destroy();
        subscription.unsubscribe().catch(() => undefined);
      };
      subscription.on('confirmation', () => {
        if (!ended) on.live();
      });
      subscription.on('data', (resolved: ResolvedEvent) => {
        // What is handled here is only kept: there is nothing to wait for.
        if (!ended) on.record(storedRecord(resolved));
      });
      subscription.on('error', (error: Error) => end(error.message));
      for (const over of ['end', 'close'] as const) subscription.on(over, () => end('the server ended it'));
      return { close: () => end('closed') };
    },

    openAppends: (on) => openAppends(client, on),

    startScavenge: () =>
      client['execute'](operationsGrpc.OperationsClient, 'scavenge', async (stub) => {
        const { promise, resolve, reject } = Promise.withResolvers<string>();
        const options = new operations.StartScavengeReq.Options();
        options.setThreadCount(1);
        const request = new operations.StartScavengeReq();
        request.setOptions(options);
        stub.startScavenge(request, ...client['callArguments']({ requiresLeader }), (error, response) => {
          if (error) reject(error);
          else resolve(response.getScavengeId());
        });
        return promise;
      }).catch((error: unknown) => Promise.reject(unavailable(error))),

    async close() {
      await client.dispose();
      (await client['getChannel']().catch(() => null))?.close();
    },
  };
}

/** By the names that the client knows, lower case without dashes and underscores. */
const settingNames = new Set([
  ...['connectionname', 'defaultdeadline', 'discoveryinterval', 'gossiptimeout', 'keepaliveinterval'],
  ...['keepalivetimeout', 'maxdiscoverattempts', 'nodepreference', 'throwonappendfailure', 'tls'],
  ...['tlscafile', 'tlsverifycert', 'usercertfile', 'userkeyfile'],
]);

function clientOf(url: string): EventStoreDBClient {
  const wrong = (what: string): RangeError =>
    new RangeError(`${what}; a connection string is esdb://user:password@host:2113?tls=true`);
  let tls = true;
  // Of a name that it does not know and of certificates the client would warn, and print the whole string.
  for (const [, name = '', value] of (url.split('?')[1] ?? '').matchAll(/(?:^|&)([^=&]*)=?([^&]*)/g)) {
    const flat = name.toLowerCase().replace(/[-_]/g, '');
    if (flat === 'tls') tls = value !== 'false';
    if (flat !== '' && !settingNames.has(flat)) throw wrong(`the client has no setting ${name}`);
    if (flat === 'tlsverifycert' && value === 'false')
      throw wrong('the client cannot leave certificates unchecked: name the authority with tlsCAFile');
  }
  const hosts = (/^[^:]*:[/][/](?:[^@]*@)?([^?]*)/.exec(url)?.[1] ?? '').split(',');
  if (tls && hosts.some((host) => isIPv4(host.replace(/:\d*[/]?$/, ''))))
    throw wrong('with TLS a host is named, since Node takes no address for the name of a certificate');
  try {
    return EventStoreDBClient.connectionString(url);
  } catch (error) {
    const place = /at position \d+, expected .*/.exec(error instanceof Error ? error.message : '');
    throw wrong(
      place ? `something is wrong ${place[0]}` : 'it cannot be used, or its certificate not be read',
    );
  }
}

/** A read is a page, so it is gathered as it comes. The client sets no deadline for it: an answer that stays away ends it. */
function collected(stream: StreamingRead<ResolvedEvent>, patience: number): Promise<readonly StoredRecord[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly StoredRecord[]>();
  const records: StoredRecord[] = [];
  const fail = (error: unknown): void => {
    clearTimeout(waiting);
    reject(unavailable(error));
    stream.destroy();
    // Not by `destroy`, and not before it: a cancelled read neither ends nor fails.
    stream.cancel().catch(() => undefined);
  };
  const waiting = setTimeout(() => fail(new Error(`no answer for ${patience} ms`)), patience);
  stream.on('error', (error: unknown) => fail(error));
  stream.on('data', (resolved: ResolvedEvent) => {
    waiting.refresh();
    try {
      records.push(storedRecord(resolved));
    } catch (error) {
      fail(error);
    }
  });
  stream.on('end', () => {
    clearTimeout(waiting);
    resolve(records);
  });
  return promise;
}

/** Revisions and positions are bigints here and numbers everywhere else: 2^53 bytes are 9 petabytes. */
function number(value: bigint | number): number {
  const converted = Number(value);
  if (!Number.isSafeInteger(converted)) throw new RangeError(`${value} is beyond what a number can say`);
  return converted;
}

function storedRecord({ event }: ResolvedEvent): StoredRecord {
  if (!event?.position) throw new Error('the server sent an event without its position');
  const { streamId: stream, revision, position, id, type, created, data, metadata } = event;
  return {
    stream,
    revision: number(revision),
    place: number(position.commit),
    id,
    type,
    created: created.getTime(),
    data,
    metadata,
  };
}

function unavailable(error: unknown): StoreUnavailable {
  // The client says the same several times.
  const why = (error instanceof Error ? error.message : String(error)).slice(0, 200);
  const what =
    error instanceof Error && isCommandError(error) && error.type === ErrorType.ACCESS_DENIED
      ? 'EventStoreDB denies access: the user of EVENTSTORE_URL needs the rights to read and write'
      : `EventStoreDB does not answer: ${why}`;
  return new StoreUnavailable(what, { cause: error });
}

function openAppends(
  client: EventStoreDBClient,
  on: Parameters<Connection['openAppends']>[0],
): Promise<AppendStream> {
  return client['execute'](streamsGrpc.StreamsClient, 'appends', async (stub) => {
    const call = stub.batchAppend(...client['callArguments']({ requiresLeader }, { deadline: Infinity }));
    let ended = false;
    const end = (why: string): void => {
      if (ended) return;
      ended = true;
      on.end(why);
      call.cancel();
    };
    call.on('data', (response: streams.BatchAppendResp) => {
      on.answer(response.getCorrelationId()?.getString() ?? '', answerOf(response));
    });
    call.on('error', (error: Error) => {
      end(error.message);
      // So that the next call goes to another node, or to the leader that was named.
      client['handleError'](stub, error).catch(() => undefined);
    });
    call.on('end', () => end('the server ended the stream of appends'));
    return {
      send({ stream, expected, events }: Parameters<AppendStream['send']>[0]) {
        const id = randomUUID();
        for (const request of requestsOf(id, stream, expected, events)) call.write(request);
        return id;
      },
      end: () => end('closed'),
    };
  }).catch((error: unknown) => Promise.reject(unavailable(error)));
}

function* requestsOf(
  id: string,
  stream: string,
  expected: ExpectedRevision,
  events: readonly EncodedEvent[],
): Generator<streams.BatchAppendReq> {
  const correlation = new shared.UUID().setString(id);
  // No deadline: the server would read it by its own clock. How long it tries is its own setting (CommitTimeoutMs).
  const options = new streams.BatchAppendReq.Options();
  options.setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(stream)));
  if (expected === 'none') options.setNoStream(new emptyTypes.Empty());
  else options.setStreamPosition(String(expected));
  let request = new streams.BatchAppendReq().setCorrelationId(correlation).setOptions(options);
  let bytes = 0;
  for (const { id: eventId, type, data, metadata } of events) {
    const size = data.length + metadata.length;
    if (bytes > 0 && bytes + size > messageBytes) {
      yield request;
      request = new streams.BatchAppendReq().setCorrelationId(correlation);
      bytes = 0;
    }
    bytes += size;
    const message = new streams.BatchAppendReq.ProposedMessage();
    message.setId(new shared.UUID().setString(eventId)).setData(data).setCustomMetadata(metadata);
    message.getMetadataMap().set('type', type).set('content-type', 'application/json');
    request.addProposedMessages(message);
  }
  yield request.setIsFinal(true);
}

function answerOf(response: streams.BatchAppendResp): Answer {
  try {
    const success = response.getSuccess();
    if (success) {
      const place = success.getPosition()?.getCommitPosition();
      return {
        kind: 'appended',
        revision: number(BigInt(success.getCurrentRevision())),
        // Of a repetition whose events retention hides, the server no longer knows where they are.
        place: place === undefined || BigInt(place) > BigInt(Number.MAX_SAFE_INTEGER) ? null : Number(place),
      };
    }
    return errorOf(response.getError());
  } catch (error) {
    return { kind: 'unknown', why: `its answer cannot be read: ${String(error)}` };
  }
}

function errorOf(error: Status | undefined): Answer {
  const details = error?.getDetails();
  const name = details?.getTypeName().replace('event_store.client.', '') ?? '';
  switch (name) {
    case 'WrongExpectedVersion': {
      const conflict = details?.unpack(
        (bytes) => shared.WrongExpectedVersion.deserializeBinary(bytes),
        `event_store.client.${name}`,
      );
      const actual = conflict?.hasCurrentStreamRevision() ? conflict.getCurrentStreamRevision() : null;
      return { kind: 'conflict', actual: actual === null ? 'none' : number(BigInt(actual)) };
    }
    case 'MaximumAppendSizeExceeded':
      return { kind: 'refused', why: 'it is larger than the server takes; raise its MaxAppendSize' };
    case 'StreamDeleted':
      return { kind: 'refused', why: 'somebody deleted the stream' };
    case 'BadRequest':
      return { kind: 'refused', why: `the server refuses it: ${error?.getMessage()}` };
    case 'AccessDenied':
    case 'Timeout':
    case 'Unknown':
      return { kind: 'unknown', why: name };
    default:
      // The server is not ready, or busy.
      return { kind: 'unknown', why: error?.getMessage() ?? 'it gives no reason' };
  }
}
