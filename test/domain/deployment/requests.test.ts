import { expect } from 'chai';
import { deployment } from '../../../src/domain/deployment/deployment.ts';
import type { DeploymentEvent } from '../../../src/domain/deployment/events.ts';
import * as requests from '../../../src/domain/deployment/requests.ts';
import { estimatedCompletionAt, progressOf, statusOf } from '../../../src/domain/deployment/status.ts';
import { slot, type SlotState } from '../../../src/domain/slot.ts';
import { spec } from '../../support/given-when-then.ts';
import { iso, newId, oldId, request, requested, stageReached, stageStarted, start, user } from './samples.ts';
import { shows } from '../../support/rollout-rows.ts';

const by = { by: user, reason: 'because' };
const inFlight: SlotState = {
  ...slot.initial,
  current: oldId,
  flight: { kind: 'rollout', deploymentId: newId, previousDeploymentId: oldId, expiresAt: iso(0) },
};
const first: SlotState = { ...inFlight, current: null };
const idle: SlotState = { ...slot.initial, current: newId };

const baking = [requested(), stageStarted(0, 1, 1), stageReached(0, 1, 10)];
const completed: DeploymentEvent[] = [
  ...baking,
  { type: 'PromotionStarted', data: {} },
  { type: 'DeploymentCompleted', data: {} },
];
const paused = (cause: 'User' | 'MonitorBlind' | 'Inconclusive'): DeploymentEvent => ({
  type: 'RolloutPaused',
  data: { cause, reason: 'because', by: cause === 'User' ? user : null },
});
const resumed: DeploymentEvent = { type: 'RolloutResumed', data: { ...by, fence: 2, dueAt: iso(0) } };

const given = (
  ...events: DeploymentEvent[]
): ReturnType<ReturnType<typeof spec<typeof deployment.initial, DeploymentEvent>>['given']> =>
  spec(deployment).given(...events);

