/** A server with two tenants that have the same things, and everybody who may ask. */
import { expect } from 'chai';
import { TestedAnswer, WebhookWithSecretAnswer } from '../../../src/api/idp/webhook-schemas.ts';
import { CreatedApiKeyAnswer, UserAnswer } from '../../../src/api/plugin-manager/user-schemas.ts';
import { DeployedAnswer, DeploymentAnswer } from '../../../src/api/plugin-manager/deployment-schemas.ts';
import { permissionsOf, Role } from '../../../src/domain/permissions.ts';
import { registerCorePayments } from '../../fixtures/plugin-manager.ts';
import { adminPassword } from '../../support/server.ts';
import { openWholeServer, tenantOf, type WholeServer } from '../plugin-manager/whole-server.ts';
import type { Named, NamedThings } from './named.ts';
import { operationsOf, type Operation } from './operations.ts';

export const acme = 'tenant-acme-corp';
export const globex = 'tenant-globex-co';
export const nowhere = 'tenant-nowhere-x';
const { pluginId } = registerCorePayments;

/** Only theirs: no other tenant may ever read one of these. */
export const secretsOfAcme = {
  tenant: 'acme-tenant-7c1f',
  contact: 'acme-contact-7c1f@example.com',
  user: 'acme-user-7c1f',
  email: 'acme-email-7c1f@example.com',
  configuration: 'acme-configuration-7c1f',
  reason: 'acme-reason-7c1f',
  key: 'acme-key-7c1f',
  webhook: 'acme-webhook-7c1f',
  secret: 'acme-secret-7c1f',
} as const;

export interface Asker {
  readonly role: Role;
  readonly headers: Readonly<Record<string, string>>;
}

export interface MatrixWorld {
  readonly server: WholeServer;
  readonly operations: readonly Operation[];
  readonly people: Readonly<Record<Role, Asker>>;
  /** Programs of the same people, whose keys may do this alone. */
  readonly programs: Readonly<Record<Role, Asker>>;
  readonly keyPermission: string;
  readonly things: NamedThings;
}

