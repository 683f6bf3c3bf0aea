import { expect } from 'chai';
import { deployment, type DeploymentState } from '../../../src/domain/deployment/deployment.ts';
import { desiredSet, epochOf, involved, leading } from '../../../src/domain/deployment/desired.ts';
import type { DeploymentEvent } from '../../../src/domain/deployment/events.ts';
import { noEvidence } from '../../../src/domain/deployment/evidence.ts';
import { decideRollout } from '../../../src/domain/deployment/rollout.ts';
import { wind } from '../../../src/domain/deployment/watch.ts';
import type { DeploymentId } from '../../../src/domain/ids.ts';
import { slot, type Flight, type SlotState } from '../../../src/domain/slot.ts';
import { iso, newId, oldId, request, requested, stageReached, stageStarted, start, user } from './samples.ts';
import { shows } from '../../support/rollout-rows.ts';

const state = (...events: DeploymentEvent[]): DeploymentState =>
  events.reduce(deployment.evolve, deployment.initial);
const completed = (id: DeploymentId, totalInstances: number): DeploymentState =>
  state(
    requested(request({ totalInstances }, { deploymentId: id })),
    { type: 'PromotionStarted', data: {} },
    { type: 'DeploymentCompleted', data: {} },
  );
const rollout: Flight = {
  kind: 'rollout',
  deploymentId: newId,
  previousDeploymentId: oldId,
  expiresAt: iso(0),
};
const on = (current: DeploymentId | null, flight: Flight | null): SlotState => ({
  ...slot.initial,
  fence: 3,
  current,
  flight,
});
const counts = (of: SlotState, old: DeploymentState, fresh: DeploymentState): Record<string, number> =>
  Object.fromEntries(
    desiredSet(
      of,
      new Map([
        [oldId, old],
        [newId, fresh],
      ]),
    ).map(({ deploymentId, instances }) => [deploymentId, instances]),
  );

describe('what should run in a slot', () => {
  const old = completed(oldId, 4);
  const second = [requested(), stageStarted(1, 3, 2)];

  it(
    shows('States: old instances stay', 'all of the old and the stage of the new, until the slot has turned'),
    () => {
      expect(counts(on(oldId, rollout), old, state(requested()))).to.deep.equal({ [oldId]: 4 });
      expect(counts(on(oldId, rollout), old, state(...second))).to.deep.equal({ [oldId]: 4, [newId]: 3 });
      const promoting = state(...second, { type: 'PromotionStarted', data: {} });
      expect(counts(on(oldId, rollout), old, promoting)).to.deep.equal({ [oldId]: 4, [newId]: 10 });
      expect(counts(on(newId, null), old, promoting)).to.deep.equal({ [newId]: 10 });
    },
  );

  it('only the old once a rollout goes back', () => {
    const back = { to: oldId, outcome: 'RolledBack', wasCompleted: false, by: null, fence: 3 } as const;
    const data = { ...back, cause: 'automatic' as const, reason: 'sick', evidence: [], dueAt: iso(0) };
    const fresh = state(...second, { type: 'RollbackStarted', data });
    expect(counts(on(oldId, rollout), old, fresh)).to.deep.equal({ [oldId]: 4 });
  });

  it('the predecessor beside a completed deployment that is rolled back', () => {
    const flight: Flight = { kind: 'rollback', deploymentId: newId, to: oldId, reason: 'slow', by: user };
    expect(counts(on(newId, flight), old, completed(newId, 10))).to.deep.equal({ [newId]: 10, [oldId]: 4 });
    expect(involved(on(newId, flight))).to.have.members([newId, oldId]);
  });

  it('nothing once the current one is undeployed', () => {
    const flight = { kind: 'undeploy', deploymentId: newId, reason: 'gone', by: user } as const;
    const undecided: Flight = { ...flight, expiresAt: iso(30_000) };
    expect(counts(on(newId, undecided), old, completed(newId, 10))).to.deep.equal({ [newId]: 10 });
    expect(counts(on(newId, { ...flight, expiresAt: null }), old, completed(newId, 10))).to.deep.equal({});
  });

  it('under an epoch of the slot’s fence and that of the deployment in flight', () => {
    expect(leading(on(oldId, rollout))).to.equal(newId);
    expect(epochOf(on(oldId, rollout), state(...second))).to.equal(3 * 2 ** 20 + 2);
    expect(epochOf({ ...on(newId, null), fence: 4 }, state(...second))).to.be.greaterThan(
      epochOf(on(oldId, rollout), state(...second)),
    );
  });
});

describe('time that counts', () => {
  const baking = state(requested(), stageStarted(0, 1, 1), stageReached(0, 1, 10));
  if (baking.phase === 'None') throw new Error('it was requested');

  it(
    shows(
      'Time: earned',
      'is what passed between two decisions that both saw what they need, and at most the stale limit',
    ),
    () => {
      const first = wind(null, baking, 1_000_000, true);
      expect(first.earnedMs).to.equal(0);
      expect(wind(first, baking, 1_010_000, true).earnedMs).to.equal(10_000);
      expect(wind(first, baking, 9_000_000, true).earnedMs).to.equal(31_000);
      expect(wind(first, baking, 1_010_000, false).earnedMs).to.equal(0);
      expect(wind(wind(first, baking, 1_010_000, false), baking, 1_020_000, true).earnedMs).to.equal(0);
      expect(wind(first, baking, 0, true).earnedMs).to.equal(0);
    },
  );

  it(shows('Time: earned', 'begins anew with another phase, stage or fence'), () => {
    const first = wind(wind(null, baking, 0, true), baking, 30_000, true);
    const next = deployment.evolve(baking, stageStarted(1, 3, 2));
    if (next.phase === 'None') throw new Error('it was requested');
    expect(wind(first, next, 40_000, true).earnedMs).to.equal(0);
  });
});

describe('a request whose claim is gone', () => {
  it('is refused, unless it waits for the flight it supersedes', () => {
    const situation = {
      deployment: state(requested()),
      evidence: noEvidence,
      old: null,
      proberAlive: true,
      frozen: false,
      now: { wallMs: start, monotonicMs: 0 },
      watch: null,
    };
    const { events } = decideRollout({ ...situation, slot: on(oldId, null) });
    expect(events.map(({ type }) => type)).to.deep.equal(['DeploymentRefused']);
    const flight: Flight = { ...rollout, deploymentId: oldId };
    const waits = { ...on(null, flight), successor: { ...rollout } };
    expect(decideRollout({ ...situation, slot: waits }).events).to.deep.equal([]);
  });
});
