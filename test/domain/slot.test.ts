import { expect } from 'chai';
import { DeploymentId, UserId } from '../../src/domain/ids.ts';
import * as slots from '../../src/domain/slot.ts';
import { slot, type SlotEvent, type SlotOutcome } from '../../src/domain/slot.ts';
import { spec } from '../support/given-when-then.ts';
import { shows } from '../support/rollout-rows.ts';

const [a, b, c] = ['dep-a', 'dep-b', 'dep-c'].map((id) => DeploymentId.parse(id)) as [
  DeploymentId,
  DeploymentId,
  DeploymentId,
];
const by = UserId.parse('usr_ada');
const now = Date.parse('2026-01-01T00:00:00.000Z');
const expiresAt = '2026-01-01T00:01:00.000Z';

const claimInput = (deploymentId: DeploymentId): slots.ClaimInput => ({
  deploymentId,
  pluginVersion: '2.0.0',
  configurationHash: 'hash',
  supersede: false,
  force: false,
  now,
  expiresAt,
});
const claimed = (
  deploymentId: DeploymentId,
  previousDeploymentId: DeploymentId | null = null,
): Extract<SlotEvent, { type: 'SlotClaimed' }> => ({
  type: 'SlotClaimed',
  data: { deploymentId, previousDeploymentId, expiresAt },
});
const turned = (
  ended: DeploymentId,
  current: DeploymentId | null,
  outcome: SlotOutcome = 'Completed',
  coolDownUntil?: string,
): Extract<SlotEvent, { type: 'SlotTurned' }> => ({
  type: 'SlotTurned',
  data: {
    current,
    ended,
    outcome,
    coolDown:
      coolDownUntil === undefined
        ? null
        : { pluginVersion: '2.0.0', configurationHash: 'hash', until: coolDownUntil },
  },
});
const given = (
  ...events: readonly SlotEvent[]
): ReturnType<ReturnType<typeof spec<slots.SlotState, SlotEvent>>['given']> => spec(slot).given(...events);

