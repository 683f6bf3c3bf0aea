/** Requests on a condition, through the kernel. */
import { connect } from 'node:net';
import { once } from 'node:events';
import { expect } from 'chai';
import { z } from 'zod';
import { openApiFace } from '../../../src/api/openapi/face.ts';
import { ErrorBody } from '../../../src/api/plugin-manager/errors.ts';
import { pluginManagerFace } from '../../../src/api/plugin-manager/face.ts';
import { Problem } from '../../../src/api/http/problem.ts';
import { route, type Route } from '../../../src/api/http/route.ts';
import type { Precondition } from '../../../src/core/precondition.ts';
import { createDescribedClient, withServer, type Call, type Reply } from '../../support/http.ts';
import { example, here, testInfo } from './example.ts';

const Lamp = z.object({ brightness: z.int() });
const params = z.strictObject({ name: z.string() });
const reading = { method: 'GET', policy: { permission: 'things:read' } } as const;
const writing = { path: '/lamps/:name', params, policy: { permission: 'things:write' } } as const;

interface World {
  brightness: number;
  version: number;
  /** What commands were told. */
  readonly told: (Precondition | null)[];
}

function lampRoutes(world: World): readonly Route[] {
  const shown = () => ({ status: 200, body: { brightness: world.brightness }, version: world.version });
  return [
    route({
      ...reading,
      path: '/lamps/:name',
      summary: 'Show a lamp',
      params,
      etag: 'version',
      responses: { 200: Lamp },
      handler: async ({ params: { name } }) => {
        if (name === 'none') throw new Problem('NotFound', 'There is no lamp none');
        return shown();
      },
    }),
    route({
      ...reading,
      path: '/light',
      summary: 'Show how light it is',
      etag: 'content',
      responses: { 200: Lamp },
      handler: async () => ({ status: 200, body: { brightness: world.brightness } }),
    }),
    route({
      ...reading,
      path: '/lamps',
      summary: 'List lamps',
      responses: { 200: z.array(Lamp) },
      handler: async () => ({ status: 200, body: [] }),
    }),
    route({
      ...{
        method: 'PATCH',
        summary: 'Change a lamp',
        idempotent: true,
        etag: 'version',
        conditional: 'change',
      },
      ...writing,
      responses: { 200: Lamp },
      handler: async ({ context }) => {
        world.told.push(context.precondition ?? null);
        return { ...shown(), position: here };
      },
    }),
    route({
      ...{ method: 'PUT', summary: 'Set a lamp', conditional: 'change or create' },
      ...writing,
      responses: { 204: null },
      handler: async ({ context }) => {
        world.told.push(context.precondition ?? null);
        return { status: 204 };
      },
    }),
    route({
      ...{ method: 'DELETE', summary: 'Take a lamp away' },
      ...writing,
      responses: { 204: null },
      handler: async () => {
        world.told.push(null);
        return { status: 204 };
      },
    }),
  ];
}

type Ask = (method: string, path: string, headers?: Record<string, string>, call?: Call) => Promise<Reply>;

async function withLamps(use: (ask: Ask, world: World, url: string) => Promise<void>): Promise<void> {
  const world: World = { brightness: 7, version: 12, told: [] };
  const routes = lampRoutes(world);
  const described = openApiFace([pluginManagerFace(routes)], testInfo);
  const corsOrigins = ['https://console.example.org'];
  await withServer(example(routes, { corsOrigins }, [described]).app, async ({ url }) => {
    const client = await createDescribedClient(url);
    const ask: Ask = (method, path, headers = {}, call = {}) =>
      client.call(method, `/api/v1${path}`, { token: 'writer', headers, ...call });
    await use(ask, world, url);
  });
}

function tagOf({ headers }: Reply): string {
  const tag = headers.get('etag');
  if (tag === null) throw new Error('there is no ETag');
  return tag;
}

function refusalOf({ status, body }: Reply) {
  const { code, message, details } = ErrorBody.parse(body).error;
  return { status, code, message, fields: details.map(({ field }) => field) };
}

