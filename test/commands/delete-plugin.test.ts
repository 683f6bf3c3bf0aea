/** Deleting a plugin while others deploy it: whatever the order, no deployment of a deleted plugin lives (decisions 29). */
import { expect } from 'chai';
import { CommandRefused, TooContended } from '../../src/core/executor.ts';
import { DeploymentId, PluginId } from '../../src/domain/ids.ts';
import { livePlugin, plugin } from '../../src/domain/plugin.ts';
import { slot } from '../../src/domain/slot.ts';
import { deletionFaults } from '../support/deletion-faults.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { acme, keyIn, nextTurn, openWorld } from './racing-world.ts';
import { refusalOf, someContext } from './support.ts';

const mailer = PluginId.parse('mailer');

describe('deleting a plugin', () => {
  let world: Awaited<ReturnType<typeof openWorld>>;
  beforeEach(async () => {
    world = await openWorld();
    await world.register(mailer);
  });
  afterEach(() => world.close());
  const types = async () =>
    (await world.store.readStream('plugin-mailer', { limit: 100 })).slice(2).map(({ type }) => type);
  const state = async () => (await world.calm.executor.load(plugin, mailer)).state;

  it('is refused while it is deployed or being deployed, and done once it is neither', async () => {
    const { request } = await world.deploy(mailer, 'Production');
    const refusal = await refusalOf(world.remove(mailer));
    expect(refusal.refused).to.equal('Conflict');
    expect(refusal.message).to.match(/undeploy from all tenants first/);
    expect(refusal.details[0]?.message).to.include(request.deploymentId);
    await world.turn(keyIn(mailer, 'Production'), 'Completed');
    expect((await refusalOf(world.remove(mailer))).refused).to.equal('Conflict');
    await world.turn(keyIn(mailer, 'Production'), 'Undeployed');
    await world.remove(mailer);
    const refused = ['PluginDeletionStarted', 'PluginDeletionRefused'];
    expect(await types()).to.deep.equal([...refused, ...refused, 'PluginDeletionStarted', 'PluginDeleted']);
    expect(livePlugin(await state())).to.equal(null);
    expect((await refusalOf(world.remove(mailer))).refused).to.equal('NotFound');
    expect((await refusalOf(world.deploy(mailer, 'Production'))).refused).to.equal('NotFound');
  });

  it('is no matter of other plugins', async () => {
    const other = PluginId.parse('mailer-two');
    await world.register(other);
    await world.deploy(other, 'Production');
    await world.remove(mailer);
    expect(livePlugin(await state())).to.equal(null);
  });

  it('is ended by the next request when its own was cut off', async () => {
    const cutOff = world.actor({
      ...world.store,
      append: (stream, expected, events) =>
        events.some(({ type }) => type === 'PluginDeleted')
          ? Promise.reject(new Error('killed'))
          : world.store.append(stream, expected, events),
    });
    const error = await world.remove(mailer, cutOff).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).to.have.property('message', 'killed');
    const meanwhile = await refusalOf(world.deploy(mailer, 'Production'));
    expect(meanwhile.message).to.match(/being deleted/);
    expect((await world.calm.executor.load(slot, keyIn(mailer, 'Production'))).state.flight).to.equal(null);
    await world.remove(mailer);
    expect(await types()).to.deep.equal(['PluginDeletionStarted', 'PluginDeleted']);
  });

  it('answers its repetition as it was answered', async () => {
    const context = someContext();
    const first = await world.remove(mailer, world.calm, context);
    await world.register(mailer);
    const again = await world.remove(mailer, world.actor(), { ...context, mayRepeat: true });
    expect(again).to.deep.equal(first);
    expect(livePlugin(await state())).not.to.equal(null);
  });

  it('takes no notice of a claim after the mark, which is given back', async () => {
    const key = keyIn(mailer, 'Production');
    const late = world.actor({
      ...world.store,
      append: async (stream, expected, events) => {
        const reached = await world.store.append(stream, expected, events);
        if (events[0]?.type === 'PluginDeletionStarted')
          await world.calm.executor.execute({
            ...{ aggregate: slot, id: key, tenant: acme, context: someContext() },
            decide: () => [{ type: 'SlotClaimed', data: claimed }] as const,
          });
        return reached;
      },
    });
    await world.remove(mailer, late);
    expect(livePlugin(await state())).to.equal(null);
  });
  const claimed = {
    deploymentId: DeploymentId.parse('dep-late'),
    previousDeploymentId: null,
    expiresAt: '2030-01-01T00:00:30.000Z',
  };

  it('leaves a deployment its slot when its request is repeated meanwhile', async () => {
    const context = someContext();
    const { request } = await world.deploy(mailer, 'Production', world.calm, context);
    const cutOff = world.actor({
      ...world.store,
      append: (stream, expected, events) =>
        events.some(({ type }) => type === 'PluginDeletionRefused')
          ? Promise.reject(new Error('killed'))
          : world.store.append(stream, expected, events),
    });
    await world.remove(mailer, cutOff).catch(() => undefined);
    await refusalOf(world.deploy(mailer, 'Production', world.calm, { ...context, mayRepeat: true }));
    const { flight } = (await world.calm.executor.load(slot, keyIn(mailer, 'Production'))).state;
    expect(flight?.deploymentId).to.equal(request.deploymentId);
    expect((await refusalOf(world.remove(mailer))).refused).to.equal('Conflict');
  });
});

