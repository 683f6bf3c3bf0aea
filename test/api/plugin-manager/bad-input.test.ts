/** Bad input to every operation: refused in the document's format, with the field named, and nothing stored. */
import { expect } from 'chai';
import fc from 'fast-check';
import { ErrorBody } from '../../../src/api/plugin-manager/errors.ts';
import { createAcme, registerCorePayments, registerStripe } from '../../fixtures/plugin-manager.ts';
import type { Call, Reply } from '../../support/http.ts';
import { badBodies, changed } from './bad-bodies.ts';
import { badPaging, badQueries, badSearches } from './bad-queries.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from './whole-server.ts';

describe('bad input over HTTP', () => {
  let server: WholeServer;
  let token = '';
  before(async () => {
    server = await openWholeServer();
    token = await server.asRole('PlatformAdmin');
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    await server.ask('PlatformAdmin', 'POST', '/plugins', registerCorePayments);
    await server.settle();
  });
  after(() => server.stop());

  const head = () => server.server.ports.eventStore.head();
  let headBefore: Awaited<ReturnType<typeof head>>;
  beforeEach(async () => (headBefore = await head()));
  afterEach('nothing was stored', async () => expect(await head()).to.equal(headBefore));

  const send = (method: string, path: string, call: Call = {}): Promise<Reply> =>
    server.call(method, `/api/v1${path}`, { token, ...call });

  for (const { method = 'POST', path, body, wrong } of badBodies) {
    const fields = [...new Set(wrong.map(([field]) => field))];
    for (const field of fields)
      it(`${method} ${path}: ${field}`, async () => {
        for (const [name, value, named = [name]] of wrong.filter(([other]) => other === field)) {
          const reply = await send(method, path, { body: changed(body, name, value) });
          expectRefusal(reply, 400, 'VALIDATION_ERROR', named);
        }
      });

    it(`${method} ${path}: no object`, async () => {
      for (const other of [[], [body], 'text', 7, true, null])
        expectRefusal(await send(method, path, { body: other }), 400, 'VALIDATION_ERROR', ['body']);
    });

    it(`${method} ${path}: all that is wrong is named at once`, async () => {
      const worst = changed(changed(body, 'colour', 'red'), 'size', 7);
      expectRefusal(await send(method, path, { body: worst }), 400, 'VALIDATION_ERROR', ['colour', 'size']);
    });

    it(`${method} ${path}: what is no JSON, and JSON that would be stored otherwise than it was sent`, async () => {
      const text = JSON.stringify(body);
      const inside = (member: string): string => `${text.slice(0, -1)},${member}}`;
      const [first] = Object.entries(body);
      for (const raw of [
        ...['{', '}', 'nonsense', `${text}${text}`, `${text},`, `// a comment\n${text}`, '\u0000', 'NaN'],
        ...[
          inside(`${JSON.stringify(first?.[0])}:${JSON.stringify(first?.[1])}`),
          inside('"a":{"b":1,"b":2}'),
        ],
        ...[inside('"a":1e400'), inside('"a":12345678901234567890'), inside('"a":"\\ud800"')],
        ...[
          inside('"__proto__":{"role":"PlatformAdmin"}'),
          inside(`"a":${'['.repeat(100)}${']'.repeat(100)}`),
        ],
        ...['['.repeat(500_000), '{"a":'.repeat(100_000)],
        ...[Uint8Array.from([...Buffer.from(text.slice(0, -2)), 0xff, 0x22, 0x7d])],
        ...[Uint8Array.from(Buffer.from(`\ufeff${text}`, 'utf16le')), Uint8Array.from([0xc0, 0x80])],
      ])
        expectRefusal(await send(method, path, { raw }), 400, 'VALIDATION_ERROR', ['body']);
    });

    it(`${method} ${path}: other types, encodings and sizes of bodies`, async () => {
      const raw = JSON.stringify(body);
      for (const type of ['text/plain', 'application/xml', 'application/json; charset=utf-16', 'json', ','])
        expectRefusal(
          await send(method, path, { raw, headers: { 'Content-Type': type } }),
          ...([415, 'UNSUPPORTED_MEDIA_TYPE'] as const),
        );
      for (const encoding of ['gzip', 'br', 'utf-8'])
        expectRefusal(
          await send(method, path, { raw, headers: { 'Content-Encoding': encoding } }),
          ...([415, 'UNSUPPORTED_MEDIA_TYPE'] as const),
        );
      const huge = changed(body, 'padding', 'x'.repeat(1_100_000));
      expectRefusal(await send(method, path, { body: huge }), 413, 'PAYLOAD_TOO_LARGE');
    });
  }

  for (const [path, queries] of Object.entries(badQueries))
    it(`GET ${path}: parameters`, async () => {
      for (const [query, named] of [...queries, ...badPaging])
        expectRefusal(await send('GET', `${path}?${query}`), 400, 'VALIDATION_ERROR', [named]);
    });

  it('GET /marketplace/search: parameters', async () => {
    const path = '/marketplace/search';
    for (const [query, named] of [...badSearches, ...badPaging])
      expectRefusal(await send('GET', `${path}?q=payment&${query}`), 400, 'VALIDATION_ERROR', [named]);
    for (const query of ['', 'q', 'q=', 'q=%20%09', `q=${'x'.repeat(201)}`])
      expectRefusal(await send('GET', `${path}?${query}`), 400, 'VALIDATION_ERROR', ['q']);
  });

  it('DELETE of a deployment takes whether it is forced, and why', async () => {
    for (const [query, named] of [
      ...[
        ['force=yes', 'force'] as const,
        ['force=', 'force'] as const,
        ['force=true&force=true', 'force'] as const,
      ],
      ...[['reason=', 'reason'] as const, [`reason=${'x'.repeat(1_001)}`, 'reason'] as const],
      ['now=true', 'now'] as const,
    ])
      expectRefusal(await send('DELETE', `/plugin-deployments/dep-1?${query}`), 400, 'VALIDATION_ERROR', [
        named,
      ]);
    const raw = '{"force":true}';
    expectRefusal(await send('DELETE', '/plugin-deployments/dep-1', { raw }), 400, 'VALIDATION_ERROR', [
      'force',
    ]);
  });

  it('GET of one thing takes no parameters', async () => {
    for (const path of [
      ...['/plugins/core-payments', '/tenants/tenant-acme-corp', '/plugin-deployments/dep-1'],
      '/plugin-deployments/dep-1/health',
    ])
      expectRefusal(await send('GET', `${path}?verbose=1`), 400, 'VALIDATION_ERROR', ['verbose']);
  });

  it('answers 404 to ids that nobody has, whatever they are made of', async () => {
    const names = [
      'unknown',
      'UNKNOWN',
      '..%2F..%2Fetc',
      '%00',
      '%22%27;--',
      '%F0%9F%92%A5',
      'x'.repeat(2_000),
      '__proto__',
    ];
    for (const name of names)
      for (const path of [
        ...[`/plugins/${name}`, `/plugins/${name}/versions/1.0.0`, `/plugins/core-payments/versions/${name}`],
        ...[`/tenants/${name}`, `/plugin-deployments/${name}`, `/users/${name}`, `/${name}`],
        ...[`/plugin-deployments/${name}/health`, `/plugin-deployments/${name}/health/history`],
        ...[`/capabilities/${name}/plugins`, `/capabilities/${name}`],
      ])
        expectRefusal(await send('GET', path), 404, 'NOT_FOUND');
    for (const name of names)
      for (const word of ['rollback', 'pause', 'resume', 'promote', 'abort', 'approve'])
        expectRefusal(await send('POST', `/plugin-deployments/${name}/${word}`), 404, 'NOT_FOUND');
    for (const name of names) {
      expectRefusal(await send('DELETE', `/plugin-deployments/${name}`), 404, 'NOT_FOUND');
      for (const method of ['GET', 'DELETE'])
        expectRefusal(await send(method, `/tenants/${acmeId}/secrets/${name}`), 404, 'NOT_FOUND');
      expectRefusal(await send('GET', `/tenants/${name}/secrets`), 404, 'NOT_FOUND');
    }
    for (const name of ['-a', 'a%20b', '..%2Fa', 'x'.repeat(101), '__proto__'])
      expectRefusal(
        await send('PUT', `/tenants/${acmeId}/secrets/${name}`, { body: { value: 'x' } }),
        ...([400, 'VALIDATION_ERROR', ['name']] as const),
      );
    expectRefusal(await send('GET', '/plugins/%E0%A4%A'), 400, 'VALIDATION_ERROR');
    for (const path of ['/', '/API/v1/plugins', '/plugins'])
      expectRefusal(await server.call('GET', path, { token }), 404, 'NOT_FOUND');
  });

  it('finds nothing by hostile words, and falls over none', async () => {
    const words = [
      '%00',
      '%22',
      "'%20OR%201=1--",
      '*',
      '%25',
      '(((',
      '%F0%9F%92%A5',
      '%EF%BF%BD',
      '+',
      '%5C',
      'a'.repeat(200),
    ];
    for (const word of words) {
      const filters = [`category=${encodeURIComponent(word.slice(0, 90))}`, `tags=${word}`];
      for (const [list, path] of [
        ...[`search=${word}`, ...filters].map((query) => ['plugins', `/plugins?${query}`] as const),
        ...filters.map((query) => ['plugins', `/marketplace/plugins?${query}`] as const),
        // A blank is no question.
        ...(word === '+' ? [] : [['results', `/marketplace/search?q=${word}`] as const]),
        ...filters.map((query) => ['results', `/marketplace/search?q=core&${query}`] as const),
      ]) {
        const { status, body } = await send('GET', path);
        expect(status, path).to.equal(200);
        expect(body, path).to.have.property(list).that.is.an('array');
      }
    }
  });

  it('refuses headers that it cannot use, by name', async () => {
    const body = { ...registerStripe, pluginId: 'never' };
    for (const key of ['a b', 'x'.repeat(256), 'caf\u00e9'])
      expectRefusal(
        await send('POST', '/plugins', { body, headers: { 'Idempotency-Key': key } }),
        ...([400, 'VALIDATION_ERROR', ['Idempotency-Key']] as const),
      );
    for (const position of ['7', 'x:y:z', `${'f'.repeat(32)}:1`, "';--"])
      expectRefusal(
        await send('GET', '/plugins', { headers: { 'X-Position': position } }),
        ...([400, 'VALIDATION_ERROR', ['X-Position']] as const),
      );
  });

  it('takes a harmless correlation id for the traceId, and makes one up instead of any other', async () => {
    const traceId = async (id: string) =>
      expectRefusal(await send('GET', '/nothing', { headers: { 'X-Correlation-Id': id } }), 404, 'NOT_FOUND')
        .traceId;
    expect(await traceId('trace-xyz789')).to.equal('trace-xyz789');
    for (const hostile of ['x'.repeat(129), '<script>', 'a b', '{}'])
      expect(await traceId(hostile)).to.match(/^[0-9a-f-]{36}$/);
  });
});

