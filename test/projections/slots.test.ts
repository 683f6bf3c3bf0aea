import { expect } from 'chai';
import { NotThereYet } from '../../src/core/consistency.ts';
import { Environment, PluginId } from '../../src/domain/ids.ts';
import { dueClaims, occupiedSlots, occupiedSlotsOf, slotsProjection } from '../../src/projections/slots.ts';
import { request, requested, stageStarted } from '../domain/deployment/samples.ts';
import { dep, expiresAt, openFacts, type Facts } from './slot-facts.ts';

const [one, two] = [dep('one'), dep('two')];

describe('slots', () => {
  let facts: Facts;
  beforeEach(async () => (facts = await openFacts([slotsProjection])));
  afterEach(() => facts.world.close());

  async function occupied() {
    await facts.world.caughtUp();
    return Array.fromAsync(occupiedSlots(facts.world.models));
  }
  async function due(afterMs: number) {
    await facts.world.caughtUp();
    return dueClaims(facts.world.models, Date.parse(expiresAt) + afterMs, 10);
  }

  it('are occupied from the first claim until nothing is current', async () => {
    const key = await facts.deploy(one);
    await facts.deploy(two, { environment: Environment.parse('Staging') });
    expect((await occupied()).map(({ slot }) => slot.environment)).to.deep.equal(['production', 'staging']);
    await facts.turn(key, one, 'Completed', one);
    const [first] = await occupied();
    expect(first).to.deep.include({ key });
    expect(first!.state).to.deep.include({ current: one, flight: null, completed: [one] });
    await facts.turn(key, one, 'Undeployed', null);
    expect((await occupied()).length).to.equal(1);
  });

  it('have claims that are due until their deployments are recorded, or they are released', async () => {
    const key = await facts.deploy(one);
    expect(await due(0)).to.deep.equal([]);
    const claim = (at: string) =>
      facts.slot(key, {
        type: 'SuccessorClaimed',
        data: { deploymentId: two, previousDeploymentId: null, expiresAt: at },
      });
    await claim(expiresAt);
    expect([await due(-1), await due(0)]).to.deep.equal([[], [key]]);
    await facts.slot(key, { type: 'SlotReleased', data: { deploymentId: two, reason: 'refused' } });
    expect(await due(0)).to.deep.equal([]);

    await claim(expiresAt);
    await facts.turn(key, one, 'RolledBack', null);
    expect(await due(0), 'it took off unrecorded').to.deep.equal([key]);
    await facts.deployment(two, requested(request({}, { deploymentId: two })), stageStarted(0, 1, 1));
    expect(await due(0)).to.deep.equal([]);
  });

  it('are found by their plugin: also those that could not be digested, not before a position is reached', async () => {
    const key = await facts.deploy(one);
    const { plugin } = request();
    const other = PluginId.parse('other');
    await facts.deploy(two, { plugin: other });
    await facts.world.caughtUp();
    const { models, store } = facts.world;
    const head = await store.head();
    const parked = {
      revision: 3,
      eventId: 'e',
      type: 'SlotTurned',
      projection: 'slots',
      ...{ error: '', tries: 5, parkedAt: '' },
    };
    const projector = {
      waitFor: async () => true,
      parked: () =>
        [key, `acme.test.${plugin}`, 'acme.test.third'].map((slot) => ({
          ...parked,
          stream: `slot-${slot}`,
        })),
    };
    expect(await occupiedSlotsOf({ models, projector }, plugin, head)).to.deep.equal([
      key,
      `acme.test.${plugin}`,
    ]);
    expect((await occupiedSlotsOf({ models, projector }, other, head)).length).to.equal(1);
    const behind = { ...projector, waitFor: async () => false };
    const error = await occupiedSlotsOf({ models, projector: behind }, plugin, head).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(NotThereYet);
  });
});
