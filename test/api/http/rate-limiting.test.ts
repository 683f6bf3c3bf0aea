import { expect } from 'chai';
import { openMemoryRateLimits } from '../../../src/adapters/memory/rate-limits.ts';
import { createRateLimiting, networkOf } from '../../../src/api/http/rate-limiting.ts';
import { route } from '../../../src/api/http/route.ts';
import { ErrorBody } from '../../../src/api/plugin-manager/errors.ts';
import { type Client, type Reply, withServer } from '../../support/http.ts';
import { createVirtualClock, type VirtualClock } from '../../support/virtual-clock.ts';
import { example, thingRoutes } from './example.ts';

const things = '/api/v1/things';
const lamp = { token: 'writer', body: { name: 'lamp' } };

const agentRoute = route({
  method: 'POST',
  path: '/reports',
  summary: 'Report',
  policy: { permission: 'things:write' },
  limit: { points: 600, seconds: 60 },
  responses: { 204: null },
  handler: async () => ({ status: 204 }),
});

interface Limited extends Client {
  readonly clock: VirtualClock;
}

/** @param tenantLimit of the one tenant that there is */
async function withLimits(
  use: (limited: Limited) => Promise<void>,
  {
    tenantLimit = null,
    perEndpoint = true,
    isReady = () => true,
  }: { tenantLimit?: number | null; perEndpoint?: boolean; isReady?: () => boolean } = {},
): Promise<void> {
  const clock = createVirtualClock();
  const rateLimits = await openMemoryRateLimits({ clock });
  const rateLimiting = createRateLimiting({
    ...{ rateLimits, clock, perEndpoint },
    tenantLimit: async () => tenantLimit,
  });
  const { app } = example([...thingRoutes(), agentRoute], { rateLimiting, isReady });
  await withServer(app, (client) => use({ ...client, clock }));
}

const standing = ({ headers }: Reply) =>
  ['limit', 'remaining', 'reset'].map((name) => {
    const value = headers.get(`x-ratelimit-${name}`);
    return value === null ? null : Number(value);
  });

async function repeated(times: number, ask: () => Promise<Reply>): Promise<Reply> {
  for (let request = 1; request < times; request += 1) expect((await ask()).status).not.to.equal(429);
  return ask();
}

