/** The kit of the fuzz finds what is planted for it, and finds it again with the same seed. */
import { expect } from 'chai';
import fc from 'fast-check';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { createMalformed } from '../../../src/api/http/malformed.ts';
import { route, type Route } from '../../../src/api/http/route.ts';
import { openApiFace } from '../../../src/api/openapi/face.ts';
import { pluginManagerErrors } from '../../../src/api/plugin-manager/errors.ts';
import { pluginManagerFace } from '../../../src/api/plugin-manager/face.ts';
import { withServer, type Client } from '../../support/http.ts';
import { example, services, testInfo } from '../http/example.ts';
import { operationsOf } from '../matrix/operations.ts';
import type { Asked } from './arbitrary-requests.ts';
import { soundRequests } from './fuzz.ts';

const seed = 4711;

type Found = Pick<fc.RunDetails<[Asked]>, 'failed' | 'counterexample' | 'numRuns'> & {
  readonly said: string;
};

/** @param spoil an answer that the application is about to give */
async function fuzz(routes: readonly Route[], spoil?: (response: ServerResponse) => void): Promise<Found> {
  const { app } = example(routes, {}, [openApiFace([pluginManagerFace(routes)], testInfo)]);
  const listener: typeof app = (request, response) => {
    if (request.method === 'DELETE') spoil?.(response);
    app(request, response);
  };
  const use = async ({ url }: Client): Promise<Found> => {
    const document = await (await fetch(`${url}/api/openapi.json`)).text();
    const thing = { own: 'lamp', other: 'chair', unknown: 'nothing', visible: true };
    const property = soundRequests({
      ...{ url, document, faults: [], seen: new Set(), operations: operationsOf(JSON.parse(document)) },
      things: new Map([['/api/v1/things/{name}', thing]]),
      askers: [{ name: 'writer', headers: { Authorization: 'Bearer writer' }, weight: 9 }],
    });
    const { failed, counterexample, numRuns, errorInstance } = await fc.check(property, {
      seed,
      numRuns: 500,
    });
    return { failed, counterexample, numRuns, said: String(errorInstance) };
  };
  return withServer(listener, use, { malformed: createMalformed(pluginManagerErrors, services) });
}

const Thing = z.strictObject({ name: z.string().min(1).max(20) }).meta({ example: { name: 'lamp' } });
const shown = { summary: 'Planted', tag: 'Things', policy: { permission: 'things:write' } } as const;
const planted = { ...shown, method: 'PUT', path: '/planted' } as const;

/** As they describe themselves. @param make what making one does beside answering */
function thingRoutes(make: (name: string) => void = () => undefined): readonly Route[] {
  return [
    route({
      ...{ ...shown, method: 'POST', path: '/things', body: Thing, responses: { 201: Thing } },
      handler: async ({ body }) => {
        make(body.name);
        return { status: 201, body };
      },
    }),
    route({
      ...{ ...shown, method: 'DELETE', path: '/things/:name', responses: { 204: null } },
      params: z.strictObject({ name: z.string() }),
      handler: async () => ({ status: 204 }),
    }),
  ];
}

describe('the fuzz', () => {
  it('finds nothing where nothing is planted', async () => {
    const { failed, said } = await fuzz(thingRoutes());
    expect(failed, said).to.equal(false);
  });

  it('finds a fault that only some input meets, makes it small, and finds it again', async () => {
    const routes = () =>
      thingRoutes((name) => {
        if (name !== 'lamp') throw new TypeError('planted');
      });
    const found = await fuzz(routes());
    expect(found.failed).to.equal(true);
    expect(found.said).to.include('answered 500').and.not.include('planted');
    const [smallest] = found.counterexample ?? [];
    expect(smallest).to.include({ method: 'POST', framing: 'length' });
    expect(smallest?.target).to.include('/api/v1/things');
    const again = await fuzz(routes());
    expect([again.counterexample, again.numRuns]).to.deep.equal([found.counterexample, found.numRuns]);
  });

  it('finds a stack in an answer', async () => {
    const { stack } = new Error('of the test');
    const leaky = route({
      ...{ ...planted, body: Thing, responses: { 400: z.unknown() } },
      handler: async () => ({ status: 400, body: { error: { code: 'PLANTED', message: stack } } }),
    });
    const { failed, said } = await fuzz([...thingRoutes(), leaky]);
    expect(failed).to.equal(true);
    expect(said).to.include('PLANTED').and.include('not to match');
  });

  it('finds an answer that is not described', async () => {
    const secretive = route({
      ...{ ...planted, responses: { 200: Thing } },
      handler: async () => ({ status: 201, body: {} }),
    });
    const { failed, said } = await fuzz([...thingRoutes(), secretive]);
    expect(failed).to.equal(true);
    expect(said).to.include('a status that is not described');
  });

  it('finds a header that is missing, and a server that does not answer', async () => {
    const missing = await fuzz(thingRoutes(), (response) => {
      const asItWas = response.writeHead.bind(response);
      response.writeHead = (status: number, headers?: unknown) =>
        asItWas(status, { ...z.record(z.string(), z.any()).parse(headers), 'X-Content-Type-Options': [] });
    });
    expect([missing.failed, missing.said.includes('x-content-type-options')], missing.said).to.deep.equal([
      true,
      true,
    ]);
    const gone = await fuzz(thingRoutes(), (response) => response.destroy());
    expect(gone.failed).to.equal(true);
  });
});