describe('a slot', () => {
  it(
    shows(
      'States: one current, one in flight',
      'is claimed by one deployment at a time; the second is told the id of the first',
    ),
    () => {
      given()
        .when((state) => slots.claim(state, claimInput(a)))
        .then(claimed(a));
      given(claimed(a))
        .when((state) => slots.claim(state, claimInput(b)))
        .thenRefused('Conflict', /dep-a/);
    },
  );

  it('claimed again by the same deployment has nothing to do', () => {
    given(claimed(a))
      .when((state) => slots.claim(state, claimInput(a)))
      .then();
  });

  it('fixes the previous deployment when it is claimed: the current one', () => {
    given(claimed(a), turned(a, a))
      .when((state) => slots.claim(state, claimInput(b)))
      .then(claimed(b, a));
  });

  it('lets a deployment supersede the flight: it takes off when that has ended', () => {
    const superseding = { ...claimInput(b), supersede: true };
    const waits: SlotEvent = {
      type: 'SuccessorClaimed',
      data: { deploymentId: b, previousDeploymentId: null, expiresAt },
    };
    given(claimed(a))
      .when((state) => slots.claim(state, superseding))
      .then(waits);
    given(claimed(a), waits)
      .when((state) => slots.claim(state, { ...superseding, deploymentId: c }))
      .thenRefused('Conflict', /dep-b/);
    const { state } = given(claimed(a), waits, turned(a, null, 'Superseded'));
    expect(state.flight).to.deep.include({ kind: 'rollout', deploymentId: b });
    expect(state.successor).to.equal(null);
  });

  it(
    shows(
      'States: cool-down',
      'cools down for the same version and configuration after an automatic rollback, unless forced',
    ),
    () => {
      const until = '2026-01-01T00:10:00.000Z';
      const cooling = given(claimed(a), turned(a, null, 'RolledBack', until));
      cooling.when((state) => slots.claim(state, claimInput(b))).thenRefused('Conflict', /00:10:00.*force/);
      cooling.when((state) => slots.claim(state, { ...claimInput(b), force: true })).then(claimed(b));
      cooling
        .when((state) => slots.claim(state, { ...claimInput(b), configurationHash: 'other' }))
        .then({ type: 'SlotClaimed', data: { deploymentId: b, previousDeploymentId: null, expiresAt } });
      cooling
        .when((state) => slots.claim(state, { ...claimInput(b), now: Date.parse(until) }))
        .then(claimed(b));
    },
  );

  it(
    shows(
      'States: cool-down',
      'cools down for each of those that were rolled back, though another was since',
    ),
    () => {
      const first = { pluginVersion: '2.0.0', configurationHash: 'hash', until: '2026-01-01T00:10:00.000Z' };
      const second = { pluginVersion: '2.1.0', configurationHash: 'hash', until: '2026-01-01T00:12:00.000Z' };
      const back = (ended: DeploymentId, coolDown: typeof first): slots.SlotEvent => ({
        type: 'SlotTurned',
        data: { current: null, ended, outcome: 'RolledBack', coolDown },
      });
      const both = given(claimed(a), back(a, first), claimed(c), back(c, second));
      for (const pluginVersion of ['2.0.0', '2.1.0'])
        both
          .when((state) => slots.claim(state, { ...claimInput(b), pluginVersion }))
          .thenRefused('Conflict', /just rolled back/);
      // By the next rollback both have cooled down.
      const third = { ...first, pluginVersion: '2.2.0', until: '2026-01-01T01:00:00.000Z' };
      const later = given(
        claimed(a),
        back(a, first),
        claimed(c),
        back(c, second),
        claimed(a),
        back(a, third),
      );
      expect(later.state.coolDowns).to.deep.equal([third]);
    },
  );

  it('releases a claim whose deployment was refused, and nothing else', () => {
    given(claimed(a))
      .when((state) => slots.release(state, a, 'no such version'))
      .then({ type: 'SlotReleased', data: { deploymentId: a, reason: 'no such version' } });
    given(claimed(a))
      .when((state) => slots.release(state, b, 'no such version'))
      .then();
  });

  it('lets a claim expire only when nobody recorded its deployment', () => {
    const late = Date.parse(expiresAt);
    given(claimed(a))
      .when((state) => slots.expireClaim(state, a, true, late))
      .then();
    given(claimed(a))
      .when((state) => slots.expireClaim(state, a, false, late - 1))
      .then();
    const reason = 'The claim expired before its deployment was recorded';
    given(claimed(a))
      .when((state) => slots.expireClaim(state, a, false, late))
      .then({ type: 'SlotReleased', data: { deploymentId: a, reason } });
  });

  it(shows('States: one current, one in flight', 'turns once for a flight'), () => {
    given(claimed(a))
      .when((state) => slots.end(state, turned(a, a)))
      .then(turned(a, a));
    given(claimed(a), turned(a, a))
      .when((state) => slots.end(state, turned(a, a)))
      .then();
  });

  it(shows('States: three to return to', 'keeps the three last completed deployments'), () => {
    const ids = ['1', '2', '3', '4'].map((n) => DeploymentId.parse(`dep-${n}`));
    const { state } = given(...ids.flatMap((id) => [claimed(id), turned(id, id)]));
    expect(state.completed).to.deep.equal(ids.slice(1));
  });

  it('is claimed for a rollback of its current deployment only, while nothing is in flight', () => {
    const asked = { deploymentId: b, to: a, reason: 'High error rate detected', by };
    const completed = [claimed(a), turned(a, a), claimed(b, a), turned(b, b)];
    const back: SlotEvent = { type: 'RollbackClaimed', data: asked };
    given(...completed)
      .when((state) => slots.claimRollback(state, asked))
      .then(back);
    given(...completed, back)
      .when((state) => slots.claimRollback(state, asked))
      .then();
    given(...completed, back)
      .when((state) => slots.claim(state, claimInput(c)))
      .thenRefused('Conflict', /dep-b/);
    given(...completed, claimed(c, b))
      .when((state) => slots.claimRollback(state, asked))
      .thenRefused('Conflict', /dep-c/);
    given(...completed)
      .when((state) => slots.claimRollback(state, { ...asked, deploymentId: a }))
      .thenRefused('Conflict', /not its slot's current/);
    given(...completed)
      .when((state) => slots.claimRollback(state, { ...asked, to: null }))
      .thenRefused('Conflict', /nothing to return to/);
  });

  it('raises its fence whenever other instances should run', () => {
    const events = [claimed(a), turned(a, a), claimed(b, a), turned(b, a, 'RolledBack')];
    const fences = events.map((_, i) => given(...events.slice(0, i + 1)).state.fence);
    expect(fences).to.deep.equal([1, 2, 3, 4]);
  });
});
