/** What a tenant, and the platform, is told of the tenant itself. Its address is nobody's to send around. */
import { tenant, tenantEvents } from '../../domain/tenant.ts';
import type { Telling, Tellings } from './telling.ts';
import type { AnnouncementType } from './types.ts';

const types: Readonly<Record<keyof typeof tenantEvents, AnnouncementType>> = {
  TenantCreated: 'tenant:created',
  TenantEdited: 'tenant:updated',
  TenantSuspended: 'tenant:suspended',
  TenantReactivated: 'tenant:reactivated',
};

function tell(type: AnnouncementType): Telling {
  return async (event, { past }) => {
    const { after } = await past.around(tenant, event);
    if (!after) return [];
    const { tenantId, name, namespace, status, subscriptionTier } = after;
    const changes = Object.keys(event.data).filter((field) => field !== 'at');
    const data = { tenantId, name, namespace, status: status.toLowerCase(), subscriptionTier };
    const edited = type === 'tenant:updated' ? { changes } : {};
    return [{ type, tenant: tenantId, visibility: 'tenant', data: { ...data, ...edited } }];
  };
}

export const tenantTellings: Tellings = Object.fromEntries(
  Object.entries(types).map(([event, type]) => [event, tell(type)]),
);
