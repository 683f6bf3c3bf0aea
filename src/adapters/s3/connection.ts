/** The connection to an S3 server: its deadlines, and its failures in the words of the ports. */
import http from 'node:http';
import https from 'node:https';
import { Client, S3Error } from 'minio';
import { StoreUnavailable } from '../../ports/event-store.ts';

export interface S3Place {
  /** `http://host:port` or `https://host:port`, nothing behind it. */
  readonly endpoint: string;
  readonly region: string;
  /** Made where it is missing. */
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

export interface Connection {
  /**
   * Runs a call, the bucket being there.
   * @throws {StoreUnavailable} when the server could not be reached, fell silent or refused
   */
  ask<T>(call: (client: Client) => Promise<T>): Promise<T>;
  /** As `ask`; null when the object is not there. */
  find<T>(call: (client: Client) => Promise<T>): Promise<T | null>;
  /** All objects whose names begin so, a page at a time. */
  list(prefix: string): AsyncIterable<Listed>;
  /** A failure in the words of the port, without anything of the request in it. */
  failure(error: unknown): StoreUnavailable;
  close(): void;
}

export interface Listed {
  readonly name: string;
  readonly size: number;
  readonly lastModified: Date;
}

/** Asks nothing of the server yet. @param deadlineMs how long nothing may move on the wire before a call fails */
export function connect(place: S3Place, deadlineMs: number): Connection {
  const { hostname, port, protocol, host } = new URL(place.endpoint);
  const secure = protocol === 'https:';
  const { Agent, request } = secure ? https : http;
  // The agent's time-out counts from before the connection is made.
  const agent = new Agent({ keepAlive: true, timeout: deadlineMs });
  const client = new Client({
    endPoint: hostname,
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    useSSL: secure,
    accessKey: place.accessKey,
    secretKey: place.secretKey,
    region: place.region,
    transportAgent: agent,
    transport: {
      request: (...args: unknown[]) =>
        held(Reflect.apply(request, null, args) as http.ClientRequest, deadlineMs),
    },
    // Who asks repeats, and knows for how long that makes sense; the client would also write to the console.
    retryOptions: { disableRetry: true },
  });
  // The server refuses bodies that are not what the signature says, also behind whoever ends TLS.
  client.enableSHA256 = true;

  async function makeBucket(): Promise<void> {
    if (await client.bucketExists(place.bucket)) return;
    try {
      await client.makeBucket(place.bucket, place.region);
    } catch (error) {
      // Another process was faster.
      if (!(await client.bucketExists(place.bucket))) throw error;
    }
  }
  let ready: Promise<void> | null = null;
  /** A failure is tried again by the next call. */
  function bucket(): Promise<void> {
    ready ??= makeBucket().catch((error: unknown) => {
      ready = null;
      throw error;
    });
    return ready;
  }

  const failure = (error: unknown): StoreUnavailable =>
    new StoreUnavailable(
      `the blobs (bucket ${place.bucket} at ${host}): ${reasonOf(error)}`,
      // An answer of the server can repeat parts of the request, so only its code is kept.
      error instanceof S3Error ? {} : { cause: error },
    );
  async function find<T>(call: (client: Client) => Promise<T>): Promise<T | null> {
    try {
      await bucket();
      return await call(client);
    } catch (error) {
      if (hasCode(error, 'NotFound', 'NoSuchKey')) return null;
      throw failure(error);
    }
  }
  async function ask<T>(call: (client: Client) => Promise<T>): Promise<T> {
    const answer = await find(async (asked) => ({ value: await call(asked) }));
    if (answer === null) throw failure(new Error('the server knows nothing of what was just there'));
    return answer.value;
  }
  return {
    ask,
    find,
    async *list(prefix) {
      let token = '';
      for (let more = true; more;) {
        const page = await ask((asked) =>
          asked.listObjectsV2Query(place.bucket, prefix, token, '', 1000, ''),
        );
        for (const { name, size, lastModified } of page.objects)
          if (name !== undefined) yield { name, size, lastModified };
        [token, more] = [page.nextContinuationToken, page.isTruncated];
      }
    },
    failure,
    close: () => agent.destroy(),
  };
}

/** Whether an answer of the server has one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof S3Error && error.code !== undefined && codes.includes(error.code);
}

function reasonOf(error: unknown): string {
  if (error instanceof S3Error && error.code) return `the server refuses with ${error.code}`;
  if (!(error instanceof Error)) return String(error);
  // Where a name has several addresses, the failure of all of them has no message.
  const code = 'code' in error ? String(error.code) : error.name;
  return error.message === '' ? code : error.message;
}

/** Ends a request on which nothing moves, also after its answer has begun. */
function held(request: http.ClientRequest, deadlineMs: number): http.ClientRequest {
  let answer: http.IncomingMessage | null = null;
  request.on('response', (response) => (answer = response));
  request.setTimeout(deadlineMs, () => {
    // What has come was not read yet: then it is us who are slow.
    if (answer !== null && answer.readableLength > 0) {
      request.socket?.setTimeout(deadlineMs);
      return;
    }
    const silence = new Error(`nothing came for ${deadlineMs} ms`);
    answer?.destroy(silence);
    request.destroy(silence);
  });
  return request;
}