describe('rate limits of endpoints', () => {
  it('let ten writes a minute through, refuse the eleventh, and begin anew with the next minute', () =>
    withLimits(async ({ call, clock }) => {
      const make = () => call('POST', things, lamp);
      const reset = clock.now() / 1000 + 60;
      expect(standing(await make())).to.deep.equal([10, 9, reset]);
      const tenth = await repeated(9, make);
      expect([tenth.status, ...standing(tenth)]).to.deep.equal([201, 10, 0, reset]);
      expect(tenth.headers.get('retry-after')).to.equal(null);
      await clock.advance(20_500);
      const refused = await make();
      expect([refused.status, ...standing(refused)]).to.deep.equal([429, 10, 0, reset]);
      expect(refused.headers.get('retry-after')).to.equal('40');
      const { error } = ErrorBody.parse(refused.body);
      expect(error).to.deep.include({ code: 'RATE_LIMIT_EXCEEDED', details: [] });
      expect(error.traceId).to.equal(refused.headers.get('x-correlation-id'));
      await clock.advance(39_499);
      expect((await make()).status).to.equal(429);
      await clock.advance(1);
      expect([(await make()).status, ...standing(await make())]).to.deep.equal([201, 10, 8, reset + 60]);
    }));

  it('let sixty reads a minute through, HEAD among them', () =>
    withLimits(async ({ call }) => {
      const read = (method: string) => call(method, things, { token: 'reader' });
      await repeated(30, () => read('GET'));
      expect(standing(await repeated(30, () => read('HEAD'))).slice(0, 2)).to.deep.equal([60, 0]);
      expect((await read('GET')).status).to.equal(429);
    }));

  it('count each user and each endpoint apart, and all things of an endpoint together', () =>
    withLimits(async ({ call }) => {
      let made = 0;
      const remove = () => call('DELETE', `${things}/lamp-${(made += 1)}`, { token: 'writer' });
      await repeated(10, remove);
      expect((await remove()).status).to.equal(429);
      expect(standing(await call('POST', things, lamp)).slice(0, 2)).to.deep.equal([10, 9]);
      const other = await call('DELETE', `${things}/lamp`, { token: 'reader' });
      expect([other.status, ...standing(other).slice(0, 2)]).to.deep.equal([403, 10, 9]);
    }));

  it('may be other ones for a route', () =>
    withLimits(async ({ call }) => {
      const reply = await call('POST', '/api/v1/reports', { token: 'writer' });
      expect([reply.status, ...standing(reply).slice(0, 2)]).to.deep.equal([204, 600, 599]);
    }));

  const refusals: readonly [what: string, status: number, ask: (client: Client) => Promise<Reply>][] = [
    ['a good answer', 200, ({ call }) => call('GET', things, { token: 'reader' })],
    ['an answer without a body', 204, ({ call }) => call('DELETE', `${things}/lamp`, { token: 'writer' })],
    ['a public route', 200, ({ call }) => call('POST', '/api/v1/echo', { body: {} })],
    ['no token', 401, ({ call }) => call('GET', things)],
    ['a wrong token', 401, ({ call }) => call('GET', things, { token: 'nobody' })],
    ['a missing permission', 403, ({ call }) => call('POST', things, { token: 'reader' })],
    ['a bad query', 400, ({ call }) => call('GET', `${things}?colour=red`, { token: 'reader' })],
    ['a body that is no JSON', 400, ({ call }) => call('POST', things, { token: 'writer', raw: '{' })],
    ['a malformed path', 400, ({ call }) => call('GET', `${things}/%E0%A4`, { token: 'reader' })],
    ['an unknown route', 404, ({ call }) => call('GET', '/api/v1/nothing', { token: 'reader' })],
    ['an unknown face', 404, ({ call }) => call('GET', '/nothing')],
    ['a method that is not allowed', 405, ({ call }) => call('PUT', things, { token: 'writer' })],
    ['a question for the methods', 204, ({ call }) => call('OPTIONS', things)],
    [
      'another type',
      415,
      ({ call }) => call('POST', things, { ...lamp, headers: { 'Content-Type': 'a/b' } }),
    ],
    ['too large a body', 413, ({ call }) => call('POST', things, { ...lamp, body: 'x'.repeat(2_000_000) })],
  ];
  for (const [what, status, ask] of refusals) {
    it(`are told with the answer to ${what} (${status}), which counts, and stand above it`, () =>
      withLimits(async (client) => {
        const reply = await ask(client);
        expect(reply.status).to.equal(status);
        const [limit, remaining, reset] = standing(reply);
        expect(limit).to.be.oneOf([10, 60]);
        expect(remaining).to.equal((limit ?? 0) - 1);
        expect(reset).to.equal(client.clock.now() / 1000 + 60);
        const last = await repeated((limit ?? 0) - 1, () => ask(client));
        expect([last.status, standing(last)[1]]).to.deep.equal([status, 0]);
        const refused = await ask(client);
        expect([refused.status, refused.headers.get('retry-after')]).to.deep.equal([429, '60']);
      }));
  }

  it('do not shut a user out for what others of the same address send without a token', () =>
    withLimits(async ({ call }) => {
      await repeated(60, () => call('GET', things));
      expect((await call('GET', things)).status).to.equal(429);
      expect((await call('GET', things, { token: 'reader' })).status).to.equal(200);
    }));

  it('count paths that do not exist together, however many one makes up', () =>
    withLimits(async ({ call }) => {
      let paths = 0;
      const ask = () => call('POST', `/api/v1/nothing/${(paths += 1)}`);
      await repeated(10, ask);
      expect((await ask()).status).to.equal(429);
    }));

  it('leave probes alone', () =>
    withLimits(async ({ call }) => {
      for (const path of ['/health', '/ready', '/api/v1/health']) {
        const reply = await repeated(70, () => call('GET', path));
        expect([reply.status, ...standing(reply)]).to.deep.equal([200, null, null, null]);
      }
    }));
});

