/** What the rollout process notices while it reads. */
import { expect } from 'chai';
import type { Executor } from '../../src/core/executor.ts';
import { DeploymentId, slotKey } from '../../src/domain/ids.ts';
import type { JsonObject, Position, RecordedEvent } from '../../src/ports/event-store.ts';
import { createWitness } from '../../src/processes/witness.ts';
import { createFakeExecutor } from '../support/fake-executor.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const id = DeploymentId.parse('dep-00000000000000000001');
const slot = { tenant: 'acme', environment: 'Production', plugin: 'mailer' };

function observed(sequence: number): RecordedEvent {
  const report = { instance: 'inst-1', sequence, outcome: 'pass', latencyMs: 1, replaces: null };
  const data: JsonObject = { deploymentId: id, ...slot, epoch: 1, reports: [report] };
  const at = '2030-01-01T00:00:00.000Z';
  const actor = { id: 'process:prober', face: 'process' };
  return {
    ...{ id: `e${sequence}`, type: 'InstanceHealthObserved', stream: `health-${id}`, data },
    ...{ revision: sequence, position: `log:${sequence}` as Position },
    metadata: { tenant: 'acme', actor, correlationId: 'c', causationId: 'c', at, schema: 1 },
  };
}

describe('the witness of rollouts', () => {
  it('misses no report that arrives while those before it are read', async () => {
    const read = Promise.withResolvers<undefined>();
    const fake = createFakeExecutor();
    const slow: Executor = {
      ...fake,
      load: async (aggregate, of) => {
        const before = await fake.load(aggregate, of);
        await read.promise;
        return before;
      },
    };
    const witness = createWitness({ executor: slow, clock: createVirtualClock() });
    const [one, two] = [witness.evidenceOf(id), witness.evidenceOf(id)];
    expect(witness.see(observed(0))).to.have.length(1);
    read.resolve(undefined);
    expect((await one).instances['inst-1']).to.include({ passes: 1, lastSeenAt: 0 });
    expect(await two).to.equal(await one);

    witness.see(observed(1));
    expect((await witness.evidenceOf(id)).instances['inst-1']).to.include({ passes: 2 });
  });

  it('takes no interest in reports of a deployment that nobody asked about', () => {
    const witness = createWitness({ executor: createFakeExecutor(), clock: createVirtualClock() });
    expect(witness.see(observed(0))).to.deep.equal([]);
  });

  it('hears again of a deployment that was taken up anew while it was being forgotten', () => {
    const witness = createWitness({ executor: createFakeExecutor(), clock: createVirtualClock() });
    const parts = { tenant: 'acme', environment: 'Production', plugin: 'mailer' } as Parameters<
      typeof slotKey
    >[0];
    const key = slotKey(parts);
    witness.remember(parts, id, 'first');
    const before = witness.news(key);
    witness.remember(parts, id, 'second');
    witness.close(key, id, { stillWatched: false, asOf: before });
    expect(witness.openIn(key)).to.deep.equal([id]);
    witness.close(key, id, { stillWatched: false, asOf: witness.news(key) });
    expect(witness.openIn(key)).to.deep.equal([]);
  });
});
