/** How long and how many connections may be, so that nobody takes them all by being slow ("Limits on everything"). */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { networkOf } from './rate-limiting.ts';

export interface ConnectionLimits {
  /** For the headers of a request to come, in milliseconds. Slower ones are answered 408. */
  readonly headersMs: number;
  /** For all of a request to come. */
  readonly requestMs: number;
  /** For the next request on a connection. */
  readonly keepAliveMs: number;
  /** For anything to move on it: whoever does not read an answer is hung up on. */
  readonly idleMs: number;
  /** How often the first two are looked at. */
  readonly checkMs: number;
  /** At once; more are hung up on unheard. */
  readonly connections: number;
  /** Of those, from one address that is no trusted proxy. */
  readonly perNetwork: number;
}

export const defaultConnectionLimits: ConnectionLimits = {
  headersMs: 15_000,
  requestMs: 60_000,
  keepAliveMs: 65_000,
  // Longer than any request waits for news.
  idleMs: 120_000,
  checkMs: 5_000,
  connections: 10_000,
  perNetwork: 1_000,
};

/** @param isExempt of addresses that stand for many callers */
export function limitConnections(
  server: Server,
  { idleMs, connections, perNetwork }: ConnectionLimits,
  isExempt: (address: string) => boolean,
): void {
  server.timeout = idleMs;
  server.maxConnections = connections;
  const counts = new Map<string, number>();
  const networks = new WeakMap<Duplex, string>();
  function release(socket: Duplex): void {
    const network = networks.get(socket);
    if (network === undefined) return;
    networks.delete(socket);
    const left = (counts.get(network) ?? 1) - 1;
    if (left === 0) counts.delete(network);
    else counts.set(network, left);
  }
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    if (isExempt(address)) return;
    const network = networkOf(address);
    const count = (counts.get(network) ?? 0) + 1;
    if (count > perNetwork) {
      socket.destroy();
      return;
    }
    counts.set(network, count);
    networks.set(socket, network);
    socket.once('close', () => release(socket));
  });
  // Whoever takes it over has limits of its own.
  server.on('upgrade', (_request, socket: Duplex) => release(socket));
}
