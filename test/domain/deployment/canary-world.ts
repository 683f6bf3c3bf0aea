/** A rollout to judge: a world in which one deployment is current when the next is requested. */
import { expect } from 'chai';
import type { DeploymentRequest } from '../../../src/domain/deployment/events.ts';
import type { PlanInput } from '../../../src/domain/deployment/plan.ts';
import { newId, oldId, request } from './samples.ts';
import { world, type Behaviour, type World } from './world.ts';

export const hour = 3600_000;

/** A world in which dep-old is current, when dep-new is requested. */
export function canary(
  behaviour: Behaviour = () => 'pass',
  plan: PlanInput = {},
  runtime: DeploymentRequest['runtime'] = 'simulated',
): World {
  const it = world();
  it.request(
    request(
      { strategy: 'Direct', totalInstances: 4 },
      { deploymentId: oldId, previousDeploymentId: null, pluginVersion: '1.0.0', runtime },
    ),
  );
  expect(it.run(hour, () => it.state(oldId).phase === 'Completed')).to.equal(true);
  it.log.length = 0;
  it.behaviour = behaviour;
  it.request(request(plan, { runtime }));
  return it;
}

export const onlyNew =
  (outcome: (at: Parameters<Behaviour>[0]) => ReturnType<Behaviour>): Behaviour =>
  (at) =>
    at.deploymentId === newId ? outcome(at) : 'pass';

export function until(it: World, phase: string, ms = 3 * hour): void {
  const there = it.run(ms, () => it.state(newId).phase === phase);
  expect(there, `${phase} expected, ${it.state(newId).phase} found: ${it.types().join(' ')}`).to.equal(true);
}

export function reasonOf(it: World): string {
  const state = it.state(newId);
  return 'reason' in state ? state.reason : '';
}
