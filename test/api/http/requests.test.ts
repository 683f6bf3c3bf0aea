import { expect } from 'chai';
import { CommandRefused, TooContended } from '../../../src/core/executor.ts';
import { refuse } from '../../../src/domain/refusal.ts';
import type { RefusalKind } from '../../../src/domain/refusal.ts';
import { route } from '../../../src/api/http/route.ts';
import { openApiFace } from '../../../src/api/openapi/face.ts';
import { ErrorBody } from '../../../src/api/plugin-manager/errors.ts';
import { pluginManagerFace } from '../../../src/api/plugin-manager/face.ts';
import { StoreUnavailable } from '../../../src/ports/event-store.ts';
import { createDescribedClient, withServer } from '../../support/http.ts';
import { example, here, testInfo, thingRoutes } from './example.ts';

const things = '/api/v1/things';

/** The example whose POST throws. */
function throwing(error: Error): ReturnType<typeof example> {
  return example(
    thingRoutes(() => {
      throw error;
    }),
  );
}

describe('a request through the HTTP kernel', () => {
  it('reaches its handler with what the schemas made of it', async () => {
    await withServer(example().app, async ({ call }) => {
      const made = await call('POST', things, { token: 'writer', body: { name: 'lamp' } });
      expect(made.status).to.equal(201);
      expect(made.headers.get('content-type')).to.equal('application/json; charset=utf-8');
      expect(made.headers.get('x-position')).to.equal(here);
      expect(made.body).to.deep.include({
        name: 'lamp',
        by: 'usr_writer',
        actor: { id: 'usr_writer', face: 'plugin-manager' },
      });
      const listed = await call('GET', `${things}?limit=5&tags=a%2Cb+c`, { token: 'reader' });
      expect(listed.body).to.deep.equal({ limit: 5, offset: 0, tags: 'a,b c' });
      const shown = await call('GET', `${things}/%40scope%2Flamp`, { token: 'reader' });
      expect(shown.body).to.deep.equal({ name: '@scope/lamp' });
      const deleted = await call('DELETE', `${things}/lamp`, { token: 'writer' });
      expect([deleted.status, deleted.body]).to.deep.equal([204, null]);
    });
  });

  it('takes the scheme of a token in any case', async () => {
    await withServer(example().app, async ({ call }) => {
      const reply = await call('GET', things, { headers: { Authorization: 'bEARER reader' } });
      expect(reply.status).to.equal(200);
    });
  });

  it('answers HEAD like GET without a body, and OPTIONS with what is allowed', async () => {
    await withServer(example().app, async ({ call }) => {
      const head = await call('HEAD', things, { token: 'reader' });
      expect([head.status, head.body]).to.deep.equal([200, null]);
      expect(Number(head.headers.get('content-length'))).to.be.greaterThan(0);
      const options = await call('OPTIONS', `${things}/lamp`);
      expect(options.status).to.equal(204);
      expect(options.headers.get('allow')).to.equal('DELETE, GET, HEAD, OPTIONS');
    });
  });

  it('sends text as it is, as the media type that the description names', async () => {
    const page = route({
      method: 'GET',
      path: '/page',
      summary: 'A page',
      policy: 'public',
      responses: { 200: { mediaType: 'text/html' } },
      headers: { 'X-Page': 'That it is one' },
      handler: async () => ({
        ...{ status: 200, mediaType: 'text/html', text: '<p>Hällo' },
        headers: { 'X-Page': 'yes' },
      }),
    });
    const described = openApiFace([pluginManagerFace([page])], testInfo);
    await withServer(example([page], {}, [described]).app, async ({ url }) => {
      const { call } = await createDescribedClient(url);
      const { status, headers, body } = await call('GET', '/api/v1/page');
      expect([status, body]).to.deep.equal([200, '<p>Hällo']);
      const head = await call('HEAD', '/api/v1/page');
      expect([head.status, head.body]).to.deep.equal([200, null]);
      for (const sent of [headers, head.headers]) {
        expect(sent.get('content-type')).to.equal('text/html; charset=utf-8');
        expect(sent.get('content-length')).to.equal('9');
        expect(sent.get('x-page')).to.equal('yes');
      }
      const refused = await call('GET', '/api/v1/page?size=1');
      expect(refused.headers.get('content-type')).to.equal('application/json; charset=utf-8');
    });
  });

  it('sends safe headers with every answer, and says nothing of what it is made of', async () => {
    await withServer(example().app, async ({ call }) => {
      for (const path of ['/health', '/nothing', things]) {
        const { headers } = await call('GET', path);
        expect(headers.get('content-security-policy')).to.match(/^default-src 'none'/);
        expect(headers.get('x-content-type-options')).to.equal('nosniff');
        expect(headers.get('cache-control')).to.equal('no-store');
        for (const telling of ['x-powered-by', 'server', 'etag']) expect(headers.get(telling)).to.equal(null);
      }
    });
  });

  it('lets pages of the configured origins call, and no others', async () => {
    const { app } = example(undefined, { corsOrigins: ['https://console.example.org'] });
    await withServer(app, async ({ call }) => {
      const preflight = (Origin: string) =>
        call('OPTIONS', things, { headers: { Origin, 'Access-Control-Request-Method': 'POST' } });
      const known = await preflight('https://console.example.org');
      expect(known.headers.get('access-control-allow-origin')).to.equal('https://console.example.org');
      expect(known.headers.get('access-control-allow-headers')).to.include('Idempotency-Key');
      const foreign = await preflight('https://evil.example.org');
      expect(foreign.headers.get('access-control-allow-origin')).to.equal(null);
    });
  });
});

