/**
 * Every operation of the OpenAPI document × who asks × whose thing it is about ("Nobody gets in" 2, decisions 7 and 8). Generated:
 * a new route, or a new parameter of one, fails here until somebody has said who may call it and what the parameter names.
 */
import { createSecretKey } from 'node:crypto';
import { expect } from 'chai';
import { decodeJwt, SignJWT } from 'jose';
import { Role } from '../../../src/domain/permissions.ts';
import type { Call, Reply } from '../../support/http.ts';
import { expectIdpRefusal, isOfIdp } from '../idp/face.ts';
import { acmeId, expectRefusal } from '../plugin-manager/whole-server.ts';
import { filledIn, type Whose } from './named.ts';
import type { Operation } from './operations.ts';
import { mayCall } from './roles.ts';
import { type Asker, globex, type MatrixWorld, nowhere, openMatrixWorld } from './world.ts';

const jwtSecret = 'a secret of the test, of at least 32 bytes';
const everyone: readonly Whose[] = ['own', 'other', 'unknown'];
const tenants: Readonly<Record<Whose, string>> = { own: acmeId, other: globex, unknown: nowhere };
const crossesTenants = (role: Role): boolean => role === 'PlatformAdmin';

/** In the format of the operation's face. */
function expectRefused(
  { path }: Operation,
  reply: Reply,
  kind: 'Forbidden' | 'Invalid',
  fields?: readonly string[],
): void {
  const status = kind === 'Forbidden' ? 403 : 400;
  if (isOfIdp(path))
    expectIdpRefusal(reply, status, kind === 'Forbidden' ? 'PERMISSION_DENIED' : 'VALIDATION_ERROR', fields);
  else expectRefusal(reply, status, kind === 'Forbidden' ? 'FORBIDDEN' : 'VALIDATION_ERROR', fields);
}

