/** The server's own OpenAPI document: well-formed by a public linter, and its examples true. */
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { expect } from 'chai';
import { z } from 'zod';
import {
  createAcme,
  deployStripe,
  errorBody,
  registerStripe,
  responses,
} from '../../fixtures/plugin-manager.ts';
import { ErrorBody } from '../../../src/api/plugin-manager/errors.ts';
import { createValidator } from '../../support/api-description.ts';
import { startTestServer } from '../../support/server.ts';

const Schema = z.record(z.string(), z.unknown());
const Content = z.record(
  z.string(),
  z.object({
    schema: Schema.optional(),
    example: z.unknown().optional(),
    examples: z.record(z.string(), z.object({ value: z.unknown() })).default({}),
  }),
);
const Response = z.object({ $ref: z.string().optional(), content: Content.default({}) });
const Operation = z.object({
  operationId: z.string(),
  parameters: z.array(z.object({ name: z.string().optional(), schema: Schema.optional() })),
  requestBody: z.object({ content: Content }).optional(),
  responses: z.record(z.string(), Response),
});
const Document = z.object({
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({ schemas: Schema, responses: z.record(z.string(), Response) }),
});

const json = 'application/json';

describe("the server's OpenAPI document", () => {
  let source = '';
  let document: z.output<typeof Document>;
  before(async () => {
    const server = await startTestServer();
    const { body } = await server.call('GET', '/api/openapi.json');
    await server.stop();
    source = JSON.stringify(body);
    document = Document.parse(body);
  });

  const operations = () => Object.values(document.paths).flatMap((methods) => Object.values(methods));
  const operation = (id: string) => operations().find(({ operationId }) => operationId === id);

  it('passes the recommended rules of a public linter, without an error and without a warning', async () => {
    const config = await createConfig({ extends: ['recommended'] });
    const problems = await lintFromString({ source, absoluteRef: 'openapi.json', config });
    expect(
      problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
    ).to.deep.equal([]);
  });

  it('would not pass it with an operation that answers nothing and names a parameter that is not in its path', async () => {
    const config = await createConfig({ extends: ['recommended'] });
    const parameters = [{ name: 'lampId', in: 'path', required: true, schema: { type: 'string' } }];
    const broken = {
      ...JSON.parse(source),
      paths: { '/lamps': { get: { parameters, responses: {} } } },
    } as unknown;
    const problems = await lintFromString({
      source: JSON.stringify(broken),
      absoluteRef: 'openapi.json',
      config,
    });
    expect(problems.map(({ ruleId }) => ruleId)).to.include.members([
      'path-parameters-defined',
      'operation-operationId',
    ]);
  });

  it('shows only examples that are as it describes them', () => {
    const validator = createValidator(document.components.schemas);
    let shown = 0;
    const check = (schema: Record<string, unknown> | undefined, example: unknown, where: string): void => {
      if (example === undefined) return;
      const validate = validator(schema);
      expect(validate(example), `${where}: ${JSON.stringify(validate.errors)}`).to.equal(true);
      shown += 1;
    };
    const checkAll = (content: z.output<typeof Content>, where: string): void => {
      for (const { schema, example, examples } of Object.values(content))
        for (const one of [example, ...Object.values(examples).map(({ value }) => value)])
          check(schema, one, where);
    };
    for (const [name, { content }] of Object.entries(document.components.responses)) checkAll(content, name);
    for (const { operationId, parameters, requestBody, responses } of operations()) {
      for (const { name, schema } of parameters)
        for (const example of z.array(z.unknown()).default([]).parse(schema?.['examples']))
          check(schema, example, `${operationId} ${name}`);
      checkAll(requestBody?.content ?? {}, `the body of ${operationId}`);
      for (const [status, { content }] of Object.entries(responses))
        checkAll(content, `${operationId} ${status}`);
    }
    expect(shown).to.be.greaterThan(60);
  });

  it('shows an example of every body that it takes', () => {
    for (const { operationId, requestBody } of operations())
      if (requestBody) expect(requestBody.content[json]?.example, operationId).not.to.equal(undefined);
  });

  const documented: Readonly<Record<string, readonly [status: number, answer: object, body?: object]>> = {
    logIn: [200, responses.login, { username: 'admin@example.com', password: 'Admin123!' }],
    createPlugin: [201, responses.registered, registerStripe],
    listPlugins: [200, responses.plugins],
    getPlugin: [200, responses.plugin],
    getPluginVersion: [200, responses.version],
    createPluginDeployment: [202, responses.deployed, deployStripe],
    getPluginDeployment: [200, responses.deployment],
    listPluginDeployments: [200, responses.deployments],
    rollbackPluginDeployment: [202, responses.rolledBack, { reason: 'High error rate detected' }],
    getPluginDeploymentHealth: [200, responses.health],
    getPluginDeploymentHealthHistory: [200, responses.healthHistory],
    createTenant: [201, responses.tenantCreated, createAcme],
    listTenants: [200, responses.tenants],
    getTenant: [200, responses.tenant],
    listCapabilities: [200, responses.capabilities],
    listCapabilityPlugins: [200, responses.capabilityPlugins],
    listMarketplacePlugins: [200, responses.marketplace],
    searchMarketplace: [200, responses.search],
  };
  for (const [id, [status, answer, body]] of Object.entries(documented))
    it(`shows ${id} as the Plugin Manager's document does`, () => {
      const described = operation(id);
      expect(described?.responses[String(status)]?.content[json]?.example).to.containSubset(answer);
      if (body) expect(described?.requestBody?.content[json]?.example).to.deep.equal(body);
    });

  it('shows an example of every kind of refusal that one status stands for', () => {
    const { content } = document.components.responses['InvalidOrDependencyConflict']!;
    const codes = Object.values(content[json]!.examples).map(
      ({ value }) => ErrorBody.parse(value).error.code,
    );
    expect(codes).to.deep.equal(['VALIDATION_ERROR', 'DEPENDENCY_CONFLICT']);
  });

  it("shows an error as the Plugin Manager's document does", () => {
    expect(document.components.responses['Invalid']?.content[json]?.example).to.deep.equal(errorBody);
  });
});
