/** Who may call what: "Authorization" of the Plugin Manager's document, and what decisions 5 and 10 add. A new route needs its line. */
import { Role } from '../../../src/domain/permissions.ts';

const everybody = Role.options;
const staff: readonly Role[] = ['PlatformAdmin'];
const tenants: readonly Role[] = ['TenantAdmin', 'PlatformAdmin'];
const developers: readonly Role[] = ['PluginDeveloper', 'PlatformAdmin'];

export const mayCall: Readonly<Record<string, readonly Role[] | 'nobody needs to log in'>> = {
  'GET /health': 'nobody needs to log in',
  'GET /ready': 'nobody needs to log in',
  'GET /api/openapi.json': 'nobody needs to log in',
  'GET /api/v1/health': 'nobody needs to log in',
  'POST /api/v1/authentication/login': 'nobody needs to log in',
  'POST /api/v1/plugins': developers,
  'GET /api/v1/plugins': everybody,
  'GET /api/v1/plugins/{pluginId}': everybody,
  'GET /api/v1/plugins/{pluginId}/versions/{version}': everybody,
  'PATCH /api/v1/plugins/{pluginId}': developers,
  'PATCH /api/v1/plugins/{pluginId}/versions/{version}': developers,
  'DELETE /api/v1/plugins/{pluginId}': staff,
  'PUT /api/v1/marketplace/plugins/{pluginId}/featured': staff,
  'DELETE /api/v1/marketplace/plugins/{pluginId}/featured': staff,
  'GET /api/v1/marketplace/plugins': everybody,
  'GET /api/v1/marketplace/search': everybody,
  'GET /api/v1/capabilities': everybody,
  'GET /api/v1/capabilities/{capabilityId}/plugins': everybody,
  'POST /api/v1/plugin-deployments': tenants,
  'GET /api/v1/plugin-deployments': tenants,
  'GET /api/v1/plugin-deployments/{deploymentId}': tenants,
  'POST /api/v1/plugin-deployments/{deploymentId}/rollback': tenants,
  'GET /api/v1/plugin-deployments/{deploymentId}/health': tenants,
  'GET /api/v1/plugin-deployments/{deploymentId}/health/history': tenants,
  'POST /api/v1/plugin-deployments/{deploymentId}/pause': tenants,
  'POST /api/v1/plugin-deployments/{deploymentId}/resume': tenants,
  'POST /api/v1/plugin-deployments/{deploymentId}/promote': tenants,
  'POST /api/v1/plugin-deployments/{deploymentId}/abort': tenants,
  'POST /api/v1/plugin-deployments/{deploymentId}/approve': tenants,
  'DELETE /api/v1/plugin-deployments/{deploymentId}': tenants,
  'POST /api/v1/tenants': staff,
  'GET /api/v1/tenants': staff,
  'GET /api/v1/tenants/{tenantId}': tenants,
  'PATCH /api/v1/tenants/{tenantId}': staff,
  'GET /api/v1/tenants/{tenantId}/plugins': tenants,
  'POST /api/v1/authentication/logout': everybody,
  'GET /api/v1/users/me': everybody,
  'PUT /api/v1/users/me/password': everybody,
  'POST /api/v1/users': tenants,
  'GET /api/v1/users': tenants,
  'GET /api/v1/users/{userId}': tenants,
  'PATCH /api/v1/users/{userId}': tenants,
  'POST /api/v1/api-keys': everybody,
  'GET /api/v1/api-keys': everybody,
  'DELETE /api/v1/api-keys/{keyId}': everybody,
  // Agents alone, by a key with a scope, whatever the role of its user: test/agents/protocol.test.ts.
  'GET /api/v1/agent/assignments': [],
  'POST /api/v1/plugin-deployments/{deploymentId}/health-reports': [],
};
