import { expect } from 'chai';
import { withServer } from '../../support/http.ts';
import { example, here } from './example.ts';

describe('a request through the HTTP kernel', () => {
  it('reaches its handler with what the schemas made of it', async () => {
    await withServer(example().app, async ({ call }) => {
      const made = await call('POST', '/api/v1/things', { token: 'writer', body: { name: 'lamp' } });
      expect(made.status).to.equal(201);
      expect(made.headers.get('content-type')).to.equal('application/json; charset=utf-8');
      expect(made.headers.get('x-position')).to.equal(here);
      expect(made.body).to.deep.include({
        name: 'lamp',
        by: 'usr_writer',
        actor: { id: 'usr_writer', face: 'plugin-manager' },
      });

      const listed = await call('GET', '/api/v1/things?limit=5&tags=a%2Cb+c', { token: 'reader' });
      expect(listed.body).to.deep.equal({ limit: 5, offset: 0, tags: 'a,b c' });
      const shown = await call('GET', '/api/v1/things/%40scope%2Flamp', { token: 'reader' });
      expect(shown.body).to.deep.equal({ name: '@scope/lamp' });
    });
  });
});
