/** What is wrong with bodies, and which fields are to be named. */
import {
  createAcme,
  deployStripe,
  registerCorePayments,
  registerStripe,
} from '../../fixtures/plugin-manager.ts';
import { acmeId } from './whole-server.ts';

/** A field is set to a value, and these are named: the field itself where nothing else is said. Undefined: left out. */
type Change = readonly [field: string, value: unknown, named?: readonly string[]];

/** A field as answers write it, `version.dependencies[0].type`, in a copy of a body. */
export function changed(body: object, field: string, value: unknown): object {
  const names = field.split(/[.[\]]+/).filter((name) => name !== '');
  const last = names.pop() ?? '';
  const copy = structuredClone(body);
  let inner = copy as Record<string, unknown>;
  for (const name of names) inner = (inner[name] ??= {}) as Record<string, unknown>;
  if (value !== undefined) inner[last] = value;
  else Reflect.deleteProperty(inner, last);
  return copy;
}

const each = (field: string, ...values: readonly unknown[]): readonly Change[] =>
  values.map((value) => [field, value]);
export const long = (length: number): string => 'x'.repeat(length);
export const many = <T>(length: number, item: (index: number) => T): readonly T[] =>
  Array.from({ length }, (_, index) => item(index));
const stripeDependency = registerStripe.version.dependencies[0];

export interface BadBodies {
  /** Default POST. */
  readonly method?: 'PATCH' | 'PUT';
  readonly path: string;
  /** Right as it is. */
  readonly body: object;
  readonly wrong: readonly Change[];
}

const registering: BadBodies = {
  path: '/plugins',
  body: registerStripe,
  wrong: [
    ...each(
      'pluginId',
      undefined,
      null,
      7,
      '',
      'Payment',
      'a--b',
      '-a',
      'a_b',
      'a/b',
      'é',
      'search',
      long(101),
    ),
    ...each('name', undefined, null, 7, '', '  ', long(201)),
    ...each('description', 7, long(2_001)),
    ...each('category', 7, '', '1st', long(61), 'a\nb'),
    ...each('publisher', {}, ''),
    ...each('iconUrl', 7, 'icon.png', 'javascript:alert(1)', 'ftp://example.com/a', 'https://'),
    ...each('documentationUrl', 'data:text/html,x'),
    ...each('repositoryUrl', 'git@github.com:acme/stripe.git'),
    ...each('tags', 'payment', {}, many(51, String)),
    ...each('tags[0]', 7, '', long(51)),
    ...each('packageName', 7, 'Upper', '@acme/', '@acme/a/b', 'other-plugin'),
    ...each('author', 'Somebody', []),
    ['author', {}, ['author.name']],
    ['author', { name: 'A', email: 'nobody' }, ['author.email']],
    ['price', { model: 'barter' }, ['price.model']],
    ['screenshots', ['javascript:alert(1)'], ['screenshots[0]']],
    ['compatibility', { backstage: 1 }, ['compatibility.backstage']],
    ...each('version', undefined, null, '2.0.0', []),
    ...each(
      'version.semanticVersion',
      undefined,
      2,
      '2',
      '2.0',
      'v2.0.0',
      '02.0.0',
      'latest',
      '2.0.0 ',
      long(101),
    ),
    ...each('version.state', 'Deprecated', 'Yanked', 'beta', 7),
    ...each('version.runtime', undefined, 'DotNet8'),
    ...each('version.runtime.type', undefined, 8, ''),
    ...each('version.runtime.version', 8, ''),
    ...each('version.resources.minCpu', 0, -1, '0.2', 2, 10_001),
    ...each('version.resources.maxMemoryMB', 0.5, 1e15),
    ['version.resources.minMemoryMB', 2048],
    ...each('version.binaryUrl', 7, 'payment.dll'),
    ...each('version.checksum', 7, 'abc123', 'sha256:'),
    ...each(
      'version.configurationSchema',
      '{',
      '"text"',
      '7',
      { type: 'object' },
      '['.repeat(100_000),
      nested(40),
    ),
    ...each(
      'version.dependencies',
      {},
      'core-payments',
      many(101, (index) => ({ dependencyId: `a${index}` })),
    ),
    ...each('version.dependencies[0].dependencyId', undefined, 7, '', 'Core Payments'),
    ...each('version.dependencies[0].type', 7, ''),
    ...each('version.dependencies[0].required', 'true'),
    ...each('version.dependencies[0].versionConstraint', 1, long(257)),
    ['version.dependencies[1]', stripeDependency, ['version.dependencies[1].dependencyId']],
    ...each('version.releaseNotes', 7, long(20_001)),
    ...each('capabilities', {}, 'IPaymentProcessor'),
    ...each('capabilities[0].capabilityId', undefined, 7, ''),
    ...each('capabilities[0].name', undefined),
    ...each('capabilities[0].methods[0].parameters[1].type', undefined, 7),
    ['capabilities[1]', registerStripe.capabilities[0], ['capabilities[1].capabilityId']],
    ...each('colour', 'red'),
    ...each('status', 'Active'),
    ...each('version.colour', 'red'),
    ...each('capabilities[0].methods[0].colour', 'red'),
  ],
};

