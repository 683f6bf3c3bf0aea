/** `ETag`, `If-Match` and `If-None-Match` of every operation that the document says has them, and their refusal by every other. */
import { expect } from 'chai';
import type { Reply } from '../../support/http.ts';
import { filledIn } from './named.ts';
import type { Operation } from './operations.ts';
import { acme, type MatrixWorld, openMatrixWorld } from './world.ts';

/** As it was shown before anything that can be asked about now. */
const outdated = '"0-old.1234567890123456789012"';

describe('every operation on a condition', () => {
  let world: MatrixWorld;
  before(async function () {
    this.timeout(60_000);
    world = await openMatrixWorld();
  });
  after(() => world.server.stop());

  async function send(operation: Operation, headers: Readonly<Record<string, string>>, method?: string) {
    const { path } = filledIn(operation.path, 'own', world.things);
    const { body } = operation;
    await world.server.settle();
    return world.server.call(method ?? operation.method, path, {
      headers: { ...world.people.PlatformAdmin.headers, ...headers },
      ...(body ? { body: 'tenantId' in body ? { ...body, tenantId: acme } : body } : {}),
    });
  }
  const codeIn = ({ body }: Reply) => (body as { readonly error: { readonly code: string } }).error.code;
  const fieldsIn = ({ body }: Reply) => JSON.stringify((body as { readonly error: object }).error);

  async function storingNothing(act: () => Promise<void>): Promise<void> {
    const { eventStore } = world.server.server.ports;
    await world.server.settle();
    const head = await eventStore.head();
    await act();
    expect(await eventStore.head()).to.equal(head);
  }

  const reads = () => world.operations.filter(({ method }) => method === 'GET');
  const changes = () =>
    world.operations.filter(({ method, permission }) => method !== 'GET' && permission !== null);

  it('reads of one thing are compared with what the caller has', async () => {
    const compared = reads().filter(({ responses }) => '304' in responses);
    expect(compared.map(({ name }) => name)).to.include.members([
      'GET /api/v1/plugins/{pluginId}',
      'GET /api/v1/plugins/{pluginId}/versions/{version}',
      'GET /api/v1/tenants/{tenantId}',
      'GET /api/v1/users/{userId}',
      'GET /api/v1/plugin-deployments/{deploymentId}',
      'GET /api/v1/plugin-deployments/{deploymentId}/health',
      'GET /api/webhooks/{webhookId}',
      'GET /api/openapi.json',
    ]);
    for (const operation of compared) {
      const first = await send(operation, {});
      const tag = first.headers.get('etag') ?? '';
      expect([first.status, tag.slice(0, 1)], operation.name).to.deep.equal([200, '"']);
      expect(operation.headers, operation.name).to.include.members(['If-Match', 'If-None-Match']);
      const again = await send(operation, { 'If-None-Match': tag });
      expect([again.status, again.body], operation.name).to.deep.equal([304, null]);
      const head = await send(operation, {}, 'HEAD');
      expect([head.status, head.headers.get('etag')], operation.name).to.deep.equal([200, tag]);
      const other = await send(operation, { 'If-Match': outdated });
      expect([other.status, codeIn(other)], operation.name).to.deep.equal([412, 'PRECONDITION_FAILED']);
      expect((await send(operation, { 'If-None-Match': 'nonsense' })).status, operation.name).to.equal(400);
    }
  });

  it('changes of one thing are done to what the caller has seen alone', async () => {
    const conditional = changes().filter(({ headers }) => headers.includes('If-Match'));
    expect(conditional).to.have.length.greaterThan(15);
    for (const operation of conditional)
      await storingNothing(async () => {
        const other = await send(operation, { 'If-Match': outdated });
        expect([other.status, codeIn(other)], `${operation.name}: ${fieldsIn(other)}`).to.deep.equal([
          ...[412, 'PRECONDITION_FAILED'],
        ]);
        expect(fieldsIn(other), operation.name).to.include('If-Match').and.to.include('Read it again');
        const bad = await send(operation, { 'If-Match': 'nonsense' });
        expect([bad.status, codeIn(bad)], operation.name).to.deep.equal([400, 'VALIDATION_ERROR']);
        expect(fieldsIn(bad), operation.name).to.include('If-Match');
      });
  });

  it('changes that are not compared with anything are not done on a condition', () =>
    storingNothing(async () => {
      for (const operation of changes())
        for (const field of ['If-Match', 'If-None-Match'] as const) {
          if (operation.headers.includes(field)) continue;
          const reply = await send(operation, { [field]: '*' });
          // What only agents may do.
          if (reply.status === 403) continue;
          expect([reply.status, codeIn(reply)], operation.name).to.deep.equal([400, 'VALIDATION_ERROR']);
          expect(fieldsIn(reply), operation.name).to.include(`${field} is not compared by this`);
        }
    }));
});