describe('what people may ask of a deployment', () => {
  it('pause, once, while it moves', () => {
    given(...baking)
      .when((state) => requests.pause(state, by))
      .then(paused('User'));
    given(...baking, paused('User'))
      .when((state) => requests.pause(state, by))
      .then();
    given(...completed)
      .when((state) => requests.pause(state, by))
      .thenRefused('Conflict', /completed/);
  });

  it('resume what is paused, but not against a blind monitor', () => {
    given(...baking, paused('User'))
      .when((state) => requests.resume(state, by, start))
      .then(resumed);
    given(...baking)
      .when((state) => requests.resume(state, by, start))
      .then();
    given(...baking, paused('MonitorBlind'))
      .when((state) => requests.resume(state, by, start))
      .thenRefused('Conflict', /by itself/);
  });

  it('promote, once; what was inconclusive goes on', () => {
    const promotion: DeploymentEvent = { type: 'PromotionRequested', data: by };
    given(...baking)
      .when((state) => requests.promote(state, by, start))
      .then(promotion);
    given(...baking, promotion)
      .when((state) => requests.promote(state, by, start))
      .then();
    given(...baking, paused('Inconclusive'))
      .when((state) => requests.promote(state, by, start))
      .then(promotion, resumed);
  });

  it('abort until it is promoted', () => {
    const abort: DeploymentEvent = { type: 'AbortRequested', data: { ...by, supersededBy: null } };
    given(...baking)
      .when((state) => requests.abort(state, by))
      .then(abort);
    given(...baking, abort)
      .when((state) => requests.abort(state, by))
      .then();
    given(...baking, { type: 'PromotionStarted', data: {} })
      .when((state) => requests.abort(state, by))
      .thenRefused('Conflict', /completing this moment/);
  });

  it('approve what waits, until it expires', () => {
    const asks: DeploymentEvent = { type: 'ApprovalRequested', data: { stage: 0, expiresAt: iso(1000) } };
    const approved: DeploymentEvent = { type: 'StageApproved', data: { stage: 0, ...by } };
    given(...baking, asks)
      .when((state) => requests.approve(state, by, start))
      .then(approved);
    given(...baking, asks, approved)
      .when((state) => requests.approve(state, by, start))
      .then();
    given(...baking, asks)
      .when((state) => requests.approve(state, by, start + 1000))
      .thenRefused('Conflict', /until/);
    given(...baking)
      .when((state) => requests.approve(state, by, start))
      .thenRefused('Conflict', /no approval/);
  });

  it('roll a running one back where there is something to return to; the same again changes nothing', () => {
    const ask = (on: SlotState) => (state: typeof deployment.initial) =>
      requests.requestRollback(state, on, by, start);
    const { decision } = given(...baking).when(ask(inFlight));
    expect(decision)
      .to.have.nested.property('[0].data')
      .that.includes({ to: oldId, outcome: 'RolledBack', fence: 2 });
    given(...baking)
      .when(ask(first))
      .thenRefused('Conflict', /nothing to return to/);
    given(...baking, ...(decision as DeploymentEvent[]))
      .when(ask(inFlight))
      .then();
  });

  it('roll a completed one back only after its slot was claimed for it', () => {
    given(...completed)
      .when((state) => requests.requestRollback(state, idle, by, start))
      .thenRefused('Conflict', /not its slot's current/);
    const claimed: SlotState = {
      ...idle,
      flight: { kind: 'rollback', deploymentId: newId, to: oldId, ...by },
    };
    const { decision } = given(...completed).when((state) =>
      requests.requestRollback(state, claimed, by, start),
    );
    expect(decision).to.have.nested.property('[0].data').that.includes({ to: oldId, wasCompleted: true });
  });

  it('undeploy; a request that has not begun is withdrawn', () => {
    given(...baking)
      .when((state) => requests.undeploy(state, inFlight, by))
      .then({ type: 'UndeployStarted', data: { ...by, fence: 2 } });
    given(requested())
      .when((state) => requests.undeploy(state, inFlight, by))
      .then({ type: 'AbortRequested', data: { ...by, supersededBy: null } });
    given(...completed)
      .when((state) => requests.undeploy(state, idle, by))
      .thenRefused('Conflict', /current/);
  });

  it('nothing of a deployment that is not', () => {
    given()
      .when((state) => requests.pause(state, by))
      .thenRefused('NotFound', /no such deployment/);
  });
});

describe('what people are shown of a deployment', () => {
  const shown = (...events: DeploymentEvent[]): ReturnType<typeof statusOf> => {
    const { state } = given(...events);
    if (state.phase === 'None') expect.fail('nothing to show');
    return statusOf(state);
  };

  it(shows('States: as they are shown', 'status, phase, stage and reason'), () => {
    expect(shown(requested())).to.include({ status: 'Pending', stage: 0, stages: 4, reason: null });
    expect(shown(...baking)).to.include({ status: 'InProgress', phase: 'Baking', stage: 1 });
    expect(shown(...baking, paused('MonitorBlind'))).to.include({ status: 'Paused', reason: 'because' });
    expect(shown(...completed)).to.include({ status: 'Completed', stage: 4, reason: null });
  });

  it(
    shows(
      'States: as they are shown',
      'every phase has a word of its own, but those of a rollout that goes on',
    ),
    () => {
      const reason = 'because';
      const back: DeploymentEvent = {
        type: 'RollbackStarted',
        data: {
          ...{ cause: 'user', evidence: [], to: oldId, outcome: 'RolledBack', wasCompleted: false },
          ...{ ...by, fence: 3, dueAt: iso(0) },
        },
      };
      const waiting: DeploymentEvent = { type: 'ApprovalRequested', data: { stage: 0, expiresAt: iso(0) } };
      const leaving: DeploymentEvent = { type: 'UndeployStarted', data: { ...by, fence: 3 } };
      const told: readonly (readonly [phase: string, status: string, ...DeploymentEvent[]])[] = [
        ['Provisioning', 'InProgress', stageStarted(0, 1, 1)],
        ['Approval', 'InProgress', ...baking.slice(1), waiting],
        ['Promoting', 'InProgress', ...completed.slice(1, -1)],
        ['RollingBack', 'RollingBack', back],
        ['RolledBack', 'RolledBack', back, { type: 'DeploymentRolledBack', data: { to: oldId, reason } }],
        ['RollbackFailed', 'RollbackFailed', back, { type: 'RollbackFailed', data: { reason } }],
        ['Failed', 'Failed', back, { type: 'DeploymentFailed', data: { reason } }],
        ['Cancelled', 'Cancelled', back, { type: 'DeploymentCancelled', data: { reason } }],
        ['Superseded', 'Superseded', back, { type: 'DeploymentSuperseded', data: { reason, by: oldId } }],
        ['Undeploying', 'InProgress', leaving],
        ['Undeployed', 'Undeployed', leaving, { type: 'DeploymentUndeployed', data: { reason } }],
        ['Refused', 'Cancelled', { type: 'DeploymentRefused', data: { reason } }],
      ];
      for (const [phase, status, ...events] of told)
        expect(shown(requested(), ...events)).to.include({ phase, status });
    },
  );

  it(shows('States: progress', 'progress as the share of all instances that is new and ready'), () => {
    const { state } = given(...baking);
    if (state.phase === 'None') expect.fail('nothing to show');
    expect([0, 1, 5, 12].map((ready) => progressOf(state, ready))).to.deep.equal([0, 10, 50, 100]);
  });

  it('an estimate from the remaining bakes and provisioning, none while a person is waited for', () => {
    const at = (...events: DeploymentEvent[]): number | null => {
      const { state } = given(...events);
      return state.phase === 'None' ? null : estimatedCompletionAt(state, start);
    };
    expect(at(requested(request()))).to.equal(start + 4 * 310_000);
    expect(at(...baking)).to.equal(start + 4 * 300_000 + 3 * 10_000);
    expect(at(...baking, paused('User'))).to.equal(null);
    expect(at(...completed)).to.equal(null);
  });
});
