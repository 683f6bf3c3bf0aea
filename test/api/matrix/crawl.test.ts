/** What one tenant keeps to itself is seen by no other, wherever they look ("Nobody gets in" 3): every question that the document lists. */
import { expect } from 'chai';
import type { Role } from '../../../src/domain/permissions.ts';
import type { Reply } from '../../support/http.ts';
import { filledIn } from './named.ts';
import type { Operation } from './operations.ts';
import { acme, globex, type MatrixWorld, openMatrixWorld, secretsOfAcme } from './world.ts';

const secrets = Object.values(secretsOfAcme);

describe('a crawl through everything that can be asked', () => {
  let world: MatrixWorld;
  before(async function () {
    this.timeout(60_000);
    world = await openMatrixWorld();
  });
  after(() => world.server.stop());

  /** Everything about whatever, with each parameter by itself: as the document shows it, and as who knows what to look for. */
  function pathsOf({ path, query }: Operation): readonly string[] {
    const plain = (['own', 'other', 'unknown'] as const).map(
      (whose) => filledIn(path, whose, world.things).path,
    );
    const required = query
      .filter((one) => one.required)
      .map(({ name, example }) => [name, example ?? ''] as const);
    const asked = query.flatMap(({ name, example }) =>
      [example ?? '', acme, 'Production', ...secrets].map((value) => [name, value] as const),
    );
    return [...new Set(plain)].flatMap((one) =>
      [null, ...asked].map((pair) => {
        const parameters = new Map<string, string>([...required, ...(pair ? [pair] : [])]);
        return parameters.size === 0 ? one : `${one}?${new URLSearchParams([...parameters]).toString()}`;
      }),
    );
  }

  /** @returns which secrets an answer shows that nobody typed */
  function seenIn(typed: string, { headers, body }: Reply): readonly string[] {
    const text = JSON.stringify([...headers]) + JSON.stringify(body);
    return secrets.filter((secret) => text.includes(secret) && !decodeURIComponent(typed).includes(secret));
  }

  async function seenBy(role: Role, tenant: string): Promise<ReadonlyMap<string, string>> {
    const token = await world.server.asRole(role, tenant);
    const seen = new Map<string, string>();
    for (const operation of world.operations.filter(({ method }) => method === 'GET'))
      for (const path of pathsOf(operation)) {
        const reply = await world.server.call('GET', path, { token });
        for (const secret of seenIn(path, reply)) seen.set(secret, path);
      }
    return seen;
  }

  it('shows the tenant itself all that is its own', async () => {
    expect([...(await seenBy('TenantAdmin', acme)).keys()]).to.have.members(secrets);
  });

  for (const [role, tenant] of [
    ['TenantAdmin', globex],
    ['Viewer', globex],
    ['PluginDeveloper', globex],
    ['Viewer', acme],
  ] as const)
    it(`shows nothing of it to a ${role} of ${tenant}`, async () => {
      expect([...(await seenBy(role, tenant))]).to.deep.equal([]);
    });

  it('shows nothing of it to who repeats a request with its key, or writes to it', async () => {
    const ours = await world.server.asRole('TenantAdmin', acme);
    const theirs = await world.server.asRole('TenantAdmin', globex);
    const headers = { 'Idempotency-Key': 'of-acme' };
    for (const operation of world.operations.filter(({ method }) => method !== 'GET')) {
      const { path, named } = filledIn(operation.path, 'own', world.things);
      const { body } = operation;
      const call = {
        headers,
        ...(body ? { body: 'tenantId' in body ? { ...body, tenantId: acme } : body } : {}),
      };
      if (named.length === 0 && body !== null && 'tenantId' in body) {
        const first = await world.server.call(operation.method, path, { ...call, token: ours });
        expect(first.headers.get('idempotency-replayed')).to.equal(null);
      }
      if (named.length === 0 && !(body && 'tenantId' in body)) continue;
      const replayed = await world.server.call(operation.method, path, { ...call, token: theirs });
      expect(replayed.status, operation.name).to.be.within(400, 499);
      expect(replayed.headers.get('idempotency-replayed')).to.equal(null);
      expect(seenIn(path, replayed), operation.name).to.deep.equal([]);
    }
  });
});
