import { expect } from 'chai';
import type { IncomingMessage } from 'node:http';
import { isInRanges, parseRange } from '../../../src/adapters/egress/addresses.ts';
import { addressOf } from '../../../src/api/http/address.ts';

const proxies = ['10.0.0.0/8', 'fd00::/8'].map((text) => parseRange(text)!);
const trusted = (address: string) => isInRanges(address, proxies);

function from(remoteAddress: string | undefined, forwarded?: string) {
  // Nothing else of a request is looked at.
  const request = { socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } };
  return addressOf(request as unknown as IncomingMessage, trusted);
}

describe('where a request comes from', () => {
  const cases: readonly [what: string, remote: string, forwarded: string | undefined, address: string][] = [
    ['its connection', '192.0.2.1', undefined, '192.0.2.1'],
    ['its connection, whatever it says', '192.0.2.1', '198.51.100.7', '192.0.2.1'],
    ['its connection, even when it names a proxy', '192.0.2.1', '198.51.100.7, 10.0.0.1', '192.0.2.1'],
    ['what a trusted proxy says', '10.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['what a trusted proxy says in IPv6', 'fd00::1', '2001:db8::1', '2001:db8::1'],
    ['what a proxy says that is mapped into IPv6', '::ffff:10.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['the last that no trusted proxy is', '10.0.0.1', '1.1.1.1, 198.51.100.7, 10.0.0.2', '198.51.100.7'],
    ['the proxy that says nothing', '10.0.0.1', undefined, '10.0.0.1'],
    ['the first proxy, when all are trusted', '10.0.0.1', '10.0.0.3,10.0.0.2', '10.0.0.3'],
    ['the proxy that says what is no address', '10.0.0.1', '198.51.100.7, unknown', '10.0.0.1'],
    ['the proxy that leaves it empty', '10.0.0.1', '198.51.100.7, ', '10.0.0.1'],
    ['the proxy that names a port', '10.0.0.1', '198.51.100.7:4711', '10.0.0.1'],
  ];
  for (const [what, remote, forwarded, address] of cases)
    it(`is ${what}`, () => {
      expect(from(remote, forwarded)).to.equal(address);
    });

  it('is nowhere when the connection is gone', () => {
    expect(from(undefined, '198.51.100.7')).to.equal('');
  });
});
