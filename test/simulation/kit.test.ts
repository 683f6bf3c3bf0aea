/** What looks at the lives finds what is planted in one. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ends, type Fact, rolloutFaults } from '../support/rollout-faults.ts';
import { slotFaults } from '../support/slot-faults.ts';
import { openWorld } from '../support/simulated-platform.ts';

async function story(newId?: () => string) {
  const world = await openWorld({ seed: 'kit', ...(newId && { newId }) });
  try {
    for (const version of ['1.0.0', '2.0.0']) await world.register('mailer', version);
    for (const version of ['1.0.0', '2.0.0']) {
      const strategyConfig = { stages: '50,100', stageInterval: '30' };
      const canary = { strategy: 'Canary', totalInstances: 2, strategyConfig };
      await world.deploy('mailer', version, canary);
      await world.pass(120);
    }
    return [...world.everything];
  } finally {
    await world.close();
  }
}

describe('what looks at the lives of rollouts', () => {
  let facts: readonly Fact[];
  before(async () => {
    facts = await story();
  });

  const faultsOf = (changed: readonly Fact[]) => rolloutFaults(changed, []).faults.join('; ');
  const index = (type: string, nth = 0): number =>
    facts.flatMap((fact, at) => (fact.type === type ? [at] : []))[nth] ?? expect.fail(`no ${type}`);
  const without = (type: string): readonly Fact[] => facts.toSpliced(index(type), 1);
  /** As if the event had been recorded before another. */
  const moved = (from: number, to: number): readonly Fact[] => {
    const { at } = facts[to]!.metadata;
    const fact = { ...facts[from]!, metadata: { ...facts[from]!.metadata, at } };
    return facts.toSpliced(from, 1).toSpliced(to, 0, fact);
  };

  it('finds nothing where nothing is planted', () => {
    expect(rolloutFaults(facts, []).faults).to.deep.equal([]);
    expect(rolloutFaults(facts, []).current).to.include({ pluginVersion: '2.0.0' });
  });

  it('finds a second flight in a slot', () => {
    expect(faultsOf(moved(index('SlotClaimed', 1), index('StageStarted')))).to.match(
      /while .* was in flight/,
    );
  });

  it('finds a stage that is early, left out or done twice', () => {
    expect(faultsOf(moved(index('StageStarted', 1), index('CanaryStageReached') + 1))).to.match(
      /stage 0 baked \d+ ms of 30000/,
    );
    expect(faultsOf(without('StageStarted'))).to.match(/out of turn/);
    expect(faultsOf(facts.toSpliced(index('StageStarted', 1), 0, facts[index('StageStarted')]!))).to.match(
      /out of turn/,
    );
  });

  it('finds a stage that was left without evidence', () => {
    const blind = facts.filter(({ type }) => type !== 'InstanceHealthObserved');
    expect(faultsOf(blind)).to.match(/left without their having passed/);
    const halved = facts.map((fact) =>
      fact.type === 'InstanceHealthObserved'
        ? { ...fact, data: { ...fact.data, reports: (fact.data['reports'] as readonly []).slice(0, 1) } }
        : fact,
    );
    expect(faultsOf(halved)).to.match(/a stage of 2 was left without/);
  });

  it('finds a rollout that never ends', () => {
    expect(faultsOf(facts.filter(({ type }) => !ends.includes(type)))).to.match(/it never ended/);
    expect(faultsOf(without('SlotTurned'))).to.match(/in flight/);
  });

  it('finds a run that is not the same again', async () => {
    expect(await story()).to.deep.equal(facts);
    expect(await story(randomUUID)).not.to.deep.equal(facts);
  });
});

describe('what looks at slots', () => {
  const claimed = (deploymentId: string) => ({ type: 'SlotClaimed', data: { deploymentId } });
  const waits = (deploymentId: string) => ({ type: 'SuccessorClaimed', data: { deploymentId } });
  const turned = (ended: string, current: string | null = ended) => ({
    type: 'SlotTurned',
    data: { ended, current },
  });

  it('finds two at once, one that never ends, and one that ends without having begun', () => {
    const good = [claimed('a'), waits('b'), turned('a', null), turned('b')];
    expect(slotFaults(good)).to.deep.equal({ faults: [], current: 'b' });
    expect(slotFaults([claimed('a'), claimed('b'), turned('b')]).faults).to.have.length(1);
    expect(slotFaults(good.slice(0, 3)).faults).to.deep.equal(['b is still in flight']);
    expect(slotFaults([turned('a')]).faults).to.deep.equal(['nobody was in flight, a ended']);
  });
});
