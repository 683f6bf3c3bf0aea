/** Where a request comes from: its connection, or what proxies say that the operator trusts (`SLIPWAY_TRUSTED_PROXIES`). */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/**
 * Each proxy appends the address that it was called from to `X-Forwarded-For`. So it is read from its end, for as long as who
 * wrote is trusted; what stands further in front, anybody may have made up.
 * @returns an IP address; empty when the connection is gone
 */
export function addressOf(
  request: Pick<IncomingMessage, 'headers' | 'socket'>,
  isTrustedProxy: (address: string) => boolean,
): string {
  let address = request.socket.remoteAddress ?? '';
  const forwarded = request.headers['x-forwarded-for'];
  if (forwarded === undefined) return address;
  const named = String(forwarded).split(',');
  while (isTrustedProxy(address)) {
    const before = named.pop()?.trim() ?? '';
    if (isIP(before) === 0) break;
    address = before;
  }
  return address;
}
