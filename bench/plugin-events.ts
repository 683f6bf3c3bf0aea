/** Events of plugins and tenants, as commands would have appended them, for benchmarks that fill a log. */
import { randomUUID } from 'node:crypto';
import { commandEvents } from '../src/core/command-record.ts';
import { createSchemas } from '../src/core/schemas.ts';
import { pluginEvents } from '../src/domain/plugin.ts';
import { tenantEvents } from '../src/domain/tenant.ts';
import type { NewEvent } from '../src/ports/event-store.ts';

const schemas = createSchemas([pluginEvents, commandEvents, tenantEvents]);
const tenant = 'platform';

/** When all of it happened. */
export const at = new Date().toISOString();

export function event(type: string, given: object, commandId: string): NewEvent {
  const { data, schema } = schemas.encode(type, given);
  const actor = { id: 'usr_00000000000000000000', face: 'plugin-manager' };
  const metadata = { tenant, actor, correlationId: randomUUID(), causationId: commandId, at, schema };
  return { id: randomUUID(), type, data, metadata };
}

export const tenantCreated = (tenantId: string, name: string): NewEvent =>
  event(
    'TenantCreated',
    {
      ...{ tenantId, name, description: null, namespace: tenantId, contactEmail: null },
      quotas: { maxPlugins: 10, maxCpu: 8, maxMemoryGB: 16, maxStorageGB: null },
      rateLimits: { maxRequestsPerMinute: 1_000, maxDeploymentsPerHour: 10 },
      ...{ allowedCategories: null, subscriptionTier: 'Standard', createdAt: at },
    },
    randomUUID(),
  );

/** A tenant's new name. */
export const edited = (name: string): NewEvent => event('TenantEdited', { name, at }, randomUUID());

/** Of a `PluginRegistered`. */
export function registered(
  number: number,
  said: {
    readonly pluginId: string;
    readonly name: string;
    readonly category: string;
    readonly description: string;
    readonly tags: readonly string[];
  },
): object {
  return {
    ...said,
    id: `plg_${String(number).padStart(20, '0')}`,
    ownerTenant: tenant,
    publisher: 'Acme Corp',
    iconUrl: 'https://example.com/icon.png',
    documentationUrl: 'https://docs.example.com/plugins',
    repositoryUrl: 'https://github.com/acme/plugin',
    packageName: said.pluginId,
    author: null,
    license: null,
    longDescription: null,
    screenshots: [],
    compatibility: {},
    requirements: {},
    permissions: [],
    price: null,
    registeredAt: at,
  };
}

/** Of a `VersionPublished`. */
export function published(pluginId: string, number: number): object {
  return {
    pluginId,
    versionId: `ver-${String(number).padStart(20, '0')}`,
    semanticVersion: '1.0.0',
    state: 'Beta',
    runtime: { type: 'DotNet8', version: '8.0' },
    resources: { minCpu: 0.2, maxCpu: 1, minMemoryMB: 256, maxMemoryMB: 1024 },
    binaryUrl: `s3://plugins/${pluginId}-1.0.0.dll`,
    checksum: 'sha256:abc123',
    checksumVerified: false,
    configurationSchema: { type: 'object', properties: { apiKey: { type: 'string' } } },
    dependencies: [],
    capabilities: [{ capabilityId: 'IPaymentProcessor', name: 'Payments', version: '1.0', methods: [] }],
    releaseNotes: null,
    publishedAt: at,
  };
}
