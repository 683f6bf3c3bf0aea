import { expect } from 'chai';
import { z } from 'zod';
import type { Answer } from '../../src/api/http/answer.ts';
import { route } from '../../src/api/http/route.ts';
import { openApiFace } from '../../src/api/openapi/face.ts';
import { pluginManagerFace } from '../../src/api/plugin-manager/face.ts';
import { example, testInfo } from '../api/http/example.ts';
import { createDescribedClient, withServer, type Call } from './http.ts';

const Lamp = z.object({
  name: z.string(),
  madeAt: z.iso.datetime(),
  shade: z.object({ colour: z.string() }),
});
const lamp = { name: 'lamp', madeAt: '2030-01-01T00:00:00.000Z', shade: { colour: 'red' } };

/** Asks for lamps, and is answered this. @returns what the described client says of it */
async function said(answer: Answer, call: Call = {}, path = '/api/v1/lamps'): Promise<string> {
  const shape = {
    method: 'POST',
    summary: 'Make a lamp',
    policy: 'public',
    body: z.any().meta({ type: 'object', properties: { name: { type: 'string' } } }),
    query: z.record(z.string(), z.string()),
    responses: { 200: Lamp, 204: null },
    handler: async () => answer,
  } as const;
  const lamps = route({ ...shape, path: '/lamps' });
  const hidden = route({ ...shape, path: '/hidden' });
  const face = pluginManagerFace([lamps]);
  const { app } = example([lamps, hidden], {}, [openApiFace([face], testInfo)]);
  return withServer(app, async ({ url }) => {
    const { call: ask } = await createDescribedClient(url);
    return ask('POST', path, call).then(
      () => 'nothing',
      (error: unknown) => String(error),
    );
  });
}

describe('a client of a server that describes itself', () => {
  it('lets pass what is described', async () => {
    expect(await said({ status: 200, body: lamp })).to.equal('nothing');
    expect(await said({ status: 204 }, { body: { name: 'lamp' } })).to.equal('nothing');
    expect(await said({ status: 200, body: lamp }, { raw: '{' })).to.equal('nothing');
    expect(await said({ status: 200 }, {}, '/api/v1/nowhere')).to.equal('nothing');
  });

  const faults: Readonly<Record<string, readonly [answer: Answer, call: Call, sentence: string]>> = {
    'a status': [{ status: 202, body: lamp }, {}, 'a status that is not described'],
    'a header': [{ status: 204, headers: { 'X-Lamp': '1' } }, {}, 'headers that are not described'],
    'a member more': [{ status: 200, body: { ...lamp, watts: 60 } }, {}, 'watts'],
    'a member more, inside': [
      { status: 200, body: { ...lamp, shade: { colour: 'red', size: 1 } } },
      {},
      '/shade must NOT have additional properties',
    ],
    'a member less': [{ status: 200, body: { ...lamp, name: undefined } }, {}, "required property 'name'"],
    'a time that is none': [{ status: 200, body: { ...lamp, madeAt: 'noon' } }, {}, 'format "date-time"'],
    'a body that is none': [{ status: 204, body: lamp }, {}, 'no body is described'],
    'no body': [{ status: 200 }, {}, 'expected null'],
    'a body that it should not have taken': [{ status: 204 }, { body: { watts: 60 } }, 'watts'],
  };
  for (const [what, [answer, call, sentence]] of Object.entries(faults))
    it(`finds ${what}`, async () => expect(await said(answer, call)).to.include(sentence));

  it('finds a route of which the document says nothing', async () => {
    expect(await said({ status: 200, body: lamp }, {}, '/api/v1/hidden')).to.include('is not described');
  });
});
