/**
 * What somebody writes who has nothing but the generated client: from the first login to a deployment that runs, and what is said when
 * something is wrong. Compiled and run by generated-client.test.ts, beside the types that it has generated.
 */
import createClient from 'openapi-fetch';
import type { components, paths } from './api.ts';

type Schemas = components['schemas'];

export interface Walked {
  readonly user: Schemas['LoggedIn']['user'];
  readonly plugin: Schemas['Plugin'];
  readonly page: Schemas['PluginPage'];
  readonly deployment: Schemas['Deployment'];
  readonly refusals: readonly Schemas['Error']['error']['code'][];
}

/** @param settle resolves when what was written can be read */
export async function walk(baseUrl: string, settle: () => Promise<void>): Promise<Walked> {
  const client = createClient<paths>({ baseUrl });
  const refusals: Schemas['Error']['error']['code'][] = [];

  async function logIn(username: string, password: string): Promise<Schemas['LoggedIn']> {
    const { data, error } = await client.POST('/api/v1/authentication/login', {
      body: { username, password },
    });
    if (!data) throw new Error(error.error.message);
    return data;
  }
  const as = ({ token }: Schemas['LoggedIn']) =>
    createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });

  const nobody = await client.GET('/api/v1/tenants');
  if (nobody.error) refusals.push(nobody.error.error.code);

  const admin = await logIn('admin@example.com', 'Admin123!');
  const platform = as(admin);
  const tenantId = 'tenant-acme-corp';
  const quotas = { maxPlugins: 20 };
  await platform.POST('/api/v1/tenants', { body: { tenantId, name: 'Acme Corporation', quotas } });
  for (const [email, role] of [
    ['developer@acme.example.com', 'PluginDeveloper'],
    ['tenant@acme.example.com', 'TenantAdmin'],
  ] as const) {
    const body = { email, role, tenantId, password: 'correct horse' };
    const { data } = await platform.POST('/api/v1/users', { body });
    if (data?.role !== role) throw new Error(`${email} was not made`);
  }

  const developer = as(await logIn('developer@acme.example.com', 'correct horse'));
  const version = { semanticVersion: '1.0.0', state: 'Stable', runtime: { type: 'DotNet8' } } as const;
  const published = await developer.POST('/api/v1/plugins', {
    params: { header: { 'Idempotency-Key': 'first' } },
    body: { pluginId: 'mail', name: 'Mail', tags: ['mail'], version },
  });
  if (!published.data) throw new Error(published.error.error.message);
  const { pluginId } = published.data;

  const wrong = await developer.POST('/api/v1/plugins', {
    // @ts-expect-error a version needs its runtime: the types know what the server would refuse
    body: { pluginId, name: 'Mail', version: { semanticVersion: '1.0.1' } },
  });
  if (wrong.error) refusals.push(wrong.error.error.code);
  const elsewhere = await developer.GET('/api/v1/plugin-deployments', { params: { query: { tenantId } } });
  if (elsewhere.error) refusals.push(elsewhere.error.error.code);

  await settle();
  const { data: page } = await developer.GET('/api/v1/plugins', {
    params: { query: { limit: 5, tags: 'mail' } },
  });
  const { data: plugin } = await developer.GET('/api/v1/plugins/{pluginId}', {
    params: { path: { pluginId } },
  });

  const tenant = as(await logIn('tenant@acme.example.com', 'correct horse'));
  const body = { pluginId, pluginVersion: '1.0.0', tenantId, environment: 'Production' };
  const { data: accepted } = await tenant.POST('/api/v1/plugin-deployments', { body });
  if (!accepted || !('deploymentId' in accepted)) throw new Error('the deployment was refused');
  const again = await tenant.POST('/api/v1/plugin-deployments', { body });
  if (again.error) refusals.push(again.error.error.code);
  await settle();
  const path = { deploymentId: accepted.deploymentId };
  const shown = await tenant.GET('/api/v1/plugin-deployments/{deploymentId}', { params: { path } });
  const missing = await tenant.GET('/api/v1/plugin-deployments/{deploymentId}', {
    params: { path: { deploymentId: 'dep-unknown' } },
  });
  if (missing.error) refusals.push(missing.error.error.code);

  if (!plugin || !page || !shown.data) throw new Error('what was written cannot be read');
  // @ts-expect-error nor do they know members that no answer has
  void plugin.colour;
  return { user: admin.user, plugin, page, deployment: shown.data, refusals };
}