const editingPlugins: BadBodies = {
  method: 'PATCH',
  path: '/plugins/core-payments',
  body: { name: 'Core', description: null, tags: ['a'] },
  wrong: [
    ...each('name', null, 7, '', '  ', long(201)),
    ...each('description', 7, long(2_001)),
    ...each('category', 7, '', '1st'),
    ...each('iconUrl', '', 'javascript:alert(1)'),
    ...each('tags', 'payment', many(51, String)),
    ...each('tags[0]', null, 7, ''),
    ...each('author', 'Somebody'),
    ['price', { model: 'barter' }, ['price.model']],
    ...each('pluginId', 'core-payments'),
    ...each('packageName', '@acme/core-payments', null),
    ...each('version', { state: 'Stable' }),
    ...each('featured', true),
    ...each('ownerTenant', 'platform'),
  ],
};

const changingVersions: BadBodies = {
  method: 'PATCH',
  path: '/plugins/core-payments/versions/1.4.0',
  body: { state: 'Deprecated' },
  wrong: [...each('state', undefined, null, 7, '', 'stable', 'Gone', []), ...each('reason', 'old')],
};

const creatingTenants: BadBodies = {
  path: '/tenants',
  body: createAcme,
  wrong: [
    ...each('tenantId', undefined, null, 7, '', 'Acme', 'a--b', 'a_', 'a.b', 'a b', '../a', long(64)),
    ...each('name', undefined, null, 7, '', ' ', long(201)),
    ...each('description', 7, long(2_001)),
    ...each('namespace', 7, '', 'Acme', 'a/b', long(64)),
    ...each('quotas', 7, 'many', []),
    ...each('quotas.maxPlugins', -1, 1.5, '20', 1e12),
    ...each('quotas.maxCpu', -0.1, '8'),
    ...each('quotas.maxDisks', 1),
    ...each('rateLimits.maxRequestsPerMinute', -1, 0.5, '2000'),
    ...each('allowedCategories', 'Reporting', {}),
    ...each('allowedCategories[1]', 7, ''),
    ...each('contactEmail', 7, 'nobody', 'a@b@c', `${long(250)}@example.com`),
    ...each('subscriptionTier', 7, '', '1st', long(41)),
    ...each('status', 'Active'),
    ...each('colour', 'red'),
  ],
};