describe('while the server starts', () => {
  it('nothing is counted: who waits need not wait longer for it', async () => {
    let ready = false;
    await withLimits(
      async ({ call }) => {
        const ask = () => call('GET', things, { token: 'reader' });
        const starting = await repeated(70, ask);
        expect([starting.status, ...standing(starting)]).to.deep.equal([503, null, null, null]);
        ready = true;
        expect(standing(await ask()).slice(0, 2)).to.deep.equal([60, 59]);
      },
      { isReady: () => ready },
    );
  });
});

describe('the rate limit of a tenant', () => {
  it('is shared by its users over all endpoints, and told when it is the tightest', () =>
    withLimits(
      async ({ call, clock }) => {
        expect(standing(await call('GET', things, { token: 'reader' })).slice(0, 2)).to.deep.equal([12, 11]);
        for (let left = 9; left >= 1; left -= 1)
          expect(standing(await call('POST', things, lamp)).slice(0, 2)).to.deep.equal([10, left]);
        // Both have one left, then: the reset that comes last.
        expect((await call('GET', things, { token: 'reader' })).status).to.equal(200);
        const last = await call('GET', `${things}/lamp`, { token: 'reader' });
        expect([last.status, ...standing(last).slice(0, 2)]).to.deep.equal([200, 12, 0]);
        for (const token of ['reader', 'writer']) {
          const refused = await call('GET', things, { token });
          expect([refused.status, ...standing(refused).slice(0, 2)]).to.deep.equal([429, 12, 0]);
          expect(refused.headers.get('retry-after')).to.equal('60');
          expect(ErrorBody.parse(refused.body).error.code).to.equal('RATE_LIMIT_EXCEEDED');
        }
        expect((await call('GET', things)).status).to.equal(401);
        await clock.advance(60_000);
        expect((await call('GET', things, { token: 'reader' })).status).to.equal(200);
      },
      { tenantLimit: 12 },
    ));

  it('loses nothing to requests that the limit of a user refuses', () =>
    withLimits(
      async ({ call }) => {
        await repeated(10, () => call('POST', things, lamp));
        for (let more = 0; more < 5; more += 1)
          expect((await call('POST', things, lamp)).status).to.equal(429);
        expect(standing(await call('GET', things, { token: 'reader' })).slice(0, 2)).to.deep.equal([12, 1]);
      },
      { tenantLimit: 12 },
    ));

  it('lets exactly one of many that race take the last place', () =>
    withLimits(
      async ({ call }) => {
        await repeated(4, () => call('GET', things, { token: 'reader' }));
        const replies = await Promise.all(
          Array.from({ length: 8 }, (_, index) =>
            call('GET', things, { token: index % 2 === 0 ? 'reader' : 'writer' }),
          ),
        );
        expect(replies.filter(({ status }) => status === 200)).to.have.length(1);
      },
      { tenantLimit: 5 },
    ));

  it('holds where the limits of endpoints are switched off, and nothing is told where it does not', async () => {
    await withLimits(
      async ({ call }) => {
        await repeated(12, () => call('POST', things, lamp));
        expect((await call('POST', things, lamp)).status).to.equal(429);
      },
      { tenantLimit: 12, perEndpoint: false },
    );
    await withLimits(
      async ({ call }) => {
        const reply = await repeated(70, () => call('POST', things, lamp));
        expect([reply.status, ...standing(reply)]).to.deep.equal([201, null, null, null]);
      },
      { perEndpoint: false },
    );
  });

  it('of nothing refuses everything', () =>
    withLimits(
      async ({ call }) => {
        expect((await call('GET', things, { token: 'reader' })).status).to.equal(429);
      },
      { tenantLimit: 0 },
    ));
});

describe('an address', () => {
  const networks: readonly [address: string, network: string][] = [
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:db8::7', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ];
  for (const [address, network] of networks)
    it(`counts as ${network || 'nothing'} when it is ${address || 'gone'}`, () => {
      expect(networkOf(address)).to.equal(network);
    });
});
