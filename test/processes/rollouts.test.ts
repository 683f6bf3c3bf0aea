/** Claims on a slot that no deployment follows. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { openAgentRuntime } from '../../src/adapters/agent/runtime.ts';
import { openSimulatedRuntime } from '../../src/adapters/simulated/runtime.ts';
import { createExecutor } from '../../src/core/command-executor.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import { DeploymentId, type SlotKey } from '../../src/domain/ids.ts';
import { claim, slot } from '../../src/domain/slot.ts';
import { allEvents } from '../../src/events.ts';
import { createProber } from '../../src/processes/prober.ts';
import { createRollouts } from '../../src/processes/rollouts.ts';
import { createWitness } from '../../src/processes/witness.ts';
import { openMemoryEventStore } from '../support/memory-event-store.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { logFaults, readWholeLog } from '../support/whole-log.ts';

const key = 'acme.production.mailer' as SlotKey;
const deploymentId = DeploymentId.parse('dep-00000000000000000001');

describe('a claim on a slot that no deployment follows', () => {
  it('is released when it expires, also when the same was claimed and released before', async () => {
    const clock = createVirtualClock();
    const log = createRecordingLog();
    const store = openMemoryEventStore({ clock });
    const executor = createExecutor({
      ...{ store, clock, log, snapshots: null, schemas: createSchemas(allEvents) },
    });
    const simulated = openSimulatedRuntime({ clock, seed: 'claims' });
    const runtimes = { chosen: 'simulated', agent: openAgentRuntime(), simulated } as const;
    const prober = createProber({ executor, clock, log, random: () => 0 });
    const witness = createWitness({ executor, clock });
    const rollouts = createRollouts({ store, executor, runtimes, prober, witness, clock });
    const claimFor = async (ms: number): Promise<void> => {
      const now = clock.now();
      const expiresAt = new Date(now + ms).toISOString();
      const wanted = { deploymentId, pluginVersion: '1.0.0', configurationHash: 'none', now, expiresAt };
      const actor = { id: 'usr_1', face: 'test' };
      await executor.execute({
        ...{ aggregate: slot, id: key, tenant: 'acme' },
        context: { commandId: randomUUID(), correlationId: randomUUID(), actor },
        decide: (state) => claim(state, { ...wanted, supersede: false, force: false }),
      });
    };

    for (let time = 0; time < 3; time += 1) {
      await claimFor(30_000);
      expect(await rollouts.handle(key)).to.equal(30_000);
      await clock.advance(30_000);
      await rollouts.handle(key);
      expect((await executor.load(slot, key)).state.flight).to.equal(null);
    }
    expect(logFaults(await readWholeLog(store))).to.deep.equal([]);
    await prober.stop();
  });
});
