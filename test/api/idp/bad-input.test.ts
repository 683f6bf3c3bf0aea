/** Bad input to every operation of the IDP's face: refused in its format, with the field named, and nothing stored. */
import { expect } from 'chai';
import fc from 'fast-check';
import { IdpErrorBody } from '../../../src/api/idp/errors.ts';
import { configureWebhook } from '../../fixtures/idp.ts';
import { changed } from '../plugin-manager/bad-bodies.ts';
import { expectIdpRefusal, openIdp, type IdpServer } from './face.ts';

type Wrong = readonly (readonly [field: string, value: unknown, named?: readonly string[]])[];

const long = (length: number): string => 'x'.repeat(length);
const notText = [7, true, [], {}, null];

const urls: Wrong = [
  ...[undefined, ...notText, '', 'nonsense', '/path', 'ftp://example.com', 'javascript:alert(1)'],
  ...[`https://example.com/${long(2_048)}`, 'https://user:password@example.com', 'https://example.com/#part'],
  ...[
    'https://10.0.0.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://[fd00::1]/',
    'http://1.1.1.1/',
  ],
  ...['https://[::ffff:10.0.0.1]/', 'https://0x0a000001/', 'https://[64:ff9b::a00:1]/', 'http://[fe80::1]/'],
].map((value) => ['url', value] as const);

const fields: Wrong = [
  ...urls,
  ...[undefined, 'plugin.installed', 7, {}, null, []].map((value) => ['events', value] as const),
  ['events', ['nonsense'], ['events[0]']],
  ['events', ['plugin:installed'], ['events[0]']],
  ['events', ['health.reported'], ['events[0]']],
  ['events', ['plugin.installed', 7], ['events[1]']],
  ['events', Array.from({ length: 51 }, () => 'plugin.installed')],
  ...['yes', 1, null, []].map((value) => ['active', value] as const),
  ...['', ' ', long(101), 7, []].map((value) => ['name', value] as const),
  ...['', long(501), 7, {}].map((value) => ['description', value] as const),
  ...['tenantId', 'webhookId', 'id', 'createdBy', 'status', 'types'].map((name) => [name, 'x'] as const),
];
const secrets: Wrong = [
  ...[
    '',
    'short',
    long(257),
    'blanks are not allowed',
    'gr\u00fc\u00dfe_aus_der_ferne',
    'whsec_short',
    ...notText,
  ],
].map((value) => ['secret', value] as const);

const bodies: readonly { method: string; path: string; body: object; wrong: Wrong }[] = [
  {
    ...{ method: 'POST', path: '/webhooks', body: configureWebhook },
    wrong: [...fields, ...secrets, ['name', null], ['description', null]],
  },
  {
    ...{ method: 'PATCH', path: '/webhooks/ID', body: { active: true } },
    wrong: [
      ...fields.filter(([, value]) => value !== undefined),
      ['active', undefined, ['body']],
      ['secret', 'x'],
    ],
  },
  {
    ...{ method: 'POST', path: '/webhooks/ID/rotate-secret', body: {} },
    wrong: [...secrets, ['url', 'https://example.com']],
  },
  {
    ...{ method: 'POST', path: '/webhooks/ID/replay', body: {} },
    wrong: ['', 'yesterday', '2025-11-23', 7, null, []].map((value) => ['since', value] as const),
  },
  { method: 'POST', path: '/webhooks/ID/test', body: {}, wrong: [['url', 'https://example.com']] },
];

