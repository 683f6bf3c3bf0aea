/** Requests to the operations of an OpenAPI document: its examples, changed in every way that might hurt. */
import fc from 'fast-check';
import { filledIn, type NamedThings, type Whose } from '../matrix/named.ts';
import type { Operation } from '../matrix/operations.ts';
import { arbitraryBody } from './arbitrary-bodies.ts';
import { text } from './arbitrary-values.ts';
import type { Framing, WireRequest } from './wire.ts';

export interface Fuzzing {
  readonly operations: readonly Operation[];
  readonly things: NamedThings;
  /** Headers that prove who asks. */
  readonly askers: readonly Asker[];
}

export interface Asker {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How often, beside the others. */
  readonly weight: number;
}

/** A request as long as tokens and ids are left out, so that the same seed makes the same on another server. */
export interface Asked extends WireRequest {
  /** The name of an asker; null: as the headers say. */
  readonly as: string | null;
  /** Before the target, where its parameters are to name something that there is: `own:/api/v1/users/{userId}`. */
  readonly target: string;
}

/** With the tokens and ids of a server. */
export function resolved({ as, ...request }: Asked, { askers, things }: Fuzzing): WireRequest {
  const [, whose, path = '', query = ''] = /^(own|other|unknown):([^?]*)(.*)$/s.exec(request.target) ?? [];
  const target = isWhose(whose) ? filledIn(path, whose, things).path + query : request.target;
  const proofs = Object.entries(askers.find(({ name }) => name === as)?.headers ?? {});
  return { ...request, target, headers: [...proofs, ...request.headers] };
}

function isWhose(word: string | undefined): word is Whose {
  return word === 'own' || word === 'other' || word === 'unknown';
}