describe('deleting and deploying at once', () => {
  const worlds = Number(process.env['SLIPWAY_LONG'] ?? 0) > 0 ? 2_000 : 250;

  it(`never leaves a live deployment of a deleted plugin, in ${worlds} interleavings`, async function () {
    this.timeout(120_000);
    const seen = { deleted: 0, deployed: 0, both: 0 };
    for (let seed = 1; seed <= worlds; seed += 1) {
      const random = seededRandom(seed);
      const world = await openWorld(random);
      await world.register(mailer);
      const outcomes: string[] = [];
      const attempt = async (what: string, act: () => Promise<unknown>): Promise<void> => {
        // Deploying takes more turns than deleting: both must have their chance to be first.
        const latest = what === 'deleted' ? 200 : 40;
        for (let turns = random.between(0, latest); turns > 0; turns -= 1) await nextTurn();
        try {
          await act();
          outcomes.push(what);
        } catch (error) {
          if (!(error instanceof CommandRefused) && !(error instanceof TooContended)) throw error;
        }
      };
      const deploying = async (environment: string): Promise<void> => {
        const by = world.actor();
        await world.deploy(mailer, environment, by);
        if (random.chance(0.5)) await world.turn(keyIn(mailer, environment), 'Completed', by);
        if (random.chance(0.3)) await world.turn(keyIn(mailer, environment), 'Undeployed', by);
      };
      await Promise.all([
        attempt('deployed', () => deploying('Production')),
        attempt('deployed', () => deploying(random.pick(['Production', 'Staging']))),
        attempt('deleted', () => world.remove(mailer, world.actor())),
        ...(random.chance(0.5) ? [attempt('deleted', () => world.remove(mailer, world.actor()))] : []),
        ...(random.chance(0.3) ? [attempt('registered', () => world.register(mailer, world.actor()))] : []),
      ]);
      const { events } = await world.store.readAll({ after: null, limit: 1_000 });
      expect(deletionFaults(events), `seed ${seed}`).to.deep.equal([]);
      const [deleted, deployed] = [outcomes.includes('deleted'), outcomes.includes('deployed')];
      seen.deleted += Number(deleted);
      seen.deployed += Number(deployed);
      seen.both += Number(deleted && deployed);
      await world.close();
    }
    // Otherwise the seeds would have met no race at all.
    expect(Math.min(seen.deleted, seen.deployed), JSON.stringify(seen)).to.be.greaterThan(worlds / 5);
  });
});
