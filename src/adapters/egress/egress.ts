/**
 * The outgoing client over undici. Each request has a connection of its own, to an address that was judged just before: a name that
 * points elsewhere a moment later (DNS rebinding) gains nothing. No redirects, no proxies, no cookies.
 */
import { isIP, type Socket } from 'node:net';
import { buildConnector, Client, errors } from 'undici';
import type { Clock } from '../../ports/clock.ts';
import { EgressFailed } from '../../ports/egress.ts';
import type { Egress, EgressAnswer, EgressRequest } from '../../ports/egress.ts';
import { judgeAddress, type AddressRange } from './addresses.ts';
import { createResolve, type Resolve } from './names.ts';
import { retryAfterMs } from './retry-after.ts';

export interface EgressOptions {
  readonly clock: Pick<Clock, 'after' | 'now'>;
  /** Ranges that may be connected to though they are not of the public network, and without TLS. */
  readonly allowed: readonly AddressRange[];
  /** Default: the file of hosts, then DNS. */
  readonly resolve?: Resolve;
  /** PEM of authorities to trust instead of those that come with Node. */
  readonly trusted?: string;
}

const connectWithinMs = 5_000;
const longestUrl = 2_048;

export function createEgress(options: EgressOptions): Egress {
  const { clock, allowed, trusted } = options;
  const resolve = options.resolve ?? createResolve({ timeoutMs: 2_000 });
  const connectTo = buildConnector({
    timeout: connectWithinMs,
    maxCachedSessions: 0,
    ...(trusted === undefined ? {} : { ca: trusted }),
  });

  const mayConnect = (address: string, protocol: string): boolean => {
    const judged = judgeAddress(address, allowed);
    return judged === 'allowed' || (judged === 'global' && protocol === 'https:');
  };

  function objection(text: string): string | null {
    const url = URL.parse(text);
    if (!url || text.length > longestUrl) return `must be a URL of at most ${longestUrl} characters`;
    const { protocol, hostname } = url;
    if (protocol !== 'https:' && protocol !== 'http:') return 'must begin with https://';
    if (url.username !== '' || url.password !== '') return 'must not contain a user name or password';
    if (url.hash !== '' || text.includes('#')) return 'must not contain a fragment';
    if (protocol === 'http:' && allowed.length === 0) return 'must begin with https://';
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    if (isIP(host) !== 0 && !mayConnect(host, protocol)) return refusal(protocol);
    return null;
  }

  async function connect(target: buildConnector.Options): Promise<Socket> {
    const { hostname, protocol } = target;
    const addresses = isIP(hostname) === 0 ? await addressesOf(hostname) : [hostname];
    const open = addresses.filter((address) => mayConnect(address, protocol));
    if (open.length === 0) throw new EgressFailed('Refused', `The URL ${refusal(protocol)}`);
    let failure: unknown;
    for (const address of open) {
      try {
        // The name stays in the certificate's check, the address is where the connection goes.
        return await connected({ ...target, hostname: address });
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  async function addressesOf(name: string): Promise<readonly string[]> {
    const found = await resolve(name).catch(() => []);
    if (found.length > 0) return found;
    throw new EgressFailed('Unresolved', `No address was found for ${name}`);
  }

  function connected(target: buildConnector.Options): Promise<Socket> {
    const { promise, resolve: done, reject } = Promise.withResolvers<Socket>();
    connectTo(target, (error, socket) => {
      if (error) reject(error);
      else done(socket);
    });
    return promise;
  }

  async function ask(client: Client, request: EgressRequest, signal: AbortSignal): Promise<EgressAnswer> {
    const { pathname, search } = new URL(request.url);
    const { statusCode, headers, body } = await client.request({
      method: request.method,
      path: pathname + search,
      headers: { 'User-Agent': 'Slipway', ...request.headers },
      body: request.body ?? null,
      signal,
    });
    const said = headers['retry-after'];
    const retryAfter = typeof said === 'string' ? retryAfterMs(said, clock.now()) : null;
    return {
      status: statusCode,
      ...(retryAfter === null ? {} : { retryAfterMs: retryAfter }),
      body: new Uint8Array(await body.arrayBuffer()),
    };
  }

  return {
    objection,
    async request(request) {
      const objected = objection(request.url);
      if (objected !== null) throw new EgressFailed('Refused', `The URL ${objected}`);
      const { timeoutMs, maxResponseBytes } = request;
      const ending = new AbortController();
      const timedOut = new EgressFailed('TimedOut', `No answer came within ${timeoutMs / 1_000} seconds`);
      const cancel = clock.after(timeoutMs, () => ending.abort(timedOut));
      const aborted = (): void => ending.abort(new EgressFailed('Aborted', 'The request was given up'));
      if (request.signal?.aborted) aborted();
      request.signal?.addEventListener('abort', aborted, { once: true });
      const client = new Client(new URL(request.url).origin, {
        connect: (target, callback) => {
          connect(target).then(
            (socket) => callback(null, socket),
            (error: unknown) => callback(asError(error), null),
          );
        },
        maxHeaderSize: 16_384,
        maxResponseSize: maxResponseBytes,
        // One limit for all of it, by the clock that is given.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      try {
        return await Promise.race([ask(client, request, ending.signal), rejected(ending.signal)]);
      } catch (error) {
        throw failureOf(ending.signal.aborted ? ending.signal.reason : error, maxResponseBytes);
      } finally {
        cancel();
        request.signal?.removeEventListener('abort', aborted);
        ending.abort();
        void client.destroy();
      }
    },
  };
}

function refusal(protocol: string): string {
  return protocol === 'http:'
    ? 'must begin with https://'
    : 'must point to the public network: this server is not allowed to reach that address';
}

/** undici tells of an abort only once a connection stands: who hangs in DNS must not be waited for. */
function rejected(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const fail = (): void => reject(asError(signal.reason));
  if (signal.aborted) fail();
  else signal.addEventListener('abort', fail, { once: true });
  // The race may be over.
  promise.catch(() => undefined);
  return promise;
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

const untrusted = /^(ERR_TLS_|ERR_SSL_|EPROTO|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_)/;
const unreachable =
  /^(ECONN(REFUSED|RESET|ABORTED)|E(HOST|NET)(UNREACH|DOWN)|ETIMEDOUT|EADDRNOTAVAIL|EACCES|EPIPE)$/;

function failureOf(error: unknown, maxResponseBytes: number): EgressFailed {
  if (error instanceof EgressFailed) return error;
  if (error instanceof errors.ResponseExceededMaxSizeError)
    return new EgressFailed('TooLarge', `The answer was larger than ${maxResponseBytes} bytes`);
  if (error instanceof errors.ConnectTimeoutError)
    return new EgressFailed('Unreachable', 'No connection came about in time');
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (untrusted.test(code)) return new EgressFailed('Untrusted', `No secure connection came about (${code})`);
  if (unreachable.test(code)) return new EgressFailed('Unreachable', `No connection came about (${code})`);
  return new EgressFailed('Broken', 'The answer was no HTTP, or ended too early');
}
