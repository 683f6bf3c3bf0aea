/** Configurations and the schemas of versions, over HTTP (decisions 3, 14, 26). */
import { expect } from 'chai';
import { plugin } from '../../../src/domain/plugin.ts';
import { createAcme } from '../../fixtures/plugin-manager.ts';
import { someContext } from '../../commands/support.ts';
import type { Reply } from '../../support/http.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from './whole-server.ts';

const schema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  required: ['apiKey'],
  additionalProperties: false,
  properties: {
    apiKey: { type: 'string', pattern: '^sk_', minLength: 20 },
    hosts: { type: 'array', items: { type: 'string', format: 'hostname' } },
  },
};
const secrets = { apiKey: '${secret:mail-key}', hosts: ['a.example', '${secret:inner}.example'] };

describe('configurations over HTTP', () => {
  let server: WholeServer;
  before(async () => {
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    expect((await register('mailer', schema)).status).to.equal(201);
    expect((await register('anything')).status).to.equal(201);
  });
  after(() => server.stop());

  let plugins = 0;
  const register = (pluginId: string, configurationSchema?: unknown): Promise<Reply> =>
    server.ask('PluginDeveloper', 'POST', '/plugins', {
      ...{ pluginId, name: pluginId, category: 'PaymentGateway' },
      version: {
        ...{ semanticVersion: '1.0.0', state: 'Stable', runtime: { type: 'NodeJs' } },
        ...(configurationSchema === undefined ? {} : { configurationSchema: textOf(configurationSchema) }),
      },
    });
  const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  const deploy = (configuration?: unknown, more: object = {}): Promise<Reply> =>
    server.ask('TenantAdmin', 'POST', '/plugin-deployments', {
      ...{ pluginId: 'mailer', pluginVersion: '1.0.0', tenantId: acmeId, environment: 'Production' },
      ...(configuration === undefined ? {} : { configuration }),
      ...more,
    });

  it('need a schema that can be used', async () => {
    const bad = [
      ...['{"type":', '{"a":1,"a":2}', '{"properties":{"__proto__":{}}}', '{"minLength":1e400}', '"x"'],
      ...[{ type: 'strin' }, { $ref: 'https://schemas.example/a.json' }, { $ref: '#/definitions/none' }],
      ...[{ $schema: 'http://json-schema.org/draft-03/schema#' }, { properties: { a: { pattern: '(' } } }],
      ...[{ properties: { a: { pattern: '^(?=a)' } } }, { $ref: '#' }, { $async: true }],
    ];
    for (const configurationSchema of bad) {
      const reply = await register(`bad-${(plugins += 1)}`, configurationSchema);
      const error = expectRefusal(reply, 400, 'VALIDATION_ERROR', ['version.configurationSchema']);
      expect(error.message, textOf(configurationSchema)).not.to.match(/undefined|Error|node_modules|\bat /);
    }
    expectRefusal(await server.ask('Viewer', 'GET', '/plugins/bad-1'), 404, 'NOT_FOUND');
  });

  it('are refused with the path of what breaks the schema', async () => {
    const table: readonly (readonly [configuration: unknown, ...fields: string[]])[] = [
      [undefined, 'configuration.apiKey'],
      [{}, 'configuration.apiKey'],
      [{ apiKey: 7 }, 'configuration.apiKey'],
      [{ apiKey: 'pk_123456789012345678' }, 'configuration.apiKey'],
      [{ ...secrets, more: 1 }, 'configuration.more'],
      [{ ...secrets, hosts: ['ok', 'not a host', 7] }, 'configuration.hosts[1]', 'configuration.hosts[2]'],
      [{ ...secrets, hosts: '${secret:hosts}' }, 'configuration.hosts'],
      [{ apiKey: '${secret:}' }, 'configuration.apiKey'],
    ];
    for (const [configuration, ...fields] of table)
      expectRefusal(await deploy(configuration), 400, 'VALIDATION_ERROR', fields);
    const { body } = await server.ask('TenantAdmin', 'GET', '/plugin-deployments?pluginId=mailer');
    expect(body).to.include({ total: 0 });
  });

  it('never come back in a refusal', async () => {
    const { body } = await deploy({ apiKey: 'hunter2-is-my-password' });
    expect(JSON.stringify(body)).to.include('configuration.apiKey').and.not.to.include('hunter2');
  });

  it('are judged after what is missing or suspended, and before conflicts', async () => {
    const wrong = { apiKey: 7 };
    expectRefusal(await deploy(wrong, { pluginVersion: '9.9.9' }), 404, 'NOT_FOUND');
    await server.ask('PlatformAdmin', 'PATCH', `/tenants/${acmeId}`, { status: 'Suspended' });
    expectRefusal(await deploy(wrong), 403, 'FORBIDDEN');
    await server.ask('PlatformAdmin', 'PATCH', `/tenants/${acmeId}`, { status: 'Active' });
    await server.deploy({
      ...{ pluginId: 'mailer', pluginVersion: '1.0.0', tenantId: acmeId, environment: 'Busy' },
      configuration: secrets,
    });
    expectRefusal(await deploy(wrong, { environment: 'Busy' }), 400, 'VALIDATION_ERROR');
    expectRefusal(await deploy(secrets, { environment: 'Busy' }), 409, 'CONFLICT');
  });

  it('may refer to secrets wherever a string is wanted, and stay as they were written', async () => {
    const accepted = await deploy(secrets, { environment: 'Staging' });
    expect(accepted.status, JSON.stringify(accepted.body)).to.equal(202);
    const { deploymentId } = accepted.body as { deploymentId: string };
    const { eventStore } = server.server.ports;
    const [requested] = await eventStore.readStream(`deployment-${deploymentId}`, { limit: 1 });
    expect(requested?.data).to.have.deep.property('configuration', secrets);
    const shown = await server.ask('TenantAdmin', 'GET', `/plugin-deployments/${deploymentId}`);
    expect(shown.body).to.have.deep.property('configuration', secrets);
  });

  it('may be anything where the version has no schema', async () => {
    for (const [environment, configuration] of [
      ['A', undefined],
      ['B', { any: [1, 'thing', null] }],
    ] as const)
      expect((await deploy(configuration, { pluginId: 'anything', environment })).status).to.equal(202);
  });

  it('cannot be given to a version that an older server let in with a broken schema, which is said', async () => {
    const { executor } = server.server.platform;
    await register('legacy');
    for (const [semanticVersion, configurationSchema] of [
      ['2.0.0', { type: 'strin' }],
      ['3.0.0', 'text'],
      ['4.0.0', { $ref: 'https://schemas.example/a.json' }],
    ] as const) {
      const { state } = await executor.load(plugin, 'legacy');
      const version = state && 'versions' in state ? state.versions[0]! : expect.fail('it is not there');
      await executor.execute({
        ...{ aggregate: plugin, id: 'legacy', tenant: null },
        context: someContext(),
        decide: () => [
          { type: 'VersionPublished', data: { ...version, semanticVersion, configurationSchema } } as const,
        ],
      });
      const reply = await deploy({}, { pluginId: 'legacy', pluginVersion: semanticVersion });
      const { message } = expectRefusal(reply, 400, 'VALIDATION_ERROR', ['pluginVersion']);
      expect(message).to.include('another version');
    }
  });
});