describe('bad input to the IDP over HTTP', () => {
  let idp: IdpServer;
  let id = '';
  before(async () => {
    idp = await openIdp();
    id = await idp.create('TenantAdmin', configureWebhook);
  });
  after(() => idp.close());

  const head = async () => {
    await idp.whole.settle();
    return idp.whole.server.ports.eventStore.head();
  };
  let headBefore: Awaited<ReturnType<typeof head>>;
  beforeEach(async () => (headBefore = await head()));
  afterEach('nothing was stored', async () => expect(await head()).to.equal(headBefore));

  const send = (method: string, path: string, body?: unknown) =>
    idp.ask('TenantAdmin', method, path.replace('ID', id), body);

  for (const { method, path, body, wrong } of bodies) {
    for (const field of new Set(wrong.map(([name]) => name)))
      it(`${method} ${path}: ${field}`, async () => {
        for (const [name, value, named = [name]] of wrong.filter(([other]) => other === field))
          expectIdpRefusal(
            await send(method, path, changed(body, name, value)),
            400,
            'VALIDATION_ERROR',
            named,
          );
      });

    it(`${method} ${path}: no object, no JSON, too large`, async () => {
      for (const other of [[], [body], 'text', 7, true, null])
        expectIdpRefusal(await send(method, path, other), 400, 'VALIDATION_ERROR', ['body']);
      const raw = (text: string) =>
        idp.ask('TenantAdmin', method, path.replace('ID', id), undefined, { raw: text });
      for (const text of ['{', 'nonsense', '{"a":1,"a":2}', '{"__proto__":{}}'])
        expectIdpRefusal(await raw(text), 400, 'VALIDATION_ERROR', ['body']);
      expectIdpRefusal(await raw(`{"name":"${long(1_100_000)}"}`), 413, 'PAYLOAD_TOO_LARGE');
    });
  }

  it('in parameters of lists', async () => {
    const paging = [
      ...['0', '101', '-1', '1.5', 'x', ''].map((limit) => [`limit=${limit}`, 'limit'] as const),
      ...['0', '-1', 'x', '', '99999999'].map((page) => [`page=${page}`, 'page'] as const),
      ...([
        ['limit=1&limit=2', 'limit'],
        ['offset=1', 'offset'],
        ['limit[]=1', 'limit[]'],
      ] as const),
    ];
    const own = {
      '/webhooks': [
        ['active=yes', 'active'],
        ['tenantId=globex', 'tenantId'],
      ],
      '/webhooks/ID/deliveries': [
        ['status=done', 'status'],
        ['status=expired', 'status'],
      ],
    } as const;
    for (const [path, queries] of Object.entries(own))
      for (const [query, named] of [...paging, ...queries])
        expectIdpRefusal(await send('GET', `${path}?${query}`), 400, 'VALIDATION_ERROR', [named]);
    expectIdpRefusal(await send('GET', '/webhooks/ID?verbose=1'), 400, 'VALIDATION_ERROR', ['verbose']);
  });

  it('in paths: ids that nobody has, whatever they are made of', async () => {
    const names = [
      'unknown',
      '..%2F..%2Fetc',
      '%00',
      '%F0%9F%92%A5',
      long(2_000),
      '__proto__',
      'wh_1',
      'evt_1',
    ];
    for (const name of names) {
      for (const path of [
        `/webhooks/${name}`,
        `/webhooks/${name}/deliveries`,
        `/webhooks/ID/deliveries/${name}`,
      ])
        expectIdpRefusal(await send('GET', path), 404, 'NOT_FOUND');
      for (const path of [`/webhooks/${name}/test`, `/webhooks/ID/deliveries/${name}/replay`])
        expectIdpRefusal(await send('POST', path), 404, 'NOT_FOUND');
    }
    expectIdpRefusal(await send('GET', '/webhooks/%E0%A4%A'), 400, 'VALIDATION_ERROR');
  });

  it('of any JSON in any field never makes the server fail', async () => {
    const places = bodies.flatMap(({ wrong, ...of }) =>
      [...new Set(wrong.map(([field]) => field))].map((field) => ({ ...of, field })),
    );
    const refusable = places.filter(({ path, field }) => path !== '/webhooks/ID' || field !== 'active');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...refusable),
        fc.jsonValue(),
        async ({ method, path, body, field }, value) => {
          const reply = await send(method, path, changed(body, field, value));
          expect(reply.status, JSON.stringify(reply.body)).to.be.below(500);
          if (reply.status >= 400) IdpErrorBody.parse(reply.body);
        },
      ),
      { numRuns: 200 },
    );
    headBefore = await head();
  });
});
