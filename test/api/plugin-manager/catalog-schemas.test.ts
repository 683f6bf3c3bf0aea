import { expect } from 'chai';
import { z } from 'zod';
import * as plugins from '../../../src/api/plugin-manager/plugin-schemas.ts';
import * as tenants from '../../../src/api/plugin-manager/tenant-schemas.ts';
import { createAcme, registerStripe } from '../../fixtures/plugin-manager.ts';

describe('Bodies of the Plugin Manager API', () => {
  const register = (version: object) =>
    plugins.RegisterPluginBody.safeParse({
      ...registerStripe,
      version: { ...registerStripe.version, ...version },
    });
  const pathsOf = (error: z.ZodError | undefined) => error?.issues.map(({ path }) => path.join('.'));

  it('are taken as the document shows them', () => {
    const { version } = plugins.RegisterPluginBody.parse(registerStripe);
    expect(version.configurationSchema).to.deep.equal({
      type: 'object',
      properties: { apiKey: { type: 'string' } },
    });
    expect(tenants.CreateTenantBody.parse(createAcme).namespace).to.equal('acme-prod');
  });

  it('name a configuration schema that is no JSON, no schema, too long or too deep', () => {
    for (const configurationSchema of [
      '{',
      '"object"',
      '[1]',
      `"${' '.repeat(65_536)}"`,
      '['.repeat(60_000),
      1,
    ]) {
      expect(pathsOf(register({ configurationSchema }).error)).to.deep.equal(['version.configurationSchema']);
    }
    const deep = '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000);
    expect(pathsOf(register({ configurationSchema: deep }).error)).to.deep.equal([
      'version.configurationSchema',
    ]);
  });

  it('can be described: every example is a body, every schema a JSON Schema', () => {
    for (const body of [plugins.RegisterPluginBody, tenants.CreateTenantBody]) {
      expect(body.safeParse(body.meta()?.['example']).error).to.equal(undefined);
    }
    for (const schema of [
      plugins.RegisterPluginBody,
      plugins.ListPluginsQuery,
      tenants.CreateTenantBody,
      tenants.ListTenantsQuery,
    ]) {
      expect(() => z.toJSONSchema(schema, { io: 'input' })).not.to.throw();
    }
    for (const schema of [
      plugins.PluginListAnswer,
      plugins.PluginDetailsAnswer,
      plugins.PluginVersionAnswer,
      tenants.TenantDetailsAnswer,
    ]) {
      expect(() => z.toJSONSchema(schema)).not.to.throw();
    }
  });

  it('read queries strictly', () => {
    expect(plugins.ListPluginsQuery.parse({ tags: 'a, b,,', limit: '5' })).to.deep.equal({
      tags: ['a', 'b'],
      limit: 5,
      offset: 0,
    });
    for (const wrong of [
      { limit: '0' },
      { limit: '101' },
      { limit: '1e1' },
      { offset: '-1' },
      { status: 'Odd' },
      { page: '1' },
    ]) {
      expect(plugins.ListPluginsQuery.safeParse(wrong).success, JSON.stringify(wrong)).to.equal(false);
    }
  });
});