const deploying: BadBodies = {
  path: '/plugin-deployments',
  body: { ...deployStripe, pluginId: registerCorePayments.pluginId, pluginVersion: '1.4.0' },
  wrong: [
    ...each('pluginId', undefined, null, 7, '', 'Payment', 'rollback'),
    ...each('pluginVersion', undefined, 2, ''),
    ...each('tenantId', undefined, 7, '', 'No Tenant'),
    ...each('environment', undefined, 7, '', '1st', 'a.b', 'a/b', 'a_b', long(41)),
    ...each('strategy', 7, '', 'Rolling', 'BlueGreen', 'canary'),
    ...each('strategyConfig', 7, '10,30', []),
    ...each(
      'strategyConfig.stages',
      10,
      '',
      '10,30',
      '10,5,100',
      '0,100',
      '10,10,100',
      '10;100',
      '10,30,50,101',
      ' 10,100',
      'ten',
    ),
    ...each('strategyConfig.stages', many(21, (index) => index + 80).join()),
    ...each('strategyConfig.canaryPercentage', '20', '0', '101', '10%', '1e1', '10.0', ''),
    ...each('strategyConfig.stageInterval', '89', '-300', '300s', '1e9', '99999999999999999999'),
    ...each('strategyConfig.approval', '20', 'all'),
    ...each('strategyConfig.onFailure', 'ignore'),
    ...each('strategyConfig.progressDeadline', '9', '86401'),
    ...each('strategyConfig.bakeSeconds', '60'),
    ...each('strategyConfig.constructor', '60'),
    ...each('configuration', 7, 'text', []),
    ['configuration.simulate', 'haunted'],
    ['configuration.simulate', { scenario: 'healthy' }],
    ['configuration.blob', long(65_536), ['configuration']],
    ...each('healthCheck', 7, 'none'),
    ...each('healthCheck.type', 7, 'Odd', 'heartbeat'),
    ['healthCheck.type', 'Heartbeat', ['healthCheck.httpEndpoint']],
    ...each(
      'healthCheck.httpEndpoint',
      undefined,
      7,
      '',
      'health',
      'http://other.example.com/',
      '//other.example.com',
      '/a\\b',
      '/a b',
    ),
    ...each('healthCheck.intervalSeconds', 0, 1.5, 3_601, '30', -30),
    ...each('healthCheck.timeoutSeconds', 0, 61, 31),
    ...each('healthCheck.failureThreshold', 0, 11, 2.5),
    ...each('healthCheck.successThreshold', 0, 11),
    ...each('healthCheck.port', 80),
    ...each('totalInstances', 0, -1, 1_001, 1.5, '10', 1e15),
    ...each('force', 'true', 1),
    ...each('supersede', 'true', 1, null),
    ...each('dryRun', 'yes', 0),
    ...each('analysis', 7, 'errorRate', {}),
    ['analysis', [{ metric: 'errorRate' }], ['analysis[0].max']],
    ['analysis', [{ max: 1 }], ['analysis[0].metric']],
    ['analysis', [{ metric: '1st', max: 1 }], ['analysis[0].metric']],
    ['analysis', many(2, () => ({ metric: 'errorRate', max: 1 })), ['analysis[1].metric']],
    ['analysis', many(11, (index) => ({ metric: `m${index}`, max: 1 })), ['analysis']],
    ['analysis', [{ metric: 'm', max: '1' }], ['analysis[0].max']],
    ['analysis', [{ metric: 'm', max: 1, failureLimit: 5 }], ['analysis[0].failureLimit']],
    ['analysis', [{ metric: 'm', max: 1, intervalSeconds: 29 }], ['analysis[0].intervalSeconds']],
    ['analysis', [{ metric: 'm', max: 1, minRequests: -1 }], ['analysis[0].minRequests']],
    ['analysis', [{ metric: 'm', max: 1, min: 0 }], ['analysis[0].min']],
    ...each('replicas', 3),
    ...each('deploymentId', 'dep-mine'),
  ],
};

const askingOfRollouts = ['rollback', 'pause', 'resume', 'promote', 'abort', 'approve'].map(
  (word): BadBodies => ({
    path: `/plugin-deployments/dep-unknown/${word}`,
    body: { reason: 'High error rate detected' },
    wrong: [...each('reason', null, 7, '', '  ', long(1_001)), ...each('force', true)],
  }),
);

