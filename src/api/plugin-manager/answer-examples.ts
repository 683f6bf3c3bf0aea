/** Answers as the Plugin Manager's document shows them, with the members that ours have beside. A test holds them to both. */
import { newPlugin } from './request-examples.ts';

const at = '2025-11-23T12:00:00Z';
const page = { limit: 20, offset: 0 };

export const loggedIn = {
  token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...',
  expiresAt: '2025-11-24T12:00:00Z',
  user: {
    username: 'admin@example.com',
    role: 'PlatformAdmin',
    userId: 'usr_5f0c1d2e3a4b5c6d7e8f',
    tenantId: 'platform',
  },
};

export const registeredPlugin = {
  pluginId: 'payment-stripe',
  name: 'Stripe Payment Processor',
  status: 'Registered',
  version: '2.0.0',
  createdAt: at,
};

const pluginSummary = {
  pluginId: 'payment-stripe',
  id: 'plg_5f0c1d2e3a4b5c6d7e8f',
  name: 'Stripe Payment Processor',
  description: 'Process payments via Stripe API',
  category: 'PaymentGateway',
  publisher: 'Acme Corp',
  iconUrl: 'https://example.com/icons/stripe.png',
  tags: ['payment', 'stripe', 'credit-card'],
  packageName: 'payment-stripe',
  status: 'Active',
  latestVersion: '2.0.0',
  installationCount: 245,
  averageRating: 4.8,
  featured: true,
  createdAt: at,
  updatedAt: at,
};

export const pluginPage = { plugins: [pluginSummary], total: 42, ...page };

export const marketplacePage = {
  plugins: [{ ...pluginSummary, description: 'Process payments via Stripe' }],
  total: 42,
  ...page,
};

export const searchPage = {
  query: 'payment',
  results: [{ ...pluginSummary, relevanceScore: 0.95 }],
  total: 5,
  ...page,
};

export const plugin = {
  ...pluginSummary,
  documentationUrl: 'https://docs.example.com/plugins/stripe',
  repositoryUrl: 'https://github.com/acme/stripe-plugin',
  author: { name: 'Ada Lovelace', email: 'ada@acme.com' },
  license: 'Apache-2.0',
  longDescription: null,
  screenshots: [],
  compatibility: {},
  requirements: {},
  permissions: [],
  price: null,
  ownerTenant: 'tenant-acme-corp',
  versions: [
    { versionId: 'ver-abc123', semanticVersion: '2.0.0', state: 'Stable', createdAt: at },
    {
      versionId: 'ver-abc122',
      semanticVersion: '1.5.0',
      state: 'Deprecated',
      createdAt: '2025-10-15T10:00:00Z',
    },
  ],
  capabilities: newPlugin.capabilities,
};

export const pluginVersion = {
  versionId: 'ver-abc123',
  pluginId: 'payment-stripe',
  semanticVersion: '2.0.0',
  state: 'Stable',
  runtime: { type: 'DotNet8', version: '8.0' },
  resources: { minCpu: 0.2, maxCpu: 1, minMemoryMB: 256, maxMemoryMB: 1024 },
  binaryUrl: 's3://plugins/payment-stripe-2.0.0.dll',
  checksum: 'sha256:abc123...',
  checksumVerified: false,
  configurationSchema: '{"type":"object","properties":{"apiKey":{"type":"string"}}}',
  dependencies: [
    { dependencyId: 'core-payments', type: 'Plugin', versionConstraint: '>=1.0.0,<2.0.0', required: true },
  ],
  capabilities: newPlugin.capabilities,
  releaseNotes: 'Added support for recurring payments',
  createdAt: at,
  updatedAt: at,
};

export const capabilityPage = {
  capabilities: [
    { capabilityId: 'IPaymentProcessor', name: 'Payment Processor', version: '1.0', pluginCount: 3 },
    {
      capabilityId: 'IAuthenticationProvider',
      name: 'Authentication Provider',
      version: '1.0',
      pluginCount: 5,
    },
  ],
  total: 15,
  ...page,
};

export const capabilityPlugins = {
  capabilityId: 'IPaymentProcessor',
  plugins: [
    {
      pluginId: 'payment-stripe',
      name: 'Stripe Payment Processor',
      latestVersion: '2.0.0',
      capabilityVersions: ['1.0'],
    },
  ],
  total: 3,
  ...page,
};

const deployment = {
  deploymentId: 'dep-xyz789',
  pluginId: 'payment-stripe',
  pluginVersion: '2.0.0',
  tenantId: 'tenant-acme-corp',
  environment: 'Production',
  strategy: 'Canary',
  stages: 4,
  totalInstances: 10,
  runtime: 'local',
  startedAt: at,
};

