/** What a tenant is told of the plugins that it has: a plugin is installed where a deployment of it is current. */
import type { Past } from '../../core/past.ts';
import { deployment } from '../../domain/deployment/deployment.ts';
import type { DeploymentRequest } from '../../domain/deployment/events.ts';
import type { DeploymentId, UserId } from '../../domain/ids.ts';
import { slot, type SlotState } from '../../domain/slot.ts';
import type { Position } from '../../ports/event-store.ts';
import { slotOfEvent } from '../event-data.ts';
import { emailOf, pluginNames, type Telling, type Tellings } from './telling.ts';
import type { AnnouncementType } from './types.ts';

const onTurned: Telling = async (event, deps) => {
  const { past } = deps;
  const { position } = event;
  const { before, after } = await past.around(slot, event);
  if (before.current === after.current) return [];
  const { tenant, environment, plugin } = slotOfEvent(event);
  const [was, is] = await Promise.all([
    requestOf(past, before.current, position),
    requestOf(past, after.current, position),
  ]);
  const about = {
    ...(await pluginNames(past, plugin, position)),
    version: (is ?? was)?.pluginVersion ?? null,
    tenantId: tenant,
    environment,
    deploymentId: after.current ?? before.current,
  };
  const by = await emailOf(deps, whoTurned(before, is));
  const told = (type: AnnouncementType, more: Record<string, string | boolean | null>) =>
    [{ type, tenant, visibility: 'tenant', data: { ...about, ...more } }] as const;
  if (after.current === null) return told('plugin:uninstalled', { uninstalledBy: by });
  if (before.current === null) return told('plugin:installed', { installedBy: by });
  const fromVersion = was?.pluginVersion ?? null;
  return told('plugin:updated', { fromVersion, rolledBack: isWayBack(before), updatedBy: by });
};

function isWayBack({ flight }: SlotState): boolean {
  return flight?.kind === 'rollback';
}

/** Null: the platform did it by itself. */
function whoTurned({ flight }: SlotState, is: DeploymentRequest | null): UserId | null {
  if (!flight || flight.kind === 'rollout') return is?.requestedBy ?? null;
  return flight.by;
}

async function requestOf(
  past: Past,
  id: DeploymentId | null,
  position: Position,
): Promise<DeploymentRequest | null> {
  const state = id && (await past.asOf(deployment, id, position));
  return state && state.phase !== 'None' ? state.request : null;
}

export const installationTellings: Tellings = { SlotTurned: onTurned };
