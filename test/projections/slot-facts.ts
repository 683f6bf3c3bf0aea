/** What happens in slots, for tests of the read models that follow them: events are appended as they are said, nothing decides. */
import type { Projection } from '../../src/core/projection.ts';
import { deployment, type DeploymentState } from '../../src/domain/deployment/deployment.ts';
import { deploymentEvents, type DeploymentEvent } from '../../src/domain/deployment/events.ts';
import type { Report } from '../../src/domain/deployment/evidence.ts';
import type { PlanInput } from '../../src/domain/deployment/plan.ts';
import { health, healthEvents } from '../../src/domain/health.ts';
import { DeploymentId, slotKey, type SlotKey } from '../../src/domain/ids.ts';
import { slot, slotEvents, type SlotEvent, type SlotOutcome } from '../../src/domain/slot.ts';
import type { EventSchemas } from '../../src/domain/event.ts';
import { request, user } from '../domain/deployment/samples.ts';
import { openWorld, type World } from './support.ts';

export const dep = (name: string): DeploymentId => DeploymentId.parse(`dep-${name}`);
export const expiresAt = '2030-01-01T00:10:00.000Z';
export const slotSchemas: readonly EventSchemas[] = [deploymentEvents, slotEvents, healthEvents];

type RequestParts = NonNullable<Parameters<typeof request>[1]>;

export interface Facts {
  readonly world: World;
  /** Lets a second pass, then appends to the deployment's stream. */
  deployment(id: DeploymentId, ...events: readonly DeploymentEvent[]): Promise<void>;
  slot(key: SlotKey, ...events: readonly SlotEvent[]): Promise<void>;
  reports(id: DeploymentId, epoch: number, ...reports: readonly Partial<Report>[]): Promise<void>;
  /** Claims the slot and records the request. */
  deploy(id: DeploymentId, rest?: RequestParts, plan?: PlanInput): Promise<SlotKey>;
  /** The slot turns; what completed becomes current. */
  turn(key: SlotKey, ended: DeploymentId, outcome: SlotOutcome, current: DeploymentId | null): Promise<void>;
}

export async function openFacts(projections: readonly Projection[], schemas = slotSchemas): Promise<Facts> {
  const world = await openWorld(schemas, projections);
  const { executor, clock } = world;
  const tenants = new Map<DeploymentId, string>();

  const facts: Facts = {
    world,
    async deployment(id, ...events) {
      await clock.advance(1_000);
      const tenant = tenants.get(id) ?? 'tenant-acme';
      const decide = (_: DeploymentState) => events;
      await executor.execute({ aggregate: deployment, id, tenant, context: world.context(), decide });
    },
    async slot(key, ...events) {
      await clock.advance(1_000);
      const tenant = key.slice(0, key.indexOf('.'));
      await executor.execute({
        aggregate: slot,
        id: key,
        tenant,
        context: world.context(),
        decide: () => events,
      });
    },
    async reports(id, epoch, ...reports) {
      await clock.advance(1_000);
      const { tenant, environment, plugin } = request();
      const full = reports.map((report) => ({
        instance: 'i1',
        sequence: 0,
        outcome: 'pass' as const,
        latencyMs: 1,
        replaces: null,
        ...report,
      }));
      const data = { deploymentId: id, tenant, environment, plugin, epoch, reports: full };
      const decide = () => [{ type: 'InstanceHealthObserved' as const, data }];
      await executor.execute({ aggregate: health, id, tenant, context: world.context(), decide });
    },
    async deploy(id, rest = {}, plan = {}) {
      const data = request(plan, { previousDeploymentId: null, ...rest, deploymentId: id });
      tenants.set(id, data.tenant);
      const key = slotKey(data);
      const { previousDeploymentId } = data;
      await facts.slot(key, {
        type: 'SlotClaimed',
        data: { deploymentId: id, previousDeploymentId, expiresAt },
      });
      await facts.deployment(id, { type: 'DeploymentRequested', data });
      return key;
    },
    turn: (key, ended, outcome, current) =>
      facts.slot(key, { type: 'SlotTurned', data: { current, ended, outcome, coolDown: null } }),
  };
  return facts;
}

export const claimRollback = (deploymentId: DeploymentId, to: DeploymentId): SlotEvent => ({
  type: 'RollbackClaimed',
  data: { deploymentId, to, reason: 'It is slow', by: user },
});