describe('the correlation id', () => {
  it('is the caller’s own where it is harmless, on success and in errors', async () => {
    const { app, log } = example();
    await withServer(app, async ({ call }) => {
      const headers = { 'X-Correlation-Id': 'trace-xyz789' };
      const good = await call('GET', things, { token: 'reader', headers });
      expect(good.headers.get('x-correlation-id')).to.equal('trace-xyz789');
      const bad = await call('GET', things, { headers });
      expect(ErrorBody.parse(bad.body).error.traceId).to.equal('trace-xyz789');
    });
    expect(log).to.have.length(2);
    expect(log[0]).to.include({
      correlationId: 'trace-xyz789',
      method: 'GET',
      route: '/things',
      status: 200,
    });
  });

  for (const sent of ['a b', 'x'.repeat(129), '<script>', '{}']) {
    it(`is a fresh one instead of ${sent.slice(0, 20)}`, async () => {
      await withServer(example().app, async ({ call }) => {
        const { headers } = await call('GET', '/health', { headers: { 'X-Correlation-Id': sent } });
        expect(headers.get('x-correlation-id')).to.match(/^[0-9a-f-]{36}$/);
      });
    });
  }

  it('stands in the log, where tokens and bodies never do', async () => {
    const { app, log } = throwing(new Error('disk on fire at /var/secret'));
    await withServer(app, async ({ call }) => {
      const raw = '{"name":"hush-hush"}';
      const reply = await call('POST', things, { token: 'writer', raw });
      const { error } = ErrorBody.parse(reply.body);
      expect([reply.status, error.code]).to.deep.equal([500, 'INTERNAL_ERROR']);
      expect(JSON.stringify(reply.body)).not.to.include('fire');
      const [failure] = log;
      expect(failure).to.deep.include({ correlationId: error.traceId, msg: 'request failed' });
      expect(JSON.stringify(log))
        .to.include('disk on fire')
        .and.not.match(/hush-hush|writer/);
    });
  });
});

describe('a command’s errors', () => {
  const refusals: readonly (readonly [RefusalKind, number, string])[] = [
    ['Invalid', 400, 'VALIDATION_ERROR'],
    ['DependencyConflict', 400, 'DEPENDENCY_CONFLICT'],
    ['Forbidden', 403, 'FORBIDDEN'],
    ['NotFound', 404, 'NOT_FOUND'],
    ['Conflict', 409, 'CONFLICT'],
  ];
  for (const [kind, status, code] of refusals) {
    it(`${kind} is ${status} ${code} with the fields it names`, async () => {
      const field = { field: 'version.dependencies[1]', message: 'closes a cycle' };
      const { app } = throwing(new CommandRefused(refuse(kind, 'No such thing', field)));
      await withServer(app, async ({ call }) => {
        const reply = await call('POST', things, { token: 'writer', body: { name: 'lamp' } });
        expect(reply.status).to.equal(status);
        const { error } = ErrorBody.parse(reply.body);
        expect(error).to.deep.include({ code, message: 'No such thing', details: [field] });
      });
    });
  }

  for (const error of [new TooContended('again'), new StoreUnavailable('disk full')]) {
    it(`${error.name} is 503, to be tried again`, async () => {
      await withServer(throwing(error).app, async ({ call }) => {
        const reply = await call('POST', things, { token: 'writer', body: { name: 'lamp' } });
        expect(reply.status).to.equal(503);
        expect(ErrorBody.parse(reply.body).error.code).to.equal('SERVICE_UNAVAILABLE');
        expect(reply.headers.get('retry-after')).to.equal('1');
      });
    });
  }
});

