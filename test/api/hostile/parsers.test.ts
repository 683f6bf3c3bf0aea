/**
 * What reads the texts of strangers, asked directly: whatever the text, the answer is a value or a refusal, the same as an
 * independent reader's, within 100 ms of this thread's work. `SLIPWAY_LONG=1` asks 100,000 times, for names 10,000.
 */
import { createSecretKey, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import semver from 'semver';
import type { z } from 'zod';
import { isInRanges, judgeAddress, parseRange } from '../../../src/adapters/egress/addresses.ts';
import { addressOf } from '../../../src/api/http/address.ts';
import { parseEntityTags } from '../../../src/api/http/entity-tags.ts';
import { NotJson, parseJson } from '../../../src/api/http/json.ts';
import { Problem } from '../../../src/api/http/problem.ts';
import { parseQuery } from '../../../src/api/http/query.ts';
import { networkOf } from '../../../src/api/http/rate-limiting.ts';
import { Password } from '../../../src/core/passwords.ts';
import { createTokens, TokenRefused } from '../../../src/core/tokens.ts';
import { Environment, PluginId, platformTenant, TenantId, UserId } from '../../../src/domain/ids.ts';
import { parseIsoDuration } from '../../../src/domain/iso-duration.ts';
import { PackageName } from '../../../src/domain/registration.ts';
import { malformedReferences, SecretName, secretReferences } from '../../../src/domain/secret-reference.ts';
import { SubscriptionTier } from '../../../src/domain/tenant.ts';
import { Email } from '../../../src/domain/user.ts';
import { parseConstraint, satisfies, SemanticVersion } from '../../../src/domain/version.ts';
import { WebhookSecret } from '../../../src/domain/webhook.ts';
import { rejection } from '../../support/rejection.ts';
import { within } from '../../support/thread-work.ts';
import { text as hostile } from './arbitrary-values.ts';

const long = process.env['SLIPWAY_LONG'] === '1';
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const runs = { seed, numRuns: long ? 100_000 : 300 };

/** Pieces in any order, one of them over and over: what makes readers slow that go back. */
function pumped(pieces: readonly string[], most: number): fc.Arbitrary<string> {
  const piece = fc.constantFrom(...pieces);
  const short = fc.array(piece, { maxLength: 20 }).map((all) => all.join(''));
  const repeated = fc
    .tuple(short, short, fc.integer({ min: 1, max: most }), short)
    .map(([before, over, times, after]) =>
      (before + over.repeat(times / Math.max(1, over.length)) + after).slice(0, most),
    );
  return fc.oneof(
    { arbitrary: short, weight: 3 },
    { arbitrary: repeated, weight: 2 },
    { arbitrary: hostile, weight: 1 },
  );
}

function soon<T>(text: string | Buffer, read: () => T): T {
  return within(100, JSON.stringify(text.slice(0, 200)), read);
}

/** Null for a refusal; everything else that is thrown is a defect. */
function refusedOr<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof NotJson || (error instanceof Problem && error.kind === 'Invalid')) return null;
    throw error;
  }
}

