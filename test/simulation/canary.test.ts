/** Rollouts of the whole platform over virtual days: commands, processes, prober and simulated instances. */
import { expect } from 'chai';
import { openWorld, type World } from '../support/simulated-platform.ts';

describe('a rollout over virtual days', function () {
  this.timeout(60_000);
  let world: World;
  const slot = 'acme.production.mailer';
  const hourly = { intervalSeconds: 3600 };
  const canary = {
    strategy: 'Canary',
    totalInstances: 10,
    strategyConfig: {
      canaryPercentage: '10',
      stages: '10,30,50,100',
      stageInterval: '86400',
    },
    healthCheck: hourly,
  };
  const direct = {
    totalInstances: 10,
    strategyConfig: { bakeSeconds: '60' },
    healthCheck: hourly,
  };

  async function open(tags: readonly string[] = []) {
    world = await openWorld({ seed: 'canary', onDisk: true });
    await world.register('mailer', '1.0.0');
    await world.register('mailer', '2.0.0');
    await world.register('sick-mailer', '1.0.0', tags);
  }
  afterEach(() => world.close());

  async function stagesReached(id: string): Promise<number[]> {
    const events = await world.eventsOf(`deployment-${id}`);
    return events
      .filter(({ type }) => type === 'CanaryStageReached')
      .map(({ data }) => Number(data['instances']));
  }

  it('walks 1, 3, 5, 10 of 10, a day each, and completes', async () => {
    await open();
    const id = await world.deploy('mailer', '1.0.0', canary);
    await world.pass(2 * 3600);
    expect(await world.statusOf(id)).to.include({
      status: 'InProgress',
      phase: 'Baking',
      stage: 1,
      stages: 4,
    });
    expect(await world.instancesOf(slot)).to.deep.equal({ [id]: 1 });
    await world.pass(20 * 3600);
    expect(await world.statusOf(id)).to.include({ stage: 1 });
    await world.pass(5 * 86_400);
    expect(await world.statusOf(id)).to.include({ status: 'Completed' });
    expect(await stagesReached(id)).to.deep.equal([1, 3, 5, 10]);
    expect(await world.instancesOf(slot)).to.deep.equal({ [id]: 10 });
    expect(world.parked).to.deep.equal([]);
  });

  it('keeps the reports of instances for a week', async () => {
    await open();
    const id = await world.deploy('mailer', '1.0.0', direct);
    await world.pass(6 * 3600);
    const first = (await world.eventsOf(`health-${id}`)).at(0)!.revision;
    await world.pass(8 * 86_400);
    expect((await world.eventsOf(`health-${id}`)).at(0)!.revision).to.be.greaterThan(first);
    expect(await world.statusOf(id)).to.include({ status: 'Completed' });
  });

  it('replaces the old version only when it has completed', async () => {
    await open();
    const old = await world.deploy('mailer', '1.0.0', direct);
    await world.pass(6 * 3600);
    expect(await world.statusOf(old)).to.include({ status: 'Completed' });
    const next = await world.deploy('mailer', '2.0.0', canary);
    await world.pass(30 * 3600);
    expect(await world.instancesOf(slot)).to.deep.equal({ [old]: 10, [next]: 3 });
    await world.pass(4 * 86_400);
    expect(await world.instancesOf(slot)).to.deep.equal({ [next]: 10 });
  });

  it('goes back to the old version when the canary falls sick, and says why', async () => {
    await open();
    const old = await world.deploy('mailer', '1.0.0', direct);
    await world.pass(6 * 3600);
    const sick = await world.deploy('mailer', '2.0.0', {
      ...canary,
      configuration: { simulate: 'sick-after:100000' },
    });
    await world.pass(3 * 86_400);
    const status = await world.statusOf(sick);
    expect(status).to.include({ status: 'RolledBack' });
    expect(status.reason).to.match(/fail/i);
    expect(await world.instancesOf(slot)).to.deep.equal({ [old]: 10 });
  });

  it('fails when there is nothing to go back to, and leaves no instance', async () => {
    await open(['simulate:sick-after:100000']);
    const sick = await world.deploy('sick-mailer', '1.0.0', canary);
    await world.pass(3 * 86_400);
    expect(await world.statusOf(sick)).to.include({ status: 'Failed' });
    expect(await world.instancesOf('acme.production.sick-mailer')).to.deep.equal({});
  });

  it('is ended by its deadline when an instance never passes', async () => {
    await open();
    const id = await world.deploy('mailer', '1.0.0', {
      ...canary,
      configuration: { simulate: 'slow-start:9999999' },
    });
    await world.pass(2 * 86_400);
    expect(await world.statusOf(id)).to.include({ status: 'Failed' });
  });

  it('ends the same when the platform is killed in the middle of every stage', async () => {
    await open();
    const id = await world.deploy('mailer', '1.0.0', canary);
    for (let day = 0; day < 4; day += 1) {
      await world.pass(12 * 3600);
      await world.crash(3 * 86_400);
      expect(await world.instancesOf(slot), `day ${day}`).to.have.property(id);
      await world.pass(18 * 3600);
    }
    await world.pass(3 * 86_400);
    expect(await world.statusOf(id)).to.include({ status: 'Completed' });
    const counts = await stagesReached(id);
    expect([...new Set(counts)]).to.deep.equal([1, 3, 5, 10]);
    expect(counts).to.deep.equal(counts.toSorted((a, b) => a - b));
    expect(await world.instancesOf(slot)).to.deep.equal({ [id]: 10 });
  });

  it('rolls back a running and a completed deployment on request, and answers a repetition the same', async () => {
    await open();
    const old = await world.deploy('mailer', '1.0.0', direct);
    await world.pass(6 * 3600);
    const next = await world.deploy('mailer', '2.0.0', direct);
    await world.pass(6 * 3600);
    expect(await world.statusOf(next)).to.include({ status: 'Completed' });
    const accepted = await world.rollBack(next);
    expect(accepted).to.include({ status: 'RollingBack', previousDeploymentId: old });
    await world.pass(6 * 3600);
    expect(await world.statusOf(next)).to.include({ status: 'RolledBack' });
    expect(await world.instancesOf(slot)).to.deep.equal({ [old]: 10 });
    const again = await world.rollBack(next);
    expect(again).to.include({ status: 'RolledBack', rolledBackAt: accepted.rolledBackAt });
  });

  it('refuses a second deployment while one is in flight, naming the first', async () => {
    await open();
    const first = await world.deploy('mailer', '1.0.0', canary);
    const refused = await world.deploy('mailer', '2.0.0', canary).catch((error: unknown) => error);
    expect(String(refused)).to.include(first);
  });
});