describe('positions', () => {
  it('are remembered for who wrote, and waited for by who asks', async () => {
    const { app, remembered, waited } = example();
    await withServer(app, async ({ call }) => {
      await call('POST', things, { token: 'writer', body: { name: 'lamp' } });
      expect(remembered).to.deep.equal([`usr_writer ${here}`]);
      const fresh = await call('GET', things, { token: 'reader', headers: { 'X-Position': here } });
      expect(fresh.headers.get('x-stale')).to.equal(null);
      const stale = await call('GET', things, { token: 'reader', headers: { 'X-Position': 'log-1:8' } });
      expect(stale.headers.get('x-stale')).to.equal('true');
      expect(waited).to.deep.equal([here, 'log-1:8']);
    });
  });
});

describe('what is not there', () => {
  it('is told to be stale where it may be there by now', async () => {
    const absent = route({
      ...{ method: 'GET', path: '/absent', summary: 'Nothing', policy: { permission: 'things:read' } },
      responses: {},
      refusals: ['NotFound'],
      handler: async () => {
        throw new CommandRefused(refuse('NotFound', 'There is no such thing'));
      },
    });
    await withServer(example([absent]).app, async ({ call }) => {
      for (const [position, stale] of [
        [here, null],
        ['log-1:8', 'true'],
      ] as const) {
        const headers = { 'X-Position': position };
        const reply = await call('GET', '/api/v1/absent', { token: 'reader', headers });
        expect([reply.status, reply.headers.get('x-stale')]).to.deep.equal([404, stale]);
        expect(ErrorBody.parse(reply.body).error.code).to.equal('NOT_FOUND');
      }
    });
  });
});

describe('an Idempotency-Key', () => {
  const headers = { 'Idempotency-Key': 'key-1' };

  it('gives repetitions the first answer, and refuses another body', async () => {
    let made = 0;
    const { app } = example(
      thingRoutes(() => {
        made++;
      }),
    );
    await withServer(app, async ({ call }) => {
      const make = (name: string) => call('POST', things, { token: 'writer', headers, body: { name } });
      const first = await make('lamp');
      const again = await make('lamp');
      const other = await make('chair');
      expect(first.body).to.include({ command: 'command of key-1' });
      expect(first.headers.get('idempotency-replayed')).to.equal(null);
      expect([again.status, again.body]).to.deep.equal([201, first.body]);
      expect(again.headers.get('idempotency-replayed')).to.equal('true');
      expect(again.headers.get('x-position')).to.equal(here);
      expect([other.status, ErrorBody.parse(other.body).error.code]).to.deep.equal([
        422,
        'IDEMPOTENCY_KEY_REUSED',
      ]);
      expect(made).to.equal(1);
    });
  });

  it('keeps what was decided (409), not what may be otherwise next time (403, 503)', async () => {
    const replayed = async (error: Error): Promise<string | null> =>
      withServer(throwing(error).app, async ({ call }) => {
        await call('POST', things, { token: 'writer', headers, body: { name: 'lamp' } });
        const again = await call('POST', things, { token: 'writer', headers, body: { name: 'lamp' } });
        return again.headers.get('idempotency-replayed');
      });
    expect(await replayed(new CommandRefused(refuse('Conflict', 'taken')))).to.equal('true');
    expect(await replayed(new CommandRefused(refuse('Forbidden', 'no')))).to.equal(null);
    expect(await replayed(new TooContended('again'))).to.equal(null);
  });
});
