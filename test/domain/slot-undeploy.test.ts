import { expect } from 'chai';
import { DeploymentId, UserId } from '../../src/domain/ids.ts';
import {
  claim,
  expireClaim,
  release,
  slot,
  type SlotEvent,
  unconfirmedClaims,
} from '../../src/domain/slot.ts';
import { claimUndeploy, confirmUndeploy, proposeUndeploy } from '../../src/domain/slot-undeploy.ts';
import { spec } from '../support/given-when-then.ts';

const [a, b] = [DeploymentId.parse('dep-a'), DeploymentId.parse('dep-b')];
const leaving = { deploymentId: a, reason: 'No longer needed', by: UserId.parse('usr_ada') };
const expiresAt = '2026-01-01T00:00:30.000Z';
const late = Date.parse(expiresAt);
const current: SlotEvent[] = [
  { type: 'SlotClaimed', data: { deploymentId: a, previousDeploymentId: null, expiresAt } },
  { type: 'SlotTurned', data: { current: a, ended: a, outcome: 'Completed', coolDown: null } },
];
const proposed: SlotEvent = { type: 'UndeployProposed', data: { ...leaving, expiresAt } };
const claimed: SlotEvent = { type: 'UndeployClaimed', data: leaving };
const given = (...events: readonly SlotEvent[]) => spec(slot).given(...events);

describe('leaving a slot', () => {
  it('is proposed once, by who is current, while nothing is in flight', () => {
    const propose =
      (deploymentId = a) =>
      (state: typeof slot.initial) =>
        proposeUndeploy(state, { ...leaving, deploymentId, expiresAt });
    given(...current)
      .when(propose())
      .then(proposed);
    given(...current, proposed)
      .when(propose())
      .then();
    given(...current, claimed)
      .when(propose())
      .then();
    given(...current)
      .when(propose(b))
      .thenRefused('Conflict', /not its slot's current/);
    given(current[0]!)
      .when(propose())
      .thenRefused('Conflict', /dep-a is in flight/);
  });

  it('is claimed with or without a proposal, once', () => {
    for (const before of [current, [...current, proposed]])
      given(...before)
        .when((state) => claimUndeploy(state, leaving))
        .then(claimed);
    given(...current, claimed)
      .when((state) => claimUndeploy(state, leaving))
      .then();
  });

  it('is confirmed as long as the proposal holds', () => {
    given(...current, proposed)
      .when((state) => confirmUndeploy(state, leaving))
      .then(claimed);
    given(...current, claimed)
      .when((state) => confirmUndeploy(state, leaving))
      .then();
    given(...current)
      .when((state) => confirmUndeploy(state, leaving))
      .thenRefused('Conflict', /try again/);
  });

  it('changes nothing of what runs until it is decided, and keeps others out meanwhile', () => {
    const fence = ({ state }: { state: { fence: number } }): number => state.fence;
    expect(fence(given(...current, proposed))).to.equal(fence(given(...current)));
    const input = {
      pluginVersion: '2',
      configurationHash: 'h',
      supersede: true,
      force: true,
      now: 0,
      expiresAt,
    };
    given(...current, proposed)
      .when((state) => claim(state, { ...input, deploymentId: b }))
      .thenRefused('Conflict', /dep-a/);
    const released = given(...current, proposed, {
      type: 'SlotReleased',
      data: { deploymentId: a, reason: 'No' },
    });
    expect(released.state).to.deep.equal(given(...current).state);
  });

  it('expires when nobody decides, and never once it was decided', () => {
    expect(unconfirmedClaims(given(...current, proposed).state)).to.deep.equal([
      { deploymentId: a, expiresAt },
    ]);
    expect(unconfirmedClaims(given(...current, claimed).state)).to.deep.equal([]);
    given(...current, proposed)
      .when((state) => expireClaim(state, a, true, late - 1))
      .then();
    const { decision } = given(...current, proposed).when((state) => expireClaim(state, a, true, late));
    expect(decision).to.have.nested.property('[0].type', 'SlotReleased');
    given(...current, claimed)
      .when((state) => expireClaim(state, a, true, late))
      .then();
    given(...current, claimed)
      .when((state) => release(state, a, 'No'))
      .then();
  });
});