describe('hostile text over HTTP', () => {
  let server: WholeServer;
  before(async () => {
    server = await openWholeServer();
  });
  after(() => server.stop());

  it('is kept as it was sent where any text may stand', async () => {
    const texts = [
      ...[
        "'; DROP TABLE events; --",
        '${jndi:ldap://x}',
        '{{7*7}}',
        '<script>alert(1)</script>',
        '../../etc/passwd',
      ],
      ...[
        '\u0000',
        'a\u0000b',
        '\u202eabc',
        '\ufeffbom',
        '\u2028',
        '👩‍👩‍👧',
        'e\u0301',
        '\\',
        '"',
        '%00%s%n',
        '\r\nSet-Cookie: a=b',
      ],
    ];
    for (const [index, description] of texts.entries()) {
      const pluginId = `hostile-${index}`;
      const body = {
        ...registerCorePayments,
        pluginId,
        description,
        compatibility: { constructor: description },
      };
      expect((await server.ask('PluginDeveloper', 'POST', '/plugins', body)).status).to.equal(201);
      const shown = await server.ask('Viewer', 'GET', `/plugins/${pluginId}`);
      expect(shown.body).to.deep.include({ description, compatibility: { constructor: description } });
    }
  });

  it('never makes the server fail, wherever it stands', async () => {
    const places = badBodies.flatMap(({ path, body, wrong }) =>
      [...new Set(wrong.map(([field]) => field))].map((field) => ({ path, body, field })),
    );
    const token = await server.asRole('PlatformAdmin');
    const { eventStore } = server.server.ports;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), fc.jsonValue(), async ({ path, body, field }, value) => {
        const head = await eventStore.head();
        const reply = await server.call('POST', `/api/v1${path}`, {
          token,
          body: changed(body, field, value),
        });
        expect(reply.status, JSON.stringify(reply.body)).to.be.below(500);
        if (reply.status < 400) return;
        expectRefusal(reply, reply.status, ErrorBody.parse(reply.body).error.code);
        expect(await eventStore.head()).to.equal(head);
      }),
      { numRuns: 500 },
    );
  });
});