describe('a read on a condition', () => {
  it('has a strong tag that stays while the answer does, and changes with the version and with the bytes', async () => {
    await withLamps(async (ask, world) => {
      const tag = tagOf(await ask('GET', '/lamps/desk'));
      expect(tag).to.match(/^"12\.[\w-]{22}"$/);
      expect(tagOf(await ask('GET', '/lamps/desk'))).to.equal(tag);
      world.brightness = 8;
      const brighter = tagOf(await ask('GET', '/lamps/desk'));
      expect(brighter)
        .to.match(/^"12\./)
        .and.not.equal(tag);
      world.version = 13;
      expect(tagOf(await ask('GET', '/lamps/desk'))).to.match(/^"13\./);
      expect(tagOf(await ask('GET', '/light'))).to.match(/^"[\w-]{22}"$/);
    });
  });

  it('answers 304 without a body to who has it, and all of it to who has something else', async () => {
    await withLamps(async (ask, world) => {
      for (const path of ['/lamps/desk', '/light']) {
        const first = await ask('GET', path);
        const tag = tagOf(first);
        for (const had of [tag, `W/${tag}`, `"other", ${tag}`, `${tag},"other"`, '*']) {
          const again = await ask('GET', path, { 'If-None-Match': had });
          expect([again.status, again.body], had).to.deep.equal([304, null]);
          expect(tagOf(again)).to.equal(tag);
          for (const name of ['cache-control', 'vary', 'content-security-policy'])
            expect(again.headers.get(name), name).to.equal(first.headers.get(name)).and.not.equal(null);
          expect(again.headers.get('content-length')).to.equal(null);
          expect(again.headers.get('content-type')).to.equal(null);
        }
        for (const had of ['"other"', tag.toUpperCase(), '""', '"*"']) {
          const again = await ask('GET', path, { 'If-None-Match': had });
          expect([again.status, again.body], had).to.deep.equal([200, { brightness: world.brightness }]);
        }
        world.brightness += 1;
        expect((await ask('GET', path, { 'If-None-Match': tag })).status).to.equal(200);
      }
    });
  });

  it('is the same to HEAD', async () => {
    await withLamps(async (ask) => {
      const tag = tagOf(await ask('GET', '/lamps/desk'));
      const head = await ask('HEAD', '/lamps/desk');
      expect([head.status, tagOf(head)]).to.deep.equal([200, tag]);
      const again = await ask('HEAD', '/lamps/desk', { 'If-None-Match': tag });
      expect([again.status, tagOf(again)]).to.deep.equal([304, tag]);
    });
  });

  it('leaves the connection of a 304 good for the next request', async () => {
    await withLamps(async (ask, _world, url) => {
      const tag = tagOf(await ask('GET', '/light'));
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      let told = '';
      socket.setEncoding('utf8').on('data', (text: string) => (told += text));
      const line = `GET /api/v1/light HTTP/1.1\r\nHost: lamps\r\nAuthorization: Bearer reader\r\n`;
      socket.write(`${line}If-None-Match: ${tag}\r\n\r\n${line}Connection: close\r\n\r\n`);
      await once(socket, 'close');
      expect(told).to.match(/^HTTP\/1\.1 304 [^]*?\r\n\r\nHTTP\/1\.1 200 [^]*\{"brightness":7\}$/);
      expect(told.split('\r\n\r\n')[0]).not.to.match(/^(content-(length|type)|transfer-encoding):/im);
    });
  });

  it('with If-Match wants exactly what was named, or nothing', async () => {
    await withLamps(async (ask, world) => {
      const tag = tagOf(await ask('GET', '/lamps/desk'));
      for (const wanted of [tag, `"other",${tag}`, '*'])
        expect((await ask('GET', '/lamps/desk', { 'If-Match': wanted })).status, wanted).to.equal(200);
      // First it must be what was named, and only then is it asked whether the caller has it.
      expect((await ask('GET', '/lamps/desk', { 'If-Match': tag, 'If-None-Match': tag })).status).to.equal(
        304,
      );
      world.brightness += 1;
      const now = tagOf(await ask('GET', '/lamps/desk'));
      for (const wanted of [tag, `W/${now}`, '"other"']) {
        const headers = { 'If-Match': wanted, 'If-None-Match': now };
        expect(refusalOf(await ask('GET', '/lamps/desk', headers)), wanted).to.deep.equal({
          ...{ status: 412, code: 'PRECONDITION_FAILED', fields: ['If-Match'] },
          message: `What you named is not what is here now, which is ${now}`,
        });
      }
    });
  });

  it('is refused as it would be without one', async () => {
    await withLamps(async (ask, _world, url) => {
      for (const headers of [{ 'If-None-Match': '*' }, { 'If-Match': '"1.x"' }] as Record<string, string>[]) {
        const none = await ask('GET', '/lamps/none', headers);
        expect([none.status, none.headers.get('etag')]).to.deep.equal([404, null]);
        const nobody = await fetch(`${url}/api/v1/lamps/desk`, { headers });
        expect(nobody.status).to.equal(401);
      }
    });
  });

  it('is no condition where there is nothing to compare', async () => {
    await withLamps(async (ask) => {
      for (const had of ['*', '"any"', 'nonsense']) {
        const headers = { 'If-None-Match': had, 'If-Match': had };
        const list = await ask('GET', '/lamps', headers);
        expect([list.status, list.headers.get('etag')]).to.deep.equal([200, null]);
      }
    });
  });

  it('says what is malformed', async () => {
    await withLamps(async (ask) => {
      for (const field of ['If-Match', 'If-None-Match'])
        for (const text of ['12', '', '"a', '"a" "b"', '*, "a"', '"a", *', '\u00e9']) {
          const { message, ...rest } = refusalOf(await ask('GET', '/lamps/desk', { [field]: text }));
          expect(rest, text).to.deep.equal({ status: 400, code: 'VALIDATION_ERROR', fields: [field] });
          expect(message).to.match(/^If-(None-)?Match must be an ETag as it was answered/);
        }
    });
  });
});

describe('a change on a condition', () => {
  it('tells its command which versions were seen, whatever else was shown with them', async () => {
    await withLamps(async (ask, world) => {
      const tag = tagOf(await ask('GET', '/lamps/desk'));
      world.brightness += 1;
      const brighter = tagOf(await ask('GET', '/lamps/desk'));
      const changed = await ask('PATCH', '/lamps/desk', { 'If-Match': `${tag}, ${brighter}` });
      expect([changed.status, tagOf(changed)]).to.deep.equal([200, brighter]);
      await ask('PATCH', '/lamps/desk', { 'If-Match': '*' });
      await ask('PATCH', '/lamps/desk');
      await ask('PUT', '/lamps/desk', { 'If-Match': tag });
      await ask('PUT', '/lamps/desk', { 'If-None-Match': '*' });
      expect(world.told).to.deep.equal([
        { holds: 'among', versions: ['12', '12'] },
        { holds: 'exists' },
        null,
        { holds: 'among', versions: ['12'] },
        { holds: 'absent' },
      ]);
    });
  });

  it('has seen no version by weak tags, and by what is no tag of ours', async () => {
    await withLamps(async (ask, world) => {
      const tag = tagOf(await ask('GET', '/lamps/desk'));
      await ask('PATCH', '/lamps/desk', {
        'If-Match': `W/${tag}, "12", "", ${tagOf(await ask('GET', '/light'))}`,
      });
      expect(world.told).to.deep.equal([{ holds: 'among', versions: [] }]);
    });
  });

  it('is refused where the condition cannot be held to, or is none, and not done', async () => {
    await withLamps(async (ask, world) => {
      for (const [method, headers, field, message] of [
        [
          'DELETE',
          { 'If-Match': '"12.x"' },
          'If-Match',
          'If-Match is not compared by this DELETE: send it without',
        ],
        [
          'DELETE',
          { 'If-Match': '*' },
          'If-Match',
          'If-Match is not compared by this DELETE: send it without',
        ],
        ['DELETE', { 'If-None-Match': '*' }, 'If-None-Match', 'If-None-Match is not compared by this DELETE'],
        ['PATCH', { 'If-None-Match': '*' }, 'If-None-Match', 'If-None-Match is not compared by this PATCH'],
        [
          ...(['PUT', { 'If-None-Match': '"12.x"' }, 'If-None-Match'] as const),
          'If-None-Match must be * for this PUT: only when it is not there yet',
        ],
        [
          ...(['PUT', { 'If-None-Match': '*', 'If-Match': '*' }, 'If-None-Match'] as const),
          'If-None-Match cannot come with If-Match: send one',
        ],
        [
          ...(['PATCH', { 'If-Match': '12' }, 'If-Match'] as const),
          'If-Match must be an ETag as it was answered, "12.1Wr7…" with its quotes, several after commas, or *',
        ],
      ] as const)
        expect(refusalOf(await ask(method, '/lamps/desk', headers)), message).to.deep.equal({
          ...{ status: 400, code: 'VALIDATION_ERROR', fields: [field], message },
        });
      expect(world.told).to.deep.equal([]);
    });
  });

  it('is answered as the first time when it is repeated, tag and all', async () => {
    await withLamps(async (ask, world) => {
      const key = { 'Idempotency-Key': 'once' };
      const first = await ask('PATCH', '/lamps/desk', { ...key, 'If-Match': '"12.1234567890123456789012"' });
      world.version = 13;
      world.brightness = 1;
      const again = await ask('PATCH', '/lamps/desk', { ...key, 'If-Match': '"12.1234567890123456789012"' });
      expect([again.status, again.body, tagOf(again)]).to.deep.equal([200, first.body, tagOf(first)]);
      expect(again.headers.get('idempotency-replayed')).to.equal('true');
      expect(world.told).to.have.length(1);
    });
  });

  it('is open to pages of the configured origins', async () => {
    await withLamps(async (_ask, _world, url) => {
      const Origin = 'https://console.example.org';
      const preflight = await fetch(`${url}/api/v1/lamps/desk`, {
        method: 'OPTIONS',
        headers: { Origin, 'Access-Control-Request-Method': 'PATCH' },
      });
      expect(preflight.headers.get('access-control-allow-headers')).to.match(/If-Match, If-None-Match/);
      const headers = { Origin, Authorization: 'Bearer reader' };
      const shown = await fetch(`${url}/api/v1/lamps/desk`, { headers });
      expect(shown.headers.get('access-control-expose-headers')).to.match(/\bETag\b/);
    });
  });
});
