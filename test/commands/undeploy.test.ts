/** Taking away what others require, while they are being deployed: one of the two is refused (decisions 20). */
import { expect } from 'chai';
import { CommandRefused, TooContended } from '../../src/core/executor.ts';
import { deployment } from '../../src/domain/deployment/deployment.ts';
import { PluginId } from '../../src/domain/ids.ts';
import { slot } from '../../src/domain/slot.ts';
import { registration } from '../support/plugin-facts.ts';
import { seededRandom, type SeededRandom } from '../support/seeded-random.ts';
import { keyIn, nextTurn, openWorld } from './racing-world.ts';
import { refusalOf, someContext } from './support.ts';

const core = PluginId.parse('core');
const shop = PluginId.parse('shop');
const coreKey = keyIn(core, 'Production');

/** `core` 1.0.0 is current in Production; `shop` requires `^1` of it. */
async function openShop(random: SeededRandom | null = null) {
  const world = await openWorld(random);
  await world.publish(registration({ pluginId: core }));
  for (const semanticVersion of ['1.1.0', '2.0.0'])
    await world.publish(registration({ pluginId: core }, { semanticVersion }));
  const dependencies = [{ dependencyId: core, type: 'Plugin' as const, versionConstraint: '^1.0.0' }];
  await world.publish(registration({ pluginId: shop, name: 'Shop' }, { dependencies }));
  const { request } = await world.deploy(core, 'Production');
  await world.turn(coreKey, 'Completed');
  await world.calm.executor.execute({
    ...{ aggregate: deployment, id: request.deploymentId, tenant: 'acme', context: someContext() },
    decide: () =>
      [
        { type: 'PromotionStarted', data: {} },
        { type: 'DeploymentCompleted', data: {} },
      ] as const,
  });
  const slotOf = async (key = coreKey) => (await world.calm.executor.load(slot, key)).state;
  const types = async () =>
    (await world.store.readStream(`slot-${coreKey}`, { limit: 100 })).map(({ type }) => type).slice(2);
  return { ...world, id: request.deploymentId, slotOf, types };
}

describe('undeploying what others require', () => {
  let world: Awaited<ReturnType<typeof openShop>>;
  beforeEach(async () => (world = await openShop()));
  afterEach(() => world.close());

  it('is refused while they are deployed or being deployed, names them, and leaves the slot as it was', async () => {
    const { request } = await world.deploy(shop, 'Production');
    for (const step of ['in flight', 'current']) {
      const refusal = await refusalOf(world.leave(world.id));
      expect(refusal.refused, step).to.equal('Conflict');
      expect(refusal.message)
        .to.include(request.deploymentId)
        .and.match(/shop 1\.0\.0.*\^1\.0\.0.*force/);
      expect(await world.slotOf()).to.deep.include({ flight: null, current: world.id });
      await world.turn(keyIn(shop, 'Production'), 'Completed');
    }
    await world.leave(world.id, world.calm, someContext(), true);
    expect((await world.slotOf()).flight).to.deep.include({ kind: 'undeploy', expiresAt: null });
  });

  it('is no matter of other environments, and not of those that have gone', async () => {
    await world.deploy(core, 'Staging');
    await world.turn(keyIn(core, 'Staging'), 'Completed');
    await world.deploy(shop, 'Staging');
    await world.deploy(shop, 'Production');
    await world.turn(keyIn(shop, 'Production'), 'Completed');
    await world.turn(keyIn(shop, 'Production'), 'Undeployed');
    await world.leave(world.id);
    expect(await world.types()).to.deep.equal(['UndeployProposed', 'UndeployClaimed']);
  });

  it('lets nobody be deployed who requires it, from the proposal on', async () => {
    const refusals: string[] = [];
    const curious = world.actor({
      ...world.store,
      append: async (stream, expected, events) => {
        const reached = await world.store.append(stream, expected, events);
        if (events[0]?.type === 'UndeployProposed')
          refusals.push((await refusalOf(world.deploy(shop, 'Production'))).details[0]?.message ?? '');
        return reached;
      },
    });
    await world.leave(world.id, curious);
    refusals.push((await refusalOf(world.deploy(shop, 'Production'))).details[0]?.message ?? '');
    for (const words of refusals)
      expect(words).to.match(/requires core \^1\.0\.0, and it is being undeployed/);
    expect(refusals).to.have.length(2);
  });

  it('is ended by its repetition when it was cut off, also when its proposal has expired', async () => {
    const cutOff = world.actor({
      ...world.store,
      append: (stream, expected, events) =>
        events.some(({ type }) => type === 'UndeployClaimed')
          ? Promise.reject(new Error('killed'))
          : world.store.append(stream, expected, events),
    });
    const context = someContext();
    const again = { ...context, mayRepeat: true };
    for (const by of [context, again]) {
      const error = await world.leave(world.id, cutOff, by).catch((thrown: unknown) => thrown);
      expect(error).to.have.property('message', 'killed');
    }
    expect((await world.slotOf()).flight).to.deep.include({ kind: 'undeploy' });
    await world.calm.executor.execute({
      ...{ aggregate: slot, id: coreKey, tenant: 'acme', context: someContext() },
      decide: () => [{ type: 'SlotReleased', data: { deploymentId: world.id, reason: 'expired' } }] as const,
    });
    await world.leave(world.id, world.actor(), again);
    await world.leave(world.id, world.actor(), again);
    expect(await world.types()).to.deep.equal([
      ...['UndeployProposed', 'SlotReleased', 'UndeployProposed', 'UndeployClaimed'],
    ]);
  });
});

