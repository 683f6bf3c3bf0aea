import { expect } from 'chai';
import { openSimulatedRuntime } from '../../../src/adapters/simulated/runtime.ts';
import { conditionAt, parseScenario, scenarioNames } from '../../../src/adapters/simulated/scenario.ts';
import { DeploymentId, type SlotKey } from '../../../src/domain/ids.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { probedRuntimeContract } from '../../contract/runtime.ts';

function handClock(): Clock & { seconds: number } {
  const clock = {
    seconds: 0,
    now: () => clock.seconds * 1000,
    monotonic: () => clock.seconds * 1000,
    after: () => () => undefined,
  };
  return clock;
}

probedRuntimeContract('simulated', async () =>
  openSimulatedRuntime({ clock: handClock(), seed: 'contract' }),
);

describe('simulated scenarios', () => {
  const slot = 'acme.production.mailer' as SlotKey;
  const unconfigured = { runtime: 'simulated', configuration: {} } as const;

  async function outcomesOver(scenario: string, seconds: readonly number[], instances = 1) {
    const clock = handClock();
    const runtime = openSimulatedRuntime({ clock, seed: 'one' });
    const deploymentId = DeploymentId.parse('dep-a');
    await runtime.ensure(slot, 1, [
      { ...{ deploymentId, pluginVersion: '1.0.0', instances }, ...unconfigured, scenario },
    ]);
    const seen: (string | null)[] = [];
    for (const second of seconds) {
      clock.seconds = second;
      for (const instance of (await runtime.inspect(slot))!.instances)
        seen.push((await runtime.probe(instance.id, 1000))?.outcome ?? null);
    }
    return seen;
  }

  it('healthy: fails while it starts, passes afterwards', async () => {
    expect(await outcomesOver('healthy', [0, 1, 2, 100_000])).to.deep.equal(['fail', 'fail', 'pass', 'pass']);
  });
  it('slow-start: passes only when its time has come', async () => {
    expect(await outcomesOver('slow-start:90', [10, 89, 90])).to.deep.equal(['fail', 'fail', 'pass']);
  });
  it('sick-after: well, then sick for good', async () => {
    expect(await outcomesOver('sick-after:30', [29, 30, 3000])).to.deep.equal(['pass', 'fail', 'fail']);
  });
  it('flapping: changes sides', async () => {
    expect(await outcomesOver('flapping:10', [5, 15, 25])).to.deep.equal(['pass', 'fail', 'pass']);
  });
  it('silent: nothing comes back', async () => {
    expect(await outcomesOver('silent:10', [5, 11])).to.deep.equal(['pass', null]);
  });
  it('partial: its share is sick, the others are well', async () => {
    const outcomes = await outcomesOver('partial:0.5', [61], 200);
    expect(outcomes.filter((outcome) => outcome === 'fail').length).to.be.within(70, 130);
  });

  it('crash-loop: the dead is replaced by a fresh instance that names it', async () => {
    const clock = handClock();
    const runtime = openSimulatedRuntime({ clock, seed: 'one' });
    const deploymentId = DeploymentId.parse('dep-a');
    await runtime.ensure(slot, 1, [
      {
        ...{ deploymentId, pluginVersion: '1.0.0', instances: 1 },
        ...unconfigured,
        scenario: 'crash-loop:20',
      },
    ]);
    const [first] = (await runtime.inspect(slot))!.instances;
    clock.seconds = 21;
    const [second] = (await runtime.inspect(slot))!.instances;
    expect(second!.id).not.to.equal(first!.id);
    expect(second!.replaces).to.equal(first!.id);
  });

  it('reads every name with and without a number, and nothing else', () => {
    for (const name of scenarioNames) expect(parseScenario(name)).to.have.property('kind', name);
    expect(parseScenario('sick-after:7.5')).to.deep.equal({ kind: 'sick-after', amount: 7.5 });
    for (const text of [
      '',
      'well',
      'sick-after:',
      'sick-after:-1',
      'sick-after:1:2',
      'partial:2',
      'healthy:1e9',
    ])
      expect(parseScenario(text), text).to.equal(null);
  });

  it('a flap of zero seconds is sick, not a division by zero', () => {
    expect(conditionAt({ kind: 'flapping', amount: 0 }, 10, 0)).to.equal('sick');
  });
});
