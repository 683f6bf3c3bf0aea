/**
 * Every operation of the OpenAPI document × what its body must not say ("Nobody gets in" 4): unknown fields, at every depth, and
 * `tenantId`, `role`, `status` and the like where nobody may choose them. Generated: a new route that lets its caller choose one
 * fails here until somebody has said so.
 */
import { expect } from 'chai';
import { z } from 'zod';
import { expectIdpRefusal, isOfIdp } from '../idp/face.ts';
import { expectRefusal } from '../plugin-manager/whole-server.ts';
import { filledIn } from './named.ts';
import type { Operation } from './operations.ts';
import { type MatrixWorld, openMatrixWorld } from './world.ts';

/** Who may choose what, in which bodies. Whether the chosen one is theirs to choose, the handlers say. */
const mayChoose: ReadonlyMap<string, readonly string[]> = new Map([
  ['tenantId', ['POST /api/v1/plugin-deployments', 'POST /api/v1/tenants', 'POST /api/v1/users']],
  ['role', ['POST /api/v1/users', 'PATCH /api/v1/users/{userId}']],
  ['status', ['PATCH /api/v1/tenants/{tenantId}']],
  // Of a plugin: what it asks for, a text like any other.
  ['permissions', ['POST /api/v1/api-keys', 'POST /api/v1/plugins', 'PATCH /api/v1/plugins/{pluginId}']],
  ['disabled', ['PATCH /api/v1/users/{userId}']],
]);
/** Nobody's choice anywhere. */
const never = [
  'id',
  'userId',
  'owner',
  'ownerTenant',
  'createdAt',
  'createdBy',
  'position',
  'revision',
  'isAdmin',
  'constructor',
];

const Schema = z.looseObject({
  $ref: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  items: z.unknown().optional(),
});
const Document = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        requestBody: z
          .object({ content: z.record(z.string(), z.object({ schema: z.unknown() })) })
          .optional(),
      }),
    ),
  ),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});
type Document = z.infer<typeof Document>;

describe('every body, with more in it than it takes', () => {
  let world: MatrixWorld;
  let document: Document;
  before(async function () {
    this.timeout(60_000);
    world = await openMatrixWorld();
    document = Document.parse((await world.server.call('GET', '/api/openapi.json')).body);
  });
  after(() => world.server.stop());

  const writes = () => world.operations.filter(({ method }) => method !== 'GET');

  function resolved(schema: unknown): z.infer<typeof Schema> {
    const parsed = Schema.parse(schema ?? {});
    return parsed.$ref === undefined
      ? parsed
      : resolved(document.components.schemas[parsed.$ref.replace('#/components/schemas/', '')]);
  }
  function schemaOf({ method, path }: Operation): unknown {
    return document.paths[path]?.[method.toLowerCase()]?.requestBody?.content['application/json']?.schema;
  }

  /** Sends the example with more in it, as who may do everything. */
  async function refusesMore(operation: Operation, body: object, field: string): Promise<void> {
    const { path } = filledIn(operation.path, 'own', world.things);
    const headers = operation.permission === null ? {} : world.people.PlatformAdmin.headers;
    const reply = await world.server.call(operation.method, path, { headers, body });
    const told = `${operation.name} with ${field}: ${JSON.stringify(reply.body)}`;
    expect(reply.status, told).to.equal(400);
    if (isOfIdp(operation.path)) expectIdpRefusal(reply, 400, 'VALIDATION_ERROR', [field]);
    else expectRefusal(reply, 400, 'VALIDATION_ERROR', [field]);
  }

  /** @returns the example with one member more in each object of known members, and what the refusal will call that member */
  function withMore(
    example: unknown,
    schema: unknown,
    at = '',
  ): readonly (readonly [body: object, field: string])[] {
    const { properties, items } = resolved(schema);
    if (Array.isArray(example))
      return example.flatMap((one: unknown, index) =>
        withMore(one, items, `${at}[${index}]`).map(
          ([more, field]) => [example.with(index, more), field] as const,
        ),
      );
    if (typeof example !== 'object' || example === null || !properties) return [];
    const within = Object.entries(example).flatMap(([name, value]) =>
      withMore(value, properties[name], at === '' ? name : `${at}.${name}`).map(
        ([more, field]) => [{ ...example, [name]: more }, field] as const,
      ),
    );
    return [[{ ...example, colour: 'red' }, at === '' ? 'colour' : `${at}.colour`], ...within];
  }

  async function storingNothing(act: () => Promise<void>): Promise<void> {
    const { eventStore } = world.server.server.ports;
    await world.server.settle();
    const head = await eventStore.head();
    await act();
    expect(await eventStore.head()).to.equal(head);
  }

  it('is refused for a field that nobody knows, however deep', () =>
    storingNothing(async () => {
      let deep = 0;
      for (const operation of writes()) {
        const example = operation.body ?? {};
        const schema = operation.body ? schemaOf(operation) : { properties: {} };
        const bodies = withMore(example, schema);
        expect(bodies, `${operation.name} takes anything`).not.to.have.length(0);
        for (const [body, field] of bodies) {
          if (field.includes('.')) deep += 1;
          await refusesMore(operation, body, field);
        }
      }
      expect(deep).to.be.greaterThan(10);
    }));

  it('is refused for what its caller must not choose', () =>
    storingNothing(async () => {
      for (const operation of writes()) {
        const known = Object.keys(resolved(schemaOf(operation)).properties ?? {});
        for (const name of [...mayChoose.keys(), ...never]) {
          const isChosen = mayChoose.get(name)?.includes(operation.name) === true;
          expect(
            known.includes(name),
            `${operation.name} lets its caller choose ${name}: say so in this test`,
          ).to.equal(isChosen);
          if (!isChosen) await refusesMore(operation, { ...operation.body, [name]: 'platform' }, name);
        }
      }
    }));
});
