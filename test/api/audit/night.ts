/** A night at the platform: a version that serves, a canary at two that completes, and is taken back at half past three. */
import { expect } from 'chai';
import { createAcme, registerCorePayments } from '../../fixtures/plugin-manager.ts';
import { acmeId, openWholeServer, type WholeServer } from '../plugin-manager/whole-server.ts';

export const plugin = registerCorePayments.pluginId;
export const [night, four, morning] = [
  '2030-01-01T03:10:00Z',
  '2030-01-01T04:00:00Z',
  '2030-01-01T09:00:00Z',
];

export interface Night {
  readonly server: WholeServer;
  /** The deployment of the canary. */
  readonly canary: string;
  /** Lets time pass until then. */
  until(time: string): Promise<void>;
}

/** @returns at four in the morning */
export async function openNight(): Promise<Night> {
  const server = await openWholeServer();
  const until = (time: string): Promise<void> =>
    server.pass(Math.max(0, (Date.parse(time) - server.clock.now()) / 1_000));
  await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
  await server.ask('PluginDeveloper', 'POST', '/plugins', registerCorePayments);
  const another = { ...registerCorePayments, pluginId: 'bystander', name: 'Bystander' };
  await server.ask('PluginDeveloper', 'POST', '/plugins', another);
  const next = { ...registerCorePayments.version, semanticVersion: '2.0.0' };
  await server.ask('PluginDeveloper', 'POST', '/plugins', { ...registerCorePayments, version: next });
  const slow = { type: 'Heartbeat', intervalSeconds: 60, timeoutSeconds: 10 };
  const place = { pluginId: plugin, tenantId: acmeId, environment: 'Production', healthCheck: slow };
  const deploy = (body: object) => server.deploy({ ...place, ...body });
  await until('2030-01-01T00:30:00Z');
  await server.finished(await deploy({ pluginVersion: '1.4.0', configuration: { limit: 100 } }));
  await until('2030-01-01T02:00:00Z');
  const canary = await deploy({
    ...{ pluginVersion: '2.0.0', strategy: 'Canary', totalInstances: 4 },
    configuration: { limit: 1, apiKey: 'sk_live_1' },
  });
  expect(await server.finished(canary)).to.equal('Completed');
  await until('2030-01-01T03:30:00Z');
  const back = { reason: 'Nobody could pay' };
  const reply = await server.ask('TenantAdmin', 'POST', `/plugin-deployments/${canary}/rollback`, back);
  expect(reply.status, JSON.stringify(reply.body)).to.equal(202);
  await until(four);
  return { server, canary, until };
}
