/** Requests as the Plugin Manager's document shows them: examples of the API's description, and what `slipway demo` sends. */

export const newPlugin = {
  pluginId: 'payment-stripe',
  name: 'Stripe Payment Processor',
  description: 'Process payments via Stripe API',
  category: 'PaymentGateway',
  publisher: 'Acme Corp',
  iconUrl: 'https://example.com/icons/stripe.png',
  documentationUrl: 'https://docs.example.com/plugins/stripe',
  repositoryUrl: 'https://github.com/acme/stripe-plugin',
  tags: ['payment', 'stripe', 'credit-card'],
  version: {
    semanticVersion: '2.0.0',
    state: 'Beta',
    runtime: { type: 'DotNet8', version: '8.0' },
    resources: { minCpu: 0.2, maxCpu: 1, minMemoryMB: 256, maxMemoryMB: 1024 },
    binaryUrl: 's3://plugins/payment-stripe-2.0.0.dll',
    checksum: 'sha256:abc123...',
    configurationSchema: '{"type":"object","properties":{"apiKey":{"type":"string"}}}',
    dependencies: [
      {
        dependencyId: 'core-payments',
        type: 'Plugin',
        versionConstraint: '>=1.0.0,<2.0.0',
        required: true,
      },
    ],
    releaseNotes: 'Added support for recurring payments',
  },
  capabilities: [
    {
      capabilityId: 'IPaymentProcessor',
      name: 'Payment Processor',
      version: '1.0',
      methods: [
        {
          name: 'ProcessPayment',
          returnType: 'PaymentResult',
          parameters: [
            { name: 'amount', type: 'decimal', required: true },
            { name: 'currency', type: 'string', required: true },
          ],
        },
      ],
    },
  ],
};

export const newTenant = {
  tenantId: 'tenant-acme-corp',
  name: 'Acme Corporation',
  description: 'Enterprise customer',
  namespace: 'acme-prod',
  quotas: { maxPlugins: 20, maxCpu: 8, maxMemoryGB: 16, maxStorageGB: 100 },
  rateLimits: { maxRequestsPerMinute: 2000, maxDeploymentsPerHour: 20 },
  allowedCategories: ['PaymentGateway', 'Authentication', 'Reporting'],
  contactEmail: 'admin@acme.com',
  subscriptionTier: 'Enterprise',
};