export const acceptedDeployment = {
  ...deployment,
  status: 'Pending',
  phase: 'Pending',
  stage: 0,
  progress: 0,
  warnings: [],
};

const observed = {
  reason: null,
  unhealthyInstances: 0,
  lastHealthCheck: at,
  deployedBy: 'admin@acme.com',
  previousDeploymentId: 'dep-abc123',
  rolledBackAt: null,
};

export const deploymentPage = {
  deployments: [
    {
      ...deployment,
      ...observed,
      status: 'Completed',
      phase: 'Completed',
      stage: 4,
      progress: 100,
      healthyInstances: 10,
      completedAt: '2025-11-23T12:25:00Z',
      estimatedCompletionAt: null,
      updatedAt: '2025-11-23T12:25:00Z',
    },
  ],
  total: 15,
  ...page,
};

const stage = (percent: number) => ({
  percent,
  instances: percent / 10,
  bakeMs: percent === 100 ? 0 : 300_000,
  approval: false,
});

export const shownDeployment = {
  ...deployment,
  ...observed,
  status: 'InProgress',
  phase: 'Baking',
  stage: 3,
  progress: 50,
  healthyInstances: 5,
  completedAt: null,
  estimatedCompletionAt: '2025-11-23T12:25:00Z',
  updatedAt: '2025-11-23T12:15:00Z',
  plan: {
    strategy: 'Canary',
    stages: [10, 30, 50, 100].map(stage),
    onFailure: 'rollback',
    progressDeadlineMs: 600_000,
    analysis: [],
  },
  healthCheck: {
    type: 'HttpEndpoint',
    httpEndpoint: '/health',
    intervalSeconds: 30,
    timeoutSeconds: 1,
    failureThreshold: 3,
    successThreshold: 1,
  },
  configuration: { apiKey: '${secret:stripe-api-key}', webhookUrl: 'https://acme.com/stripe/webhook' },
};

export const rolledBack = {
  deploymentId: 'dep-xyz789',
  status: 'RolledBack',
  previousDeploymentId: 'dep-abc123',
  rolledBackAt: '2025-11-23T12:30:00Z',
};

export const health = {
  deploymentId: 'dep-xyz789',
  status: 'Healthy',
  totalInstances: 10,
  expectedInstances: 10,
  healthyInstances: 10,
  unhealthyInstances: 0,
  startingInstances: 0,
  unknownInstances: 0,
  metrics: {
    avgResponseTime: 45.2,
    avgResponseTimeOf: 'requests',
    errorRate: 0.001,
    errorRateOf: 'requests',
    cpuUsage: 35.4,
    memoryUsage: 52.1,
    requestsPerSecond: 120.5,
  },
  lastHealthCheck: at,
  runtime: 'local',
};

const healthPoint = (timestamp: string, avgResponseTime: number, errorRate: number) => ({
  timestamp,
  durationSeconds: 300,
  healthyInstances: 10,
  unhealthyInstances: 0,
  leastHealthyInstances: 10,
  silent: false,
  ...health.metrics,
  avgResponseTime,
  errorRate,
});

export const healthHistory = {
  deploymentId: 'dep-xyz789',
  window: 'PT24H',
  runtime: 'local',
  dataPoints: [healthPoint('2025-11-23T11:00:00Z', 42.1, 0.0005), healthPoint(at, 45.2, 0.001)],
};

export const createdTenant = {
  tenantId: 'tenant-acme-corp',
  name: 'Acme Corporation',
  namespace: 'acme-prod',
  status: 'Active',
  createdAt: at,
};

const tenantSummary = {
  ...createdTenant,
  description: 'Enterprise customer',
  subscriptionTier: 'Enterprise',
  pluginCount: 12,
  updatedAt: at,
};

export const tenantPage = { tenants: [tenantSummary], total: 50, ...page };

export const tenant = {
  ...tenantSummary,
  quotas: { maxPlugins: 20, maxCpu: 8, maxMemoryGB: 16, maxStorageGB: 100 },
  rateLimits: { maxRequestsPerMinute: 2000, maxDeploymentsPerHour: 20 },
  allowedCategories: ['PaymentGateway', 'Authentication', 'Reporting'],
  contactEmail: 'admin@acme.com',
  resourceUsage: { currentCpu: 3.5, currentMemoryGB: 6.2, currentInstances: 25 },
};

export const error = {
  error: {
    code: 'VALIDATION_ERROR',
    message: 'Plugin validation failed',
    details: [
      {
        field: 'pluginId',
        message: 'PluginId must contain only lowercase letters, numbers, and dashes',
      },
    ],
    traceId: 'trace-xyz789',
    timestamp: at,
  },
};
