import { expect } from 'chai';
import { ErrorBody } from '../../../src/api/plugin-manager/errors.ts';
import { withServer } from '../../support/http.ts';
import type { Call } from '../../support/http.ts';
import { example } from './example.ts';

interface Case {
  readonly it: string;
  readonly request: readonly [method: string, path: string, call?: Call];
  readonly answers: readonly [status: number, code: string];
  /** Fields named in the details. */
  readonly naming?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

const token = 'writer';
const post = (call: Call): Case['request'] => ['POST', '/api/v1/things', { token, ...call }];
const get = (path: string, call: Call = {}): Case['request'] => ['GET', path, { token, ...call }];
const invalid = [400, 'VALIDATION_ERROR'] as const;
const unsupported = [415, 'UNSUPPORTED_MEDIA_TYPE'] as const;
const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
const challenge = { 'www-authenticate': 'Bearer' };

const cases: readonly Case[] = [
  // Who asks
  { it: 'no token', request: ['GET', '/api/v1/things'], answers: [401, 'UNAUTHORIZED'], headers: challenge },
  {
    it: 'a bad token',
    request: get('/api/v1/things', { token: 'x' }),
    answers: [401, 'UNAUTHORIZED'],
    headers: challenge,
  },
  {
    it: 'another scheme',
    request: ['GET', '/api/v1/things', { headers: { Authorization: 'Basic d3JpdGVyOg==' } }],
    answers: [401, 'UNAUTHORIZED'],
  },
  {
    it: 'a bad token and a bad body',
    request: post({ token: 'x', raw: '{' }),
    answers: [401, 'UNAUTHORIZED'],
  },
  {
    it: 'no permission and a bad body',
    request: post({ token: 'reader', raw: '{' }),
    answers: [403, 'FORBIDDEN'],
  },
  // Where
  { it: 'an unknown path', request: get('/api/v1/nothing'), answers: [404, 'NOT_FOUND'] },
  { it: 'an unknown path outside of all faces', request: get('/nothing'), answers: [404, 'NOT_FOUND'] },
  { it: 'a path in other case', request: get('/api/v1/Things'), answers: [404, 'NOT_FOUND'] },
  {
    it: 'a wrong method',
    request: ['PUT', '/api/v1/things', { token }],
    answers: [405, 'METHOD_NOT_ALLOWED'],
    headers: { allow: 'GET, HEAD, OPTIONS, POST' },
  },
  {
    it: 'a wrong method without a token',
    request: ['PATCH', '/health'],
    answers: [405, 'METHOD_NOT_ALLOWED'],
  },
  {
    it: 'a malformed percent-encoding in the path',
    request: get('/api/v1/things/%E0%A4%A'),
    answers: invalid,
  },
  {
    it: 'a parameter that is too long',
    request: get(`/api/v1/things/${'x'.repeat(21)}`),
    answers: invalid,
    naming: ['name'],
  },
  // Query
  { it: 'limit 0', request: get('/api/v1/things?limit=0'), answers: invalid, naming: ['limit'] },
  { it: 'limit 101', request: get('/api/v1/things?limit=101'), answers: invalid, naming: ['limit'] },
  {
    it: 'a limit that is no number',
    request: get('/api/v1/things?limit=ten'),
    answers: invalid,
    naming: ['limit'],
  },
  {
    it: 'a repeated parameter',
    request: get('/api/v1/things?limit=1&limit=2'),
    answers: invalid,
    naming: ['limit'],
  },
  {
    it: 'unknown parameters',
    request: get('/api/v1/things?lim=1&__proto__=2&a[b]=3'),
    answers: invalid,
    naming: ['lim', '__proto__', 'a[b]'],
  },
  {
    it: 'a malformed percent-encoding in the query',
    request: get('/api/v1/things?tags=%zz'),
    answers: invalid,
  },
  // Body
  { it: 'no body', request: post({}), answers: invalid, naming: ['body'] },
  { it: 'null', request: post({ raw: 'null' }), answers: invalid, naming: ['body'] },
  { it: 'an array', request: post({ raw: '[]' }), answers: invalid, naming: ['body'] },
  { it: 'a field that is missing', request: post({ raw: '{}' }), answers: invalid, naming: ['name'] },
  {
    it: 'unknown fields',
    request: post({ body: { name: 'a', role: 'x' } }),
    answers: invalid,
    naming: ['role'],
  },
  {
    it: 'a wrong field deep inside',
    request: post({ body: { name: 'a', version: { dependencies: [{ versionConstraint: 1, x: 2 }] } } }),
    answers: invalid,
    naming: ['version.dependencies[0].versionConstraint', 'version.dependencies[0].x'],
  },
  { it: 'half a document', request: post({ raw: '{"name":' }), answers: invalid },
  { it: 'no JSON', request: post({ raw: 'name=lamp' }), answers: invalid },
  { it: 'JSON with a byte order mark', request: post({ raw: '\ufeff{"name":"a"}' }), answers: invalid },
  { it: 'invalid UTF-8', request: post({ raw: Buffer.from([0x22, 0xc3, 0x28, 0x22]) }), answers: invalid },
  { it: 'half of a surrogate pair', request: post({ raw: '{"name":"\\ud800"}' }), answers: invalid },
  { it: 'a member twice', request: post({ raw: '{"name":"a","name":"b"}' }), answers: invalid },
  {
    it: 'a member twice, spelt differently',
    request: post({ raw: '{"name":"a","\\u006eame":"b"}' }),
    answers: invalid,
  },
  {
    it: 'a member twice deep inside',
    request: post({ raw: '{"name":"a","settings":{"x":[{"y":1,"y":1}]}}' }),
    answers: invalid,
  },
  {
    it: '__proto__',
    request: post({ raw: '{"name":"a","settings":{"__proto__":{"x":1}}}' }),
    answers: invalid,
  },
  {
    it: 'a number beyond doubles',
    request: post({ raw: '{"name":"a","settings":{"x":1e999}}' }),
    answers: invalid,
  },
  {
    it: 'an integer beyond 2^53',
    request: post({ raw: '{"name":"a","settings":{"x":9007199254740993}}' }),
    answers: invalid,
  },
  { it: '33 levels', request: post({ raw: nested(33) }), answers: invalid },
  { it: '100,000 levels', request: post({ raw: nested(100_000) }), answers: invalid },
  { it: '200,000 levels left open', request: post({ raw: '{"a":'.repeat(200_000) }), answers: invalid },
  {
    it: 'more than 1 MiB',
    request: post({ raw: `"${'x'.repeat(1_048_576)}"` }),
    answers: [413, 'PAYLOAD_TOO_LARGE'],
  },
  {
    it: 'a form',
    request: post({ raw: 'a=b', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
    answers: unsupported,
  },
  {
    it: 'text',
    request: post({ raw: '{}', headers: { 'Content-Type': 'text/plain' } }),
    answers: unsupported,
  },
  {
    it: 'another charset',
    request: post({ raw: '{}', headers: { 'Content-Type': 'application/json; charset=latin1' } }),
    answers: unsupported,
  },
  {
    it: 'a compressed body',
    request: post({ raw: '{}', headers: { 'Content-Encoding': 'gzip' } }),
    answers: unsupported,
  },
  {
    it: 'a body where none is taken',
    request: ['DELETE', '/api/v1/things/a', { token, body: { force: true } }],
    answers: invalid,
    naming: ['force'],
  },
  // Headers
  {
    it: 'an empty Idempotency-Key',
    request: post({ body: { name: 'a' }, headers: { 'Idempotency-Key': '' } }),
    answers: invalid,
    naming: ['Idempotency-Key'],
  },
  {
    it: 'a long Idempotency-Key',
    request: post({ body: { name: 'a' }, headers: { 'Idempotency-Key': 'k'.repeat(256) } }),
    answers: invalid,
  },
  {
    it: 'an Idempotency-Key with spaces',
    request: post({ body: { name: 'a' }, headers: { 'Idempotency-Key': 'a b' } }),
    answers: invalid,
  },
  {
    it: 'a malformed X-Position',
    request: get('/api/v1/things', { headers: { 'X-Position': 'here' } }),
    answers: invalid,
    naming: ['X-Position'],
  },
  {
    it: 'an X-Position of another log',
    request: get('/api/v1/things', { headers: { 'X-Position': 'log-2:1' } }),
    answers: invalid,
    naming: ['X-Position'],
  },
  {
    it: 'an X-Position that is not reached',
    request: get('/api/v1/things', { headers: { 'X-Position': 'log-1:99' } }),
    answers: [503, 'SERVICE_UNAVAILABLE'],
  },
];

describe('hostile input', () => {
  for (const { it: name, request, answers, naming, headers = {} } of cases) {
    it(`${name}: ${answers.join(' ')}`, async () => {
      await withServer(example().app, async ({ call }) => {
        const reply = await call(...request);
        const { error } = ErrorBody.parse(reply.body);
        expect([reply.status, error.code], error.message).to.deep.equal(answers);
        expect(reply.headers.get('content-type')).to.equal('application/json; charset=utf-8');
        expect(error.traceId).to.equal(reply.headers.get('x-correlation-id'));
        expect(error.timestamp).to.equal('2025-11-24T16:00:00.000Z');
        expect(error.message).not.to.match(/Error|node_modules|\.ts/);
        if (naming) expect(error.details.map(({ field }) => field)).to.deep.equal(naming);
        for (const [header, value] of Object.entries(headers)) {
          expect(reply.headers.get(header)).to.equal(value);
        }
      });
    });
  }

  const harmless: readonly (readonly [string, string])[] = [
    ['32 levels', nested(32)],
    ['brackets and colons in strings', `{"a":"${'[{:'.repeat(50)}\\"]:","b:":"\\\\"}`],
    ['the same name in different objects', '{"a":{"a":[{"a":1},{"a":2}]}}'],
    ['the largest safe integer', '[9007199254740991,-9007199254740991,1e-7,0.1]'],
    ['everything that Unicode has', '"\u0000 😀 é"'.replace('\u0000', '\\u0000')],
  ];
  for (const [name, raw] of harmless) {
    it(`${name}: taken as it is`, async () => {
      await withServer(example().app, async ({ call }) => {
        const reply = await call('POST', '/api/v1/echo', { raw });
        expect(reply.status).to.equal(200);
        expect(reply.body).to.deep.equal({ body: JSON.parse(raw) as unknown });
      });
    });
  }
});
