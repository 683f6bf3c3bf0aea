import { expect } from 'chai';
import fc from 'fast-check';
import { judgeAddress, parseRange, type AddressRange } from '../../../src/adapters/egress/addresses.ts';

const ranges = (...texts: readonly string[]): readonly AddressRange[] =>
  texts.map((text) => parseRange(text) ?? expect.fail(`${text} is no range`));

const inner = [
  ...['0.0.0.0', '0.1.2.3', '10.0.0.1', '100.64.0.1', '127.0.0.1', '127.255.255.254', '169.254.169.254'],
  ...['172.16.0.1', '172.31.255.255', '192.0.0.1', '192.0.2.1', '192.168.1.1', '198.18.0.1', '203.0.113.9'],
  ...['224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
];
const innerIPv6 = [
  ...['::', '::1', '::7f00:1', '::127.0.0.1', '64:ff9b::7f00:1', '64:ff9b:1::7f00:1', '100::1', '2001::1'],
  ...['2001:db8::1', '2002:7f00:1::1', '3fff::1', '4000::1', '5f00::1', 'fc00::1', 'fd12::1', 'fe80::1'],
  ...['fe80::1%eth0', 'fec0::1', 'ff02::1', '::ffff:0:127.0.0.1'],
];

describe('addresses', () => {
  it('that are not of the public network are refused, in every form', () => {
    for (const address of [...inner, ...innerIPv6])
      expect(judgeAddress(address, []), address).to.equal('refused');
    for (const address of inner)
      expect(judgeAddress(`::ffff:${address}`, []), `mapped ${address}`).to.equal('refused');
  });

  it('of the public network are open', () => {
    for (const address of ['1.1.1.1', '8.8.8.8', '172.32.0.1', '2606:4700:4700::1111', '::ffff:1.1.1.1'])
      expect(judgeAddress(address, []), address).to.equal('global');
  });

  it('that are none are refused', () => {
    for (const text of ['', 'localhost', '1.1.1.1:80', '[::1]', '1.1.1.1/8', '999.1.1.1', '::g'])
      expect(judgeAddress(text, ranges('0.0.0.0/0', '::/0')), text).to.equal('refused');
  });

  it('are allowed where a range names them, also when they are mapped into IPv6', () => {
    const allowed = ranges('127.0.0.0/8', 'fd00::/8', '10.1.2.3');
    for (const address of ['127.0.0.1', '127.9.9.9', '::ffff:127.0.0.1', 'fd12::1', '10.1.2.3'])
      expect(judgeAddress(address, allowed), address).to.equal('allowed');
    for (const address of ['10.1.2.4', '::1', 'fc00::1', '128.0.0.1', '64:ff9b::7f00:1'])
      expect(judgeAddress(address, allowed), address).not.to.equal('allowed');
  });

  it('of a private range are refused, whichever of them it is', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    const privately = fc.oneof(
      fc.tuple(fc.constant(10), octet, octet, octet),
      fc.tuple(fc.constant(127), octet, octet, octet),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
      fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
      fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
      fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), octet, octet),
    );
    fc.assert(
      fc.property(privately, (octets) => {
        const [a = 0, b = 0, c = 0, d = 0] = octets;
        const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
        for (const form of [
          octets.join('.'),
          `::ffff:${hex}`,
          `::${hex}`,
          `64:ff9b::${hex}`,
          `2002:${hex}::`,
        ])
          expect(judgeAddress(form, []), form).to.equal('refused');
      }),
    );
  });

  it('stand in ranges as CIDR has them, and in no short form', () => {
    for (const text of ['127.0.0.0/8', '::1/128', 'fd00::/8', '10.0.0.1', '0.0.0.0/0'])
      expect(parseRange(text), text).not.to.equal(null);
    for (const text of [
      '',
      '127/8',
      '10.0.0.0/33',
      '::/129',
      '10.0.0.0/',
      '10.0.0.0/8/8',
      '010.0.0.0/8',
      'fe80::1%e/64',
      'any',
    ])
      expect(parseRange(text), text).to.equal(null);
  });
});