const freezing: BadBodies = {
  method: 'PUT',
  path: '/rollout-freeze',
  body: { reason: 'Black Friday' },
  wrong: [...each('reason', undefined, null, 7, '', '  ', long(1_001)), ...each('since', '2030-01-01')],
};

const loggingIn: BadBodies = {
  path: '/authentication/login',
  body: { username: 'nobody@example.com', password: 'long enough' },
  wrong: [
    ...each('username', undefined, null, 7, '', long(321)),
    ...each('password', undefined, null, 7, '', long(1_025)),
    ...each('mfaCode', '123456'),
  ],
};

const creatingUsers: BadBodies = {
  path: '/users',
  body: {
    ...{ email: 'ada@example.com', name: 'Ada Lovelace', role: 'TenantAdmin', tenantId: acmeId },
    password: 'correct horse',
  },
  wrong: [
    ...each('email', undefined, null, 7, '', 'nobody', 'a@b@c', `${long(250)}@example.com`),
    ...each('name', null, 7, '', '  ', long(201)),
    ...each('role', undefined, null, 7, 'Owner', 'viewer', 'PlatformAdmin'),
    ...each('tenantId', null, 7, '', 'No Tenant', 'platform'),
    ...each('password', undefined, null, 7, '', 'short', long(257)),
    ...each('userId', 'usr_mine'),
    ...each('disabled', true),
    ...each('permissions', ['plugins:write']),
  ],
};

const creatingApiKeys: BadBodies = {
  path: '/api-keys',
  body: { name: 'Nightly build', permissions: ['plugins:read'], expiresInDays: 30 },
  wrong: [
    ...each('name', undefined, null, 7, '', '  ', long(101)),
    ...each(
      'permissions',
      null,
      'plugins:read',
      [],
      {},
      Array.from({ length: 50 }, () => 'plugins:read'),
    ),
    ['permissions', ['plugins:everything'], ['permissions[0]']],
    ...each('expiresInDays', 0, -1, 1.5, '30', 366),
    ['expiresAt', '2030-01-01T00:00:00.000Z', ['expiresInDays']],
    ...each('scope', null, 'Production', []),
    ['scope', {}, ['scope.environment']],
    ['scope', { environment: 'Production', tenantId: 'No Tenant' }, ['scope.tenantId']],
    ['scope', { environment: 'Production', plugin: 'a' }, ['scope.plugin']],
    ['scope', { environment: 'Production' }, ['permissions']],
    ['permissions', ['agents:read'], ['scope']],
    ...each('key', 'slw_mine'),
    ...each('userId', 'usr_other'),
  ],
};

/** More of what is wrong with reports, which only agents may send, is in test/agents/protocol.test.ts. */
const reporting: BadBodies = {
  path: '/plugin-deployments/dep-unknown/health-reports',
  body: { epoch: 1, reports: [{ instance: 'a', sequence: 0, outcome: 'pass' }] },
  wrong: [
    ...each('epoch', undefined, null, '1', -1, 1.5),
    ...each('reports', undefined, null, {}, 'pass', []),
    ...each('reports[0].instance', undefined, 7, '', '__proto__', 'toString', 'a b', long(101)),
    ...each('reports[0].outcome', undefined, 'well', true),
    ...each('tenantId', acmeId),
  ],
};

const settingSecrets: BadBodies = {
  method: 'PUT',
  path: `/tenants/${acmeId}/secrets/stripe-api-key`,
  body: { value: 'sk_live_1' },
  wrong: [
    ...each('value', undefined, null, 7, true, {}, ['a'], '', long(65_537), 'é'.repeat(32_769)),
    ...each('name', 'other'),
    ...each('version', 7),
    ...each('tenantId', acmeId),
  ],
};

export const badBodies = [
  ...[registering, editingPlugins, changingVersions],
  ...[creatingTenants, deploying, ...askingOfRollouts, freezing, loggingIn],
  ...[creatingUsers, creatingApiKeys, reporting, settingSecrets],
];

function nested(levels: number): string {
  return '{"not":'.repeat(levels) + 'true' + '}'.repeat(levels);
}
