/** Every read model. A new one is a file in src/projections and a line here. */
import type { Projection } from './core/projection.ts';
import { deploymentsProjection } from './projections/deployments.ts';
import { pluginsProjection } from './projections/plugins.ts';
import { slotsProjection } from './projections/slots.ts';
import { tenantsProjection } from './projections/tenants.ts';
import { usageProjection } from './projections/usage.ts';
import { usersProjection } from './projections/users.ts';

export const allProjections: readonly Projection[] = [
  deploymentsProjection,
  pluginsProjection,
  slotsProjection,
  tenantsProjection,
  usageProjection,
  usersProjection,
];