describe('replacing what others require', () => {
  let world: Awaited<ReturnType<typeof openShop>>;
  beforeEach(async () => (world = await openShop()));
  afterEach(() => world.close());
  const replace = (more: object = {}) =>
    world.deploy(core, 'Production', world.calm, someContext(), { pluginVersion: '2.0.0', ...more });

  it('by a version that breaks them is refused, unless it is forced', async () => {
    await world.deploy(shop, 'Production');
    const refusal = await refusalOf(replace());
    expect([refusal.refused, refusal.details[0]?.field]).to.deep.equal(['Conflict', 'pluginVersion']);
    expect(await world.slotOf()).to.deep.include({ flight: null, current: world.id });
    await replace({ force: true });
  });

  it('by a version that does not break them is not', async () => {
    await world.deploy(shop, 'Production');
    await replace({ pluginVersion: '1.1.0' });
  });

  it('keeps out who would break with the version on its way', async () => {
    await replace();
    const refusal = await refusalOf(world.deploy(shop, 'Production'));
    expect(refusal.refused).to.equal('DependencyConflict');
    expect(refusal.details[0]?.message).to.match(/being replaced by 2\.0\.0/);
  });
});

describe('taking away and requiring at once', () => {
  const worlds = process.env['SLIPWAY_LONG'] === '1' ? 2_000 : 150;

  it(`never lets both win, in ${worlds} interleavings`, async function () {
    this.timeout(120_000);
    const latest = { required: 60, undeployed: 200, replaced: 120, neither: 0 };
    const seen = { required: 0, undeployed: 0, replaced: 0, neither: 0 };
    for (let seed = 1; seed <= worlds; seed += 1) {
      const random = seededRandom(seed);
      const world = await openShop(random);
      const won: (keyof typeof seen)[] = [];
      const attempt = async (what: keyof typeof seen, act: () => Promise<unknown>): Promise<void> => {
        // Deploying takes more turns than undeploying, and less than replacing.
        for (let turns = random.between(0, latest[what]); turns > 0; turns -= 1) await nextTurn();
        try {
          await act();
          won.push(what);
        } catch (error) {
          if (!(error instanceof CommandRefused) && !(error instanceof TooContended)) throw error;
        }
      };
      const next = { pluginVersion: '2.0.0' };
      await Promise.all([
        attempt('required', () => world.deploy(shop, 'Production', world.actor())),
        random.chance(0.5)
          ? attempt('undeployed', () => world.leave(world.id, world.actor()))
          : attempt('replaced', () => world.deploy(core, 'Production', world.actor(), someContext(), next)),
      ]);
      expect(won.length, `seed ${seed}: ${won.join()}`).to.be.at.most(1);
      const held = await world.slotOf(keyIn(shop, 'Production'));
      expect(held.flight !== null, `seed ${seed}`).to.equal(won[0] === 'required');
      if (won[0] === 'required' || won.length === 0)
        expect(await world.slotOf(), `seed ${seed}`).to.deep.include({ flight: null, current: world.id });
      seen[won[0] ?? 'neither'] += 1;
      await world.close();
    }
    // Otherwise the seeds would have met no race at all.
    expect(Math.min(seen.required, seen.undeployed, seen.replaced)).to.be.greaterThan(worlds / 20);
  });
});
