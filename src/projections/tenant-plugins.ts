/** A tenant's plugins are its slots (decisions 28): what is current in each, else what is on its way there. */
import type { SlotState } from '../domain/slot.ts';
import type { ReadModels, Scope } from '../ports/read-models.ts';
import type { DeploymentId, TenantId } from '../domain/ids.ts';
import { getDeployment, type DeploymentView } from './deployment-views.ts';
import { slots, type SlotDocument } from './slots.ts';

export const tenantPluginStatuses = ['Active', 'Updating', 'RollingBack', 'Failed'] as const;
export type TenantPluginStatus = (typeof tenantPluginStatuses)[number];

export interface TenantPlugin extends Pick<
  DeploymentView,
  'pluginId' | 'pluginVersion' | 'environment' | 'deploymentId' | 'healthyInstances' | 'totalInstances'
> {
  readonly status: TenantPluginStatus;
  /** When it was completed; of one that is on its way, when it was asked for. ISO 8601. */
  readonly deployedAt: string;
}

const pageSize = 200;

/** Sorted by plugin and environment. @param wallMs wall time */
export async function pluginsOfTenant(
  models: ReadModels,
  tenant: TenantId,
  wallMs: number,
): Promise<readonly TenantPlugin[]> {
  const scope: Scope = { kind: 'tenant', tenant };
  const found: TenantPlugin[] = [];
  let cursor: string | undefined;
  do {
    const page = await models.find<SlotDocument>(slots.name, {
      scope,
      filter: { equal: ['occupied', true] },
      limit: pageSize,
      ...(cursor === undefined ? {} : { cursor }),
    });
    const shown = await Promise.all(
      page.documents.map(({ data }) =>
        pluginIn(data.state, (id) => getDeployment(models, scope, id, wallMs)),
      ),
    );
    found.push(...shown.filter((plugin) => plugin !== null));
    cursor = page.cursor;
  } while (cursor !== undefined);
  const placeOf = ({ pluginId, environment }: TenantPlugin) => `${pluginId}.${environment.toLowerCase()}`;
  return found.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

/** Null for a claim that is not recorded yet. */
async function pluginIn(
  state: SlotState,
  view: (id: DeploymentId) => Promise<DeploymentView | null>,
): Promise<TenantPlugin | null> {
  const { current, flight } = state;
  const flying = flight && (await view(flight.deploymentId));
  const shown = current === null ? flying : await view(current);
  if (!shown) return null;
  const { pluginId, pluginVersion, environment, deploymentId, healthyInstances, totalInstances } = shown;
  return {
    ...{ pluginId, pluginVersion, environment, deploymentId, healthyInstances, totalInstances },
    status: statusIn(state, flying, shown),
    deployedAt: current === null ? shown.startedAt : (shown.completedAt ?? shown.startedAt),
  };
}

function statusIn(
  { flight }: SlotState,
  flying: DeploymentView | null,
  shown: DeploymentView,
): TenantPluginStatus {
  if (flight?.kind === 'rollback' || flying?.phase === 'RollingBack') return 'RollingBack';
  if (flying) return 'Updating';
  return shown.phase === 'RollbackFailed' || shown.phase === 'Failed' ? 'Failed' : 'Active';
}
