/** Every read model. A new one is a file in src/projections and a line here. */
import type { Projection } from './core/projection.ts';
import type { Announcer } from './projections/announcements/announcer.ts';
import { deploymentsProjection } from './projections/deployments.ts';
import { pluginsProjection } from './projections/plugins.ts';
import { slotsProjection } from './projections/slots.ts';
import { tenantsProjection } from './projections/tenants.ts';
import { usageProjection } from './projections/usage.ts';
import { usersProjection } from './projections/users.ts';
import { webhooksProjection } from './projections/webhooks.ts';

/** @param announcer for the projector alone */
export function allProjections(announcer: Announcer): readonly Projection[] {
  return [
    deploymentsProjection,
    pluginsProjection,
    slotsProjection,
    tenantsProjection,
    usageProjection,
    usersProjection,
    webhooksProjection(announcer),
  ];
}