/** A header's value or a part of a target: characters that the parser of HTTP lets through. */
const inLine = text.map((one) => one.replaceAll(/[^\x20-\x7e\x80-\xff]/g, '?').slice(0, 3_000));
const encoded = text.map((one) => encodeURIComponent(one.toWellFormed()).slice(0, 3_000));
const inTarget = fc.oneof(
  { arbitrary: encoded, weight: 3 },
  { arbitrary: inLine.map((one) => one.replaceAll(' ', '+').replaceAll(/[#\x80-\xff]/g, '')), weight: 1 },
  {
    arbitrary: fc.constantFrom(
      '%',
      '%zz',
      '%00',
      '%2e%2e',
      '%c3%28',
      '%ed%a0%80',
      '%0d%0a',
      '.',
      '..',
      '',
      '%252e',
    ),
    weight: 1,
  },
);

function targetOf(operation: Operation): fc.Arbitrary<string> {
  const good = fc.constantFrom('own', 'own', 'other', 'unknown').map((whose) => `${whose}:${operation.path}`);
  const parts = operation.path
    .split('/')
    .map((part) => (part.startsWith('{') ? inTarget : fc.constant(part)));
  const path = fc.oneof(
    { arbitrary: good, weight: 4 },
    { arbitrary: fc.tuple(...parts).map((all) => all.join('/')), weight: 2 },
    { arbitrary: fc.tuple(good, inTarget).map(([one, more]) => `${one}/${more}`), weight: 1 },
  );
  const names = operation.query.map(({ name }) => name);
  const name = fc.oneof(
    { arbitrary: fc.constantFrom('limit', 'offset', 'page', ...names, ...names), weight: 6 },
    { arbitrary: inTarget, weight: 1 },
  );
  const examples = operation.query.flatMap(({ name: one, example }) =>
    example === null ? [] : [`${one}=${encodeURIComponent(example)}`],
  );
  const pair = fc.oneof(
    fc.tuple(name, inTarget).map(([one, is]) => `${one}=${is}`),
    ...(examples.length > 0 ? [fc.constantFrom(...examples)] : []),
    inTarget,
  );
  const query = fc.oneof(
    { arbitrary: fc.constant(''), weight: 3 },
    { arbitrary: fc.array(pair, { maxLength: 4 }).map((pairs) => `?${pairs.join('&')}`), weight: 3 },
  );
  return fc.tuple(path, query).map(([one, more]) => (one + more).slice(0, 12_000));
}

type Header = readonly [name: string, value: string];

function whoOf({ askers }: Fuzzing): fc.Arbitrary<Pick<Asked, 'as' | 'headers'>> {
  const forged = (name: string, scheme: string) =>
    inLine.map((token) => ({ as: null, headers: [[name, scheme + token] as const] }));
  return fc.oneof(
    ...askers.map(({ name, weight }) => ({ arbitrary: fc.constant({ as: name, headers: [] }), weight })),
    { arbitrary: forged('Authorization', 'Bearer '), weight: 1 },
    { arbitrary: forged('X-API-Key', ''), weight: 1 },
    { arbitrary: fc.constant({ as: null, headers: [] }), weight: 1 },
  );
}

function headersOf(): fc.Arbitrary<readonly Header[]> {
  const type = fc.oneof(
    { arbitrary: fc.constant('application/json'), weight: 15 },
    {
      arbitrary: fc.constantFrom(
        'application/json; charset=utf-8',
        'application/json;charset=latin1',
        'text/plain',
        '*/*',
        'application/merge-patch+json',
      ),
      weight: 2,
    },
    { arbitrary: inLine, weight: 1 },
  );
  const known = fc.constantFrom(
    ...[
      'Idempotency-Key',
      'X-Correlation-Id',
      'X-Position',
      'If-Match',
      'If-None-Match',
      'If-Modified-Since',
      'Accept',
      'Accept-Encoding',
    ],
    ...[
      'Content-Encoding',
      'Content-Language',
      'Range',
      'Expect',
      'Origin',
      'Cookie',
      'Forwarded',
      'X-Forwarded-For',
      'X-Forwarded-Host',
    ],
    ...[
      'X-HTTP-Method-Override',
      'X-Original-URL',
      'Max-Forwards',
      'TE',
      'Via',
      'Prefer',
      'Upgrade',
      'Date',
      'From',
      'Host',
      'Referer',
    ],
  );
  const special = fc.constantFrom<Header>(
    ['Content-Encoding', 'gzip'],
    ['Expect', '100-continue'],
    ['If-Match', '*'],
    ['If-Match', '"1", W/"2"'],
    ['Range', 'bytes=0-0'],
    ['Upgrade', 'h2c'],
    ['X-Position', '0b8e6c1a:42'],
    ['X-HTTP-Method-Override', 'DELETE'],
    ['X-Correlation-Id', 'x'.repeat(129)],
  );
  const more = fc.array(fc.oneof(fc.tuple(known, inLine), special), { maxLength: 3 });
  return fc
    .tuple(type, fc.oneof({ arbitrary: fc.constant<readonly Header[]>([]), weight: 2 }, more))
    .map(([contentType, others]) => {
      const hasHost = others.some(([name]) => name === 'Host');
      return [
        ...(hasHost ? [] : [['Host', 'localhost'] as const]),
        ['Content-Type', contentType] as const,
        ...others,
      ];
    });
}

export function arbitraryRequest(fuzzing: Fuzzing): fc.Arbitrary<Asked> {
  const { operations } = fuzzing;
  const who = whoOf(fuzzing);
  const headers = headersOf();
  const otherMethod = fc.constantFrom(
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'PROPFIND',
    'QUERY',
  );
  const framing = fc.oneof(
    { arbitrary: fc.constant<Framing>('length'), weight: 16 },
    { arbitrary: fc.constant<Framing>('chunked'), weight: 4 },
    { arbitrary: fc.constantFrom<Framing[]>('cut', 'cut chunk', 'doubled', 'garbled chunk'), weight: 1 },
  );
  const to = operations.map((operation) =>
    fc
      .record({
        method: fc.oneof(
          { arbitrary: fc.constant(operation.method), weight: 12 },
          { arbitrary: otherMethod, weight: 1 },
        ),
        target: targetOf(operation),
        who,
        headers,
        body: arbitraryBody(operation.body),
        framing,
      })
      .map(({ who: { as, headers: proofs }, headers: others, ...rest }) => ({
        ...rest,
        as,
        headers: [...proofs, ...others],
      })),
  );
  return fc.oneof(...to);
}