/** @param more as `openWholeServer` takes it */
export async function openMatrixWorld(...more: Parameters<typeof openWholeServer>): Promise<MatrixWorld> {
  const server = await openWholeServer(...more);
  const operations = operationsOf((await server.call('GET', '/api/openapi.json')).body);
  const admin = { token: await server.asRole('PlatformAdmin') };

  async function made(call: Promise<{ readonly status: number; readonly body: unknown }>): Promise<unknown> {
    const { status, body } = await call;
    expect(status, JSON.stringify(body)).to.be.within(200, 299);
    return body;
  }
  const write = (token: string, path: string, body: object, prefix = '/api/v1'): Promise<unknown> =>
    made(server.call('POST', `${prefix}${path}`, { token, body }));

  async function statusOf(deploymentId: string): Promise<string> {
    await server.settle();
    const { body } = await server.call('GET', `/api/v1/plugin-deployments/${deploymentId}`, admin);
    return DeploymentAnswer.parse(body).status;
  }

  async function furnish(tenantId: string, secrets: Readonly<Record<keyof typeof secretsOfAcme, string>>) {
    const tenant = {
      tenantId,
      name: secrets.tenant,
      description: secrets.tenant,
      contactEmail: secrets.contact,
    };
    await write(admin.token, '/tenants', tenant);
    const token = await server.asRole('TenantAdmin', tenantId);
    const person = {
      email: secrets.email,
      name: secrets.user,
      role: 'Viewer',
      tenantId,
      password: adminPassword,
    };
    const { userId } = UserAnswer.parse(await write(token, '/users', person));
    const deployment = {
      ...{
        pluginId,
        pluginVersion: '1.4.0',
        tenantId,
        environment: 'Production',
      },
      configuration: { note: secrets.configuration },
    };
    const deploy = async () =>
      DeployedAnswer.parse(await write(token, '/plugin-deployments', deployment)).deploymentId;
    const before = await deploy();
    for (let minutes = 0; (await statusOf(before)) !== 'Completed'; minutes += 1) {
      if (minutes === 60) throw new Error(`${before} did not end within an hour`);
      await server.pass(60);
    }
    const deploymentId = await deploy();
    await write(token, `/plugin-deployments/${deploymentId}/rollback`, { reason: secrets.reason });
    const secret = `/api/v1/tenants/${tenantId}/secrets/${secrets.secret}`;
    await made(server.call('PUT', secret, { token, body: { value: 'nobody sees this' } }));
    const { keyId } = CreatedApiKeyAnswer.parse(await write(token, '/api-keys', { name: secrets.key }));
    return { userId, deploymentId, keyId, ...(await listen(token, secrets.webhook)) };
  }

  /** A webhook that was tested: its name leads to the loopback, which is not asked. */
  async function listen(token: string, name: string) {
    const asked = { url: `https://${name}.localhost/`, events: ['plugin.deleted'], name };
    const { id } = WebhookWithSecretAnswer.parse(await write(token, '/webhooks', asked, '/api'));
    const { deliveryId } = TestedAnswer.parse(await write(token, `/webhooks/${id}/test`, {}, '/api'));
    await server.pass(2);
    return { webhookId: id, deliveryId };
  }

  async function publish(tenantId: string, pluginId: string, capabilityId: string): Promise<void> {
    const capabilities = [{ capabilityId, name: 'Payments' }];
    const body = { ...registerCorePayments, pluginId, name: pluginId, capabilities };
    await write(await server.asRole('PluginDeveloper', tenantId), '/plugins', body);
  }

  await publish(tenantOf.PluginDeveloper, pluginId, 'IPay');
  await publish('tenant-rivals', 'rival-payments', 'IRivalPay');
  const ours = await furnish(acme, secretsOfAcme);
  const theirs = await furnish(globex, {
    ...{
      tenant: 'Globex',
      contact: 'contact@globex.example.com',
      user: 'Hank',
      email: 'hank@globex.example.com',
    },
    ...{ configuration: 'nothing', reason: 'no reason', key: 'Nightly', webhook: 'globex' },
    secret: 'globex-secret',
  });
  await server.settle();

  const hidden = (own: string, other: string, unknown: string): Named => ({
    own,
    other,
    unknown,
    visible: false,
  });
  const deployment = hidden(ours.deploymentId, theirs.deploymentId, `dep-${'0'.repeat(20)}`);
  const tenant = hidden(acme, globex, nowhere);
  const plugin = {
    own: pluginId,
    other: 'rival-payments',
    unknown: 'no-plugin',
    visible: true,
  };
  const things: NamedThings = new Map([
    ['/api/v1/tenants/{tenantId}', tenant],
    ['/api/v1/tenants/{tenantId}/secrets/{name}', hidden(secretsOfAcme.secret, 'globex-secret', 'no-secret')],
    ['/api/v1/plugin-deployments/{deploymentId}', deployment],
    ['/api/v1/projections/{name}', { own: 'tenants', other: 'tenants', unknown: 'nothing', visible: true }],
    ['/api/v1/audit/why/{id}', deployment],
    [
      '/api/v1/audit/streams/{stream}',
      hidden(
        `deployment-${deployment.own}`,
        `deployment-${deployment.other}`,
        `deployment-${deployment.unknown}`,
      ),
    ],
    [
      '/api/v1/audit/documents/{collection}',
      { own: 'deployments', other: 'deployments', unknown: 'no_document', visible: true },
    ],
    ['/api/v1/audit/documents/{collection}/{documentId}', deployment],
    ['/api/v1/audit/proofs/{event}', hidden(`tenant-${acme}@0`, `tenant-${globex}@0`, `tenant-${nowhere}@0`)],
    ['/api/v1/audit/consistency/{size}', { own: '37', other: '37', unknown: '999999999', visible: true }],
    ['/api/v1/users/{userId}', hidden(ours.userId, theirs.userId, `usr_${'0'.repeat(20)}`)],
    ['/api/v1/api-keys/{keyId}', hidden(ours.keyId, theirs.keyId, `key_${'0'.repeat(20)}`)],
    ['/api/webhooks/{webhookId}', hidden(ours.webhookId, theirs.webhookId, `wh_${'0'.repeat(20)}`)],
    [
      '/api/webhooks/{webhookId}/deliveries/{deliveryId}',
      hidden(ours.deliveryId, theirs.deliveryId, 'evt_00000000-0000-5000-8000-000000000000'),
    ],
    ['/api/v1/plugins/{pluginId}', plugin],
    ['/api/v1/marketplace/plugins/{pluginId}', plugin],
    [
      '/api/v1/capabilities/{capabilityId}',
      { own: 'IPay', other: 'IRivalPay', unknown: 'INothing', visible: true },
    ],
    [
      '/api/v1/plugins/{pluginId}/versions/{version}',
      { own: '1.4.0', other: '1.4.0', unknown: '9.9.9', visible: true },
    ],
  ]);

  const keyPermission = 'account:read';
  const people = {} as Record<Role, Asker>;
  const programs = {} as Record<Role, Asker>;
  for (const role of Role.options) {
    const token = await server.asRole(role, tenantOf[role]);
    people[role] = { role, headers: { Authorization: `Bearer ${token}` } };
    expect(permissionsOf(role)).to.include(keyPermission);
    const body = { name: 'Few', permissions: [keyPermission] };
    const { key } = CreatedApiKeyAnswer.parse(await write(token, '/api-keys', body));
    programs[role] = { role, headers: { 'X-API-Key': key } };
  }
  return { server, operations, people, programs, keyPermission, things };
}
