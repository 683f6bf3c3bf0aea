import { expect } from 'chai';
import { createConnection } from 'node:net';
import { z } from 'zod';
import { route } from '../../../src/api/http/route.ts';
import type { Route } from '../../../src/api/http/route.ts';
import { createRouting } from '../../../src/api/http/routing.ts';
import { createHttpServer } from '../../../src/api/http/server.ts';
import { openApiDocument } from '../../../src/api/openapi/document.ts';
import { openApiFace } from '../../../src/api/openapi/face.ts';
import { pluginManagerFace } from '../../../src/api/plugin-manager/face.ts';
import { ErrorBody } from '../../../src/api/plugin-manager/errors.ts';
import { createClient, withServer } from '../../support/http.ts';
import { example, testInfo, Thing, thingRoutes } from './example.ts';

const answer = async (): Promise<{ status: number }> => ({ status: 200 });

describe('a route', () => {
  const shape = { method: 'GET', path: '/things', summary: 'List things', responses: {} } as const;

  it('knows its input and its principal by type', () => {
    route({
      ...shape,
      policy: 'public',
      params: z.strictObject({ id: z.string() }),
      query: z.strictObject({ limit: z.coerce.number() }),
      handler: async ({ params, query, principal }) => {
        // Null: nobody has looked at who calls a public route.
        const types: [string, number, null] = [params.id, query.limit, principal];
        return { status: 200, body: types };
      },
    });
    route({
      ...shape,
      policy: { permission: 'things:read' },
      handler: async ({ principal, body }) => {
        const types: [string, Record<string, never> | undefined] = [principal.userId, body];
        return { status: 200, body: types };
      },
    });
  });

  it('without a policy does not compile, and does not start', () => {
    // @ts-expect-error a route says who may call it
    const open: Route = route({ ...shape, handler: answer });
    expect(() => createRouting([pluginManagerFace([open])])).to.throw('GET /api/v1/things has no policy');
    const empty = route({ ...shape, policy: { permission: '' }, handler: answer });
    expect(() => createRouting([pluginManagerFace([empty])])).to.throw('has no policy');
  });

  it('declared twice does not start', () => {
    const once = route({ ...shape, policy: 'public', handler: answer });
    expect(() => createRouting([pluginManagerFace([once, once])])).to.throw('declared twice');
  });
});

describe('until the server is ready', () => {
  it('only health and readiness are answered', async () => {
    let ready = false;
    await withServer(example(undefined, { isReady: () => ready }).app, async ({ call }) => {
      for (const path of ['/health', '/api/v1/health']) {
        const { status, body } = await call('GET', path);
        expect([status, body]).to.deep.equal([200, { status: 'ok', uptimeSeconds: 0, log: 'whole' }]);
      }
      const starting = await call('GET', '/ready');
      expect([starting.status, starting.body]).to.deep.equal([503, { status: 'starting', projections: [] }]);
      for (const path of ['/api/v1/things', '/nothing']) {
        const refused = await call('GET', path, { token: 'reader' });
        expect(refused.status).to.equal(503);
        expect(ErrorBody.parse(refused.body).error.code).to.equal('SERVICE_UNAVAILABLE');
      }
      ready = true;
      expect((await call('GET', '/ready')).status).to.equal(200);
      expect((await call('GET', '/api/v1/things', { token: 'reader' })).status).to.equal(200);
    });
  });
});

describe('the API reference', () => {
  const info = testInfo;

  it('says of every route who may call it, what it takes and what it answers', () => {
    const face = pluginManagerFace(thingRoutes());
    const { paths, components } = openApiDocument([face], info);
    expect(Object.keys(paths)).to.deep.equal(['/api/v1/things', '/api/v1/things/{name}', '/api/v1/echo']);
    expect(Object.keys(components.schemas)).to.deep.equal(['Error']);
    const list = paths['/api/v1/things']?.['get'];
    expect(list).to.deep.include({
      security: [{ bearer: [] }, { apiKey: [] }],
      'x-permission': 'things:read',
    });
    expect(list?.['parameters']).to.deep.include({
      name: 'limit',
      in: 'query',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
    });
    expect(paths['/api/v1/things']?.['post']?.['requestBody']).to.have.property('required', true);
    expect(paths['/api/v1/echo']?.['post']?.['security']).to.deep.equal([]);
  });

  it('names a schema with an id once and refers to it, also from inside others', () => {
    const Named = Thing.meta({ id: 'Thing' });
    const get = route({
      method: 'GET',
      path: '/x',
      summary: 'x',
      policy: 'public',
      responses: { 200: Named, 201: z.array(Named) },
      handler: answer,
    });
    const { paths, components } = openApiDocument([pluginManagerFace([get])], info);
    const text = JSON.stringify(paths['/api/v1/x']);
    expect(text.match(/"#\/components\/schemas\/Thing"/g)).to.have.length(2);
    expect(text).not.to.include('$defs');
    expect(components.schemas['Thing']).to.have.property('type', 'object');
  });

  it('is served to everybody', async () => {
    const face = openApiFace([pluginManagerFace(thingRoutes())], info);
    await withServer(example([], {}, [face]).app, async ({ call }) => {
      const reply = await call('GET', '/api/openapi.json');
      expect(reply.status).to.equal(200);
      expect(reply.body).to.deep.include({ openapi: '3.1.0', info });
    });
  });
});

describe('stopping the server', () => {
  it('lets a running request end, closes idle connections and takes nothing new', async () => {
    const begun = Promise.withResolvers<undefined>();
    const end = Promise.withResolvers<undefined>();
    const slow = route({
      method: 'GET',
      path: '/slow',
      summary: 'Takes its time',
      policy: 'public',
      responses: { 200: z.unknown() },
      handler: async () => {
        begun.resolve(undefined);
        await end.promise;
        return { status: 200, body: 'done' };
      },
    });
    const server = await createHttpServer({ app: example([slow]).app, host: '127.0.0.1', port: 0 });
    const idle = createConnection(server.port, '127.0.0.1');
    const idleClosed = Promise.withResolvers<undefined>();
    idle.on('close', () => idleClosed.resolve(undefined)).resume();
    const client = createClient(server.url);
    const reply = client.call('GET', '/api/v1/slow');
    await begun.promise;
    const stopped = server.stop();
    expect(server.stop()).to.equal(stopped);
    await idleClosed.promise;
    end.resolve(undefined);
    expect((await reply).body).to.equal('done');
    await stopped;
    const refused = await client.call('GET', '/health').catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(TypeError);
  });

  it('cuts off what does not end in time', async () => {
    const begun = Promise.withResolvers<undefined>();
    const server = await createHttpServer({
      app: () => begun.resolve(undefined),
      host: '127.0.0.1',
      port: 0,
      drainMs: 1,
    });
    const reply = createClient(server.url)
      .call('GET', '/')
      .catch((error: unknown) => error);
    await begun.promise;
    await server.stop();
    expect(await reply).to.be.instanceOf(TypeError);
  });

  it('says so when the address is taken', async () => {
    await withServer(example().app, async ({ url }) => {
      const port = Number(new URL(url).port);
      const second = await createHttpServer({ app: example().app, host: '127.0.0.1', port }).catch(
        (error: unknown) => error,
      );
      expect(second).to.have.property('code', 'EADDRINUSE');
    });
  });
});
