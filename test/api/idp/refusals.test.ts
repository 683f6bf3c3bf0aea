/** In which words the IDP's face refuses (decisions 14, 16), on every route that the server describes. */
import { expect } from 'chai';
import { IdpErrorBody } from '../../../src/api/idp/errors.ts';
import type { Call } from '../../support/http.ts';
import { operationsOf, type Operation } from '../matrix/operations.ts';
import { expectIdpRefusal, isOfIdp, openIdp, type IdpServer } from './face.ts';

describe('refusals of the IDP over HTTP', () => {
  let idp: IdpServer;
  let operations: readonly Operation[];
  before(async () => {
    idp = await openIdp();
    const { body } = await idp.whole.call('GET', '/api/openapi.json');
    operations = operationsOf(body).filter(({ path }) => isOfIdp(path));
  });
  after(() => idp.close());

  const send = ({ method, path }: Pick<Operation, 'method' | 'path'>, call: Call = {}) =>
    idp.whole.call(method, path.replaceAll(/\{\w+\}/g, 'unknown'), call);

  it('are 401 without a token, and with one that does not hold', async () => {
    for (const operation of operations) {
      const raw = operation.method === 'GET' ? {} : { raw: '{' };
      const missing = await send(operation, raw);
      expectIdpRefusal(missing, 401, 'UNAUTHORIZED', []);
      expect(missing.headers.get('www-authenticate')).to.equal('Bearer');
      expectIdpRefusal(await send(operation, { ...raw, token: 'a.b.c' }), 401, 'AUTH_TOKEN_EXPIRED', []);
    }
  });

  it('are 405 with what a path allows, 404 for what no route answers, in the same format', async () => {
    const token = await idp.whole.asRole('PlatformAdmin');
    for (const path of new Set(operations.map((operation) => operation.path))) {
      const reply = await send({ method: 'PUT', path }, { token });
      expectIdpRefusal(reply, 405, 'METHOD_NOT_ALLOWED', []);
      const methods = operations.filter((other) => other.path === path).map(({ method }) => method);
      expect(reply.headers.get('allow')?.split(', ')).to.include.members(methods);
    }
    for (const path of ['/api', '/api/', '/api/v2/plugins', '/api/v1x', '/api/webhook', '/api/webhooks/a/b'])
      expectIdpRefusal(await idp.whole.call('GET', path, { token }), 404, 'NOT_FOUND', []);
  });
});

describe('limits of the IDP', () => {
  it('are a thousand an hour of each endpoint, told with every answer, and end as the document shows', async () => {
    const idp = await openIdp({ SLIPWAY_RATE_LIMITS: 'on' });
    try {
      const token = await idp.whole.asRole('PlatformAdmin');
      const ask = () => idp.whole.call('GET', '/api/webhooks', { token });
      const first = await ask();
      const rate = (name: string) => Number(first.headers.get(`x-ratelimit-${name}`));
      expect([rate('limit'), rate('remaining'), rate('reset-after')]).to.deep.equal([1_000, 999, 3_600]);
      const reset = idp.whole.clock.now() + 3_600_000;
      expect(rate('reset')).to.equal(reset / 1_000);
      for (let count = 1; count < 1_000; count += 1) expect((await ask()).status).to.equal(200);
      const refused = await ask();
      expect([refused.status, refused.headers.get('retry-after')]).to.deep.equal([429, '3600']);
      expect(IdpErrorBody.parse(refused.body)).to.deep.equal({
        error: {
          code: 'RATE_LIMIT_EXCEEDED',
          message: 'That was too often; try again in 3600 seconds',
          retryAfter: 3_600,
          limit: 1_000,
          reset: new Date(reset).toISOString(),
        },
      });
    } finally {
      await idp.close();
    }
  });
});
