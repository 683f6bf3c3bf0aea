/** Ranges of addresses that operators name, and which addresses may be connected to: global unicast ones, and `SLIPWAY_EGRESS_ALLOW`. */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export type AddressRange = readonly [network: ipaddr.IPv4 | ipaddr.IPv6, prefixLength: number];

/** `10.0.0.0/8`, `fd00::/8`, or one address. Null for anything else, as for short forms: `10/8`. */
export function parseRange(text: string): AddressRange | null {
  const [address = '', length, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) return null;
  const bits = version === 4 ? 32 : 128;
  if (length === undefined) return [ipaddr.parse(address), bits];
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits) return null;
  return [ipaddr.parse(address), Number(length)];
}

/** All of IPv6 that is given out to networks of the world (RFC 4291, 2.4): embedded forms of IPv4 that no registry lists lie elsewhere. */
const globalIPv6 = [ipaddr.parse('2000::'), 3] as const;

/**
 * @param address an IPv4 or IPv6 address in any form, without brackets
 * @returns `global`: of the public network; `allowed`: named by the operator; `refused`: neither
 */
export function judgeAddress(
  address: string,
  allowed: readonly AddressRange[],
): 'global' | 'allowed' | 'refused' {
  if (!ipaddr.isValid(address)) return 'refused';
  // What is IPv4 inside of IPv6 (`::ffff:127.0.0.1`) is IPv4 to the machine as well.
  const judged = ipaddr.process(address);
  if (isInRanges(address, allowed)) return 'allowed';
  if (judged.range() !== 'unicast') return 'refused';
  return judged.kind() === 'ipv4' || isWithin(judged, globalIPv6) ? 'global' : 'refused';
}

/** @param address as for {@link judgeAddress}; what is none is in no range */
export function isInRanges(address: string, ranges: readonly AddressRange[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const judged = ipaddr.process(address);
  return ranges.some((range) => isWithin(judged, range));
}

function isWithin(address: ipaddr.IPv4 | ipaddr.IPv6, [network, length]: AddressRange): boolean {
  return address.kind() === network.kind() && address.match(network, length);
}
