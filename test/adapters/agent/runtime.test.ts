import { expect } from 'chai';
import { openAgentRuntime } from '../../../src/adapters/agent/runtime.ts';
import { DeploymentId, type SlotKey } from '../../../src/domain/ids.ts';
import type { DesiredDeployment } from '../../../src/ports/runtime.ts';
import { runtimeContract } from '../../contract/runtime.ts';

runtimeContract('agent', async () => openAgentRuntime());

describe('the runtime of agents', () => {
  const slot = 'acme.production.mailer' as SlotKey;
  const desired: DesiredDeployment = {
    ...{ deploymentId: DeploymentId.parse('dep-a'), pluginVersion: '1.0.0', instances: 1 },
    ...{ configuration: {}, scenario: null },
    runtime: 'agent',
  };

  it('tells once of every new epoch, and of nothing else', async () => {
    const runtime = openAgentRuntime();
    const told: SlotKey[] = [];
    const end = runtime.onChange((key) => told.push(key));
    for (const epoch of [1, 1, 2]) await runtime.ensure(slot, epoch, [desired]);
    expect(told).to.deep.equal([slot, slot]);
    await runtime.ensure(slot, 3, []);
    expect(told, 'that nothing should run any more').to.have.length(3);
    end();
    await runtime.ensure(slot, 4, [desired]);
    expect(told).to.have.length(3);
    expect(runtime.stated()).to.deep.equal([slot]);
  });

  it('has nothing to say of slots in which no agent ever had anything to do', async () => {
    const runtime = openAgentRuntime();
    const told: SlotKey[] = [];
    runtime.onChange((key) => told.push(key));
    await runtime.ensure(slot, 1, []);
    expect([told, runtime.stated()]).to.deep.equal([[], []]);
  });
});