describe(`readers of strangers’ texts (SEED=${seed})`, function () {
  this.timeout(long ? 3_600_000 : 60_000);

  it('JSON: what is taken is what JSON.parse takes, and would be sent the same way', () => {
    const pieces = [
      ...[
        '{',
        '}',
        '[',
        ']',
        ':',
        ',',
        '"',
        '\\',
        '"a"',
        '"b":1',
        '"a":{',
        '[1,',
        'null',
        'true',
        '-',
        '0',
        '1',
        'e9',
        '.5',
      ],
      ...[
        '\\u0000',
        '\\ud800',
        '\\udc00',
        '"__proto__":1',
        '\0',
        '\ufeff',
        ' ',
        '\n',
        'é',
        '😀',
        '9007199254740993',
        '1e400',
      ],
    ];
    const bytes = fc.oneof(
      pumped(pieces, 100_000).map((text) => Buffer.from(text)),
      fc.json({ maxDepth: 6 }).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
    );
    fc.assert(
      fc.property(bytes, (sent) => {
        const read = soon(sent, () => refusedOr(() => ({ value: parseJson(sent) })));
        if (!read) return;
        expect(read.value).to.deep.equal(JSON.parse(sent.toString()));
        // As text: the sign of a zero is the one thing that JSON.stringify leaves out.
        const written = JSON.stringify(read.value);
        expect(JSON.stringify(parseJson(Buffer.from(written)))).to.equal(written);
      }),
      runs,
    );
  });

  it('constraints on versions: a comma is AND, || is OR, and each part is what npm makes of it', () => {
    const pieces = [
      ...[
        '>=',
        '<',
        '>',
        '<=',
        '=',
        '^',
        '~',
        '~>',
        '1',
        '.',
        '0',
        '2',
        'x',
        'X',
        '*',
        ' ',
        '\t',
        ',',
        '||',
        ' - ',
        '-',
      ],
      ...['2.0.0', '1.2.3', 'beta', '-beta.1', '+b', 'v', 'latest', '99999999999999999999', '\0', '😀'],
    ];
    const some = ['0.0.0', '1.0.0', '1.2.3', '2.0.0', '2.0.1', '10.0.0'];
    fc.assert(
      fc.property(pumped(pieces, 5_000), (text) => {
        const constraint = soon(text, () => parseConstraint(text));
        if (!constraint) return;
        expect(text.length).to.be.at.most(256);
        for (const version of some) {
          const parts = text
            .split('||')
            .map((one) => one.split(',').every((part) => semver.satisfies(version, part)));
          expect(satisfies(version, constraint), `${version} in ${text}`).to.equal(parts.includes(true));
        }
      }),
      runs,
    );
  });

  it('versions: the ones of semver.org', () => {
    // https://semver.org, "Is there a suggested regular expression", numbers within what a double holds.
    const suggested =
      /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$/;
    const pieces = [
      '1',
      '0',
      '.',
      '-',
      '+',
      'a',
      'rc',
      '01',
      '1.0.0',
      '2.1.0-beta.1',
      ' ',
      'v',
      '=',
      '\n',
      '9',
    ];
    fc.assert(
      fc.property(pumped(pieces, 5_000), (text) => {
        const taken = soon(text, () => SemanticVersion.safeParse(text).success);
        const numbers = suggested.exec(text)?.slice(1, 4).map(Number);
        const isOne =
          text.length <= 100 &&
          numbers !== undefined &&
          numbers.every((number) => Number.isSafeInteger(number));
        expect(taken, text).to.equal(isOne);
      }),
      runs,
    );
  });

  it('session tokens: the one that was signed, and no other', async () => {
    const secret = createSecretKey(randomBytes(32));
    const start = Date.UTC(2030, 0, 1);
    const tokens = createTokens(secret, { now: () => start });
    const session = {
      userId: UserId.parse('usr_ada'),
      tenantId: platformTenant,
      role: 'Viewer',
      sessionId: 'ses_1',
    } as const;
    const good = await tokens.sign({ ...session, expiresAt: new Date(start + 3_600_000) });
    const parts = good.split('.');
    const piece = fc.oneof(
      fc.constantFrom(...parts, '.', '', '=', 'A', 'eyJhbGciOiJub25lIn0', 'A'.repeat(43), 'x'.repeat(5_000)),
      fc.string({ maxLength: 30 }),
    );
    const edited = fc
      .tuple(fc.nat(good.length), fc.nat(5), fc.string({ unit: 'grapheme-ascii', maxLength: 5 }))
      .map(([at, cut, added]) => good.slice(0, at) + added + good.slice(at + cut));
    const any = fc.oneof(
      edited,
      fc.array(piece, { maxLength: 7 }).map((all) => all.join('')),
    );
    await fc.assert(
      fc.asyncProperty(any, async (token) => {
        if (token === good) expect((await tokens.verify(token)).sessionId).to.equal('ses_1');
        else expect(await rejection(tokens.verify(token)), token).to.be.instanceOf(TokenRefused);
      }),
      runs,
    );
  });

  it('queries, and lists of entity tags', () => {
    const pieces = [
      '%',
      '&',
      '=',
      '+',
      'a',
      '2',
      'f',
      '%00',
      '%c3',
      '%ed%a0%80',
      '?',
      '"',
      'W/',
      ',',
      ' ',
      '\t',
      '*',
      '"a"',
      '__proto__',
    ];
    fc.assert(
      fc.property(pumped(pieces, 16_000), (text) => {
        const query = soon(text, () => refusedOr(() => parseQuery(`/path?${text}`)));
        if (query) expect(Object.getPrototypeOf(query)).to.equal(Object.prototype);
        const tags = soon(text, () => refusedOr(() => parseEntityTags('If-Match', text)));
        if (tags && tags !== '*') for (const { opaque } of tags) expect(text).to.include(`"${opaque}"`);
      }),
      runs,
    );
  });

  it('addresses, ranges of them, and what proxies say', () => {
    const pieces = [
      '127.0.0.1',
      '10.0.0.1',
      '::',
      ':',
      'ffff',
      '::ffff:10.0.0.1',
      '/',
      '8',
      '.',
      '0x7f',
      '%eth0',
      ', ',
      'unknown',
      '[',
      ']',
      '2001:db8::1',
    ];
    const trusted = [parseRange('10.0.0.0/8')!];
    fc.assert(
      fc.property(pumped(pieces, 16_000), (text) => {
        soon(text, () => parseRange(text));
        expect(soon(text, () => judgeAddress(text, trusted))).to.be.oneOf(['global', 'allowed', 'refused']);
        soon(text, () => networkOf(text));
        const request = { socket: { remoteAddress: '10.9.9.9' }, headers: { 'x-forwarded-for': text } };
        // Nothing else of a request is looked at.
        const address = soon(text, () =>
          addressOf(request as unknown as IncomingMessage, (one) => isInRanges(one, trusted)),
        );
        expect(isIP(address), address).not.to.equal(0);
      }),
      runs,
    );
  });

  const names: Readonly<Record<string, z.ZodType>> = {
    ...{
      Email,
      Password,
      PluginId,
      TenantId,
      Environment,
      SecretName,
      PackageName,
      SubscriptionTier,
      WebhookSecret,
    },
  };
  for (const [name, schema] of Object.entries(names))
    it(`${name}: taken or not, however long`, () => {
      const pieces = [
        'a',
        'A',
        '0',
        '-',
        '_',
        '.',
        '@',
        '/',
        ' ',
        'a-',
        'a.',
        '@a',
        'whsec_',
        '=',
        '+',
        '\0',
        'é',
        '😀',
        '\ud800',
      ];
      fc.assert(
        fc.property(pumped(pieces, 100_000), (text) => {
          const read = soon(text, () => schema.safeParse(text));
          if (read.success) expect(String(read.data).length).to.be.at.most(512);
        }),
        { ...runs, numRuns: runs.numRuns / 10 },
      );
    });

  it('durations, and references to secrets', () => {
    const pieces = [
      'P',
      'T',
      '1',
      '9',
      '.',
      ',',
      'Y',
      'M',
      'D',
      'H',
      'S',
      '-',
      '${',
      'secret:',
      '${secret:',
      '}',
      '{',
      'a',
      '$',
    ];
    fc.assert(
      fc.property(pumped(pieces, 50_000), (text) => {
        const ms = soon(text, () => parseIsoDuration(text));
        if (ms !== null) expect(ms).to.be.within(0, Number.MAX_SAFE_INTEGER);
        for (const { name } of soon(text, () => secretReferences([text])))
          expect(text).to.include('${secret:' + name + '}');
        soon(text, () => malformedReferences([text]));
      }),
      runs,
    );
  });

  it('are seen to be slow when they are: one that goes back is', () => {
    const slow = /^(a+)+$/;
    expect(() => soon('', () => slow.test(`${'a'.repeat(26)}!`))).to.throw('ms, the least of');
  });
});