describe('every operation, whoever asks about whatever', () => {
  let world: MatrixWorld;
  before(async function () {
    this.timeout(60_000);
    world = await openMatrixWorld({ JWT_SECRET: jwtSecret });
  });
  after(() => world.server.stop());

  const closed = () => world.operations.filter(({ permission }) => permission !== null);
  const rolesOf = ({ name }: Operation): readonly Role[] => {
    const roles = mayCall[name];
    return typeof roles === 'object' ? roles : [];
  };
  const reach = (operation: Operation) => filledIn(operation.path, 'own', world.things).named;

  /** The request of the document, about that. */
  function requestOf(
    operation: Operation,
    whose: Whose,
  ): { readonly path: string; readonly body: object | null } {
    const required = operation.query.flatMap(({ name, required, example }) =>
      required ? [`${name}=${encodeURIComponent(example ?? '')}`] : [],
    );
    const { path } = filledIn(operation.path, whose, world.things);
    const { body } = operation;
    return {
      path: required.length > 0 ? `${path}?${required.join('&')}` : path,
      body: body && 'tenantId' in body ? { ...body, tenantId: tenants[whose] } : body,
    };
  }

  async function send(operation: Operation, whose: Whose, who: Partial<Asker>, query = ''): Promise<Reply> {
    const { path, body } = requestOf(operation, whose);
    const call: Call = { headers: who.headers ?? {}, ...(body ? { body } : {}) };
    const separator = path.includes('?') ? '&' : '?';
    return world.server.call(operation.method, query === '' ? path : path + separator + query, call);
  }

  /** A parameter that no operation has: who is told so has passed everything that comes before the handler. */
  const probe = 'no-such-parameter=1';

  async function storingNothing(act: () => Promise<void>): Promise<void> {
    const { eventStore } = world.server.server.ports;
    await world.server.settle();
    const head = await eventStore.head();
    await act();
    expect(await eventStore.head()).to.equal(head);
  }

  /** All that the asker can tell apart: without times, ids of the request and what was typed. */
  function told(operation: Operation, whose: Whose, { status, headers, body }: Reply): string {
    const typed = [
      tenants[whose],
      ...filledIn(operation.path, whose, world.things).named.map((one) => one[whose]),
    ];
    const kept = [...headers].filter(([name]) => !/^(x-correlation-id|date|x-ratelimit-[\w-]+)$/.test(name));
    const text = JSON.stringify({ status, headers: kept, body });
    const blank = typed.reduce((blanked, one) => blanked.replaceAll(one, '…'), text);
    return blank.replaceAll(/"(traceId|requestId|timestamp)":"[^"]*"/g, '"$1":"…"');
  }

  it('has a line for every route, and none for others', () => {
    expect(world.operations.map(({ name }) => name)).to.have.members(Object.keys(mayCall));
    for (const { name, permission } of world.operations)
      expect(permission === null, `${name} is public`).to.equal(mayCall[name] === 'nobody needs to log in');
    for (const { name, takesBody, body } of world.operations)
      expect(takesBody, `${name} shows no example of its body`).to.equal(body !== null);
  });

  it('tells in its description the roles that may call it', () => {
    for (const operation of closed())
      expect(operation.roles, operation.name).to.have.members(rolesOf(operation));
  });

  it('knows what every parameter names', () => {
    for (const operation of world.operations) expect(() => reach(operation)).not.to.throw();
  });

  it('is closed to nobody in particular, and to whose time is over, whatever it is about', () =>
    storingNothing(async () => {
      const authorization = world.people.PlatformAdmin.headers['Authorization'] ?? '';
      const claims = decodeJwt(authorization.replace('Bearer ', ''));
      const exp = Math.floor(world.server.clock.now() / 1000) - 1;
      const sign = (more: object) =>
        new SignJWT({ ...claims, ...more })
          .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
          .sign(createSecretKey(Buffer.from(jwtSecret)));
      const good = await world.server.call('GET', '/api/v1/users/me', { token: await sign({}) });
      expect(good.status).to.equal(200);
      const expired = { headers: { Authorization: `Bearer ${await sign({ exp })}` } };
      for (const operation of closed())
        for (const who of [{}, expired]) {
          const answers = new Set<string>();
          for (const whose of everyone) {
            const reply = await send(operation, whose, who);
            expect(reply.status, operation.name).to.equal(401);
            answers.add(told(operation, whose, reply));
          }
          expect([...answers], operation.name).to.have.length(1);
        }
    }));

  it('is closed to every other role, whatever it is about', () =>
    storingNothing(async () => {
      for (const operation of closed())
        for (const role of Role.options.filter((one) => !rolesOf(operation).includes(one))) {
          const answers = new Set<string>();
          for (const whose of everyone) {
            const reply = await send(operation, whose, world.people[role]);
            expectRefused(operation, reply, 'Forbidden', []);
            answers.add(told(operation, whose, reply));
          }
          expect([...answers], `${role}: ${operation.name}`).to.have.length(1);
        }
    }));

  it('is open to its roles about what is theirs, and to who crosses tenants about what is others’', () =>
    storingNothing(async () => {
      for (const operation of closed())
        for (const role of rolesOf(operation))
          for (const whose of crossesTenants(role) ? (['own', 'other'] as const) : (['own'] as const)) {
            const probed = await send(operation, whose, world.people[role], probe);
            expect(probed.status, `${role}: ${operation.name}`).to.equal(400);
            expectRefused(operation, probed, 'Invalid', ['no-such-parameter']);
            if (operation.method !== 'GET') continue;
            const { status, body } = await send(operation, whose, world.people[role]);
            expect(status, `${role}: ${operation.name}, ${whose}: ${JSON.stringify(body)}`).to.equal(200);
          }
    }));

  it('tells another tenant’s from nobody’s to nobody but who crosses tenants', () =>
    storingNothing(async () => {
      let compared = 0;
      for (const operation of closed()) {
        const namesTenant = operation.body !== null && 'tenantId' in operation.body;
        const isHidden = reach(operation).some(({ visible }) => !visible) || namesTenant;
        if (!isHidden) continue;
        for (const role of rolesOf(operation).filter((one) => !crossesTenants(one))) {
          const other = await send(operation, 'other', world.people[role]);
          const unknown = await send(operation, 'unknown', world.people[role]);
          expect(other.status, `${role}: ${operation.name}`).to.be.oneOf([403, 404]);
          expect(told(operation, 'other', other)).to.equal(told(operation, 'unknown', unknown));
          compared += 1;
        }
      }
      expect(compared).to.be.greaterThan(5);
    }));

  it('tells who crosses tenants, and everybody about what all see, what does not exist', () =>
    storingNothing(async () => {
      for (const operation of closed()) {
        const named = reach(operation);
        if (named.length === 0) continue;
        for (const role of rolesOf(operation)) {
          if (!crossesTenants(role) && !named.every(({ visible }) => visible)) continue;
          const reply = await send(operation, 'unknown', world.people[role]);
          expect(reply.status, `${role}: ${operation.name}: ${JSON.stringify(reply.body)}`).to.equal(404);
        }
      }
    }));

  it('would notice a status, a header or a word that tells them apart', async () => {
    const operation = closed().find(({ path }) => path.endsWith('/{deploymentId}'));
    if (!operation) throw new Error('deployments are not shown any more');
    const reply = await send(operation, 'other', world.people.TenantAdmin);
    const headers = new Headers(reply.headers);
    headers.set('X-Stale', 'true');
    const body = JSON.parse(JSON.stringify(reply.body).replace('There is no', 'You may not see')) as unknown;
    const tells = (changed: Partial<Reply>) => told(operation, 'other', { ...reply, ...changed });
    const faults = [tells({ status: 403 }), tells({ headers }), tells({ body })];
    expect(new Set([tells({}), ...faults])).to.have.property('size', 4);
  });

  it('does not tell in a query what it does not tell in a path', async () => {
    const asking = closed().filter(({ query }) => query.some(({ name }) => name === 'tenantId'));
    expect(asking).not.to.have.length(0);
    for (const operation of asking)
      for (const role of rolesOf(operation).filter((one) => !crossesTenants(one))) {
        const ask = async (whose: Whose) =>
          send(operation, whose, world.people[role], `tenantId=${tenants[whose]}`);
        expect((await ask('own')).status).to.equal(200);
        const [other, unknown] = [await ask('other'), await ask('unknown')];
        expect(other.status, operation.name).to.equal(403);
        expect(told(operation, 'other', other)).to.equal(told(operation, 'unknown', unknown));
      }
  });

  it('lets a program do what its key may, and nothing else that its user may', () =>
    storingNothing(async () => {
      for (const operation of closed())
        for (const role of rolesOf(operation)) {
          const reply = await send(operation, 'own', world.programs[role], probe);
          if (operation.permission === world.keyPermission) expectRefused(operation, reply, 'Invalid');
          else expectRefused(operation, reply, 'Forbidden', []);
        }
    }));
});
