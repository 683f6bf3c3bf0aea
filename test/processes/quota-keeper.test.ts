/** Reservations follow slots, also over crashes: what nobody confirmed, what has left, what runs without. */
import { expect } from 'chai';
import type { Cause } from '../../src/core/process-runner.ts';
import { createExecutor } from '../../src/core/command-executor.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import { deployment } from '../../src/domain/deployment/deployment.ts';
import { requestDeployment } from '../../src/domain/deployment/requests.ts';
import { DeploymentId, slotKey } from '../../src/domain/ids.ts';
import { quota, reserve, reservedIn } from '../../src/domain/quota.ts';
import { claim, expireClaim, slot, type SlotEvent } from '../../src/domain/slot.ts';
import type { Decision } from '../../src/domain/refusal.ts';
import { allEvents } from '../../src/events.ts';
import { quotaKeeper } from '../../src/processes/quota-keeper.ts';
import { someContext } from '../commands/support.ts';
import { request } from '../domain/deployment/samples.ts';
import { openMemoryEventStore } from '../support/memory-event-store.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { openWorld } from '../support/simulated-platform.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { logFaults, readWholeLog } from '../support/whole-log.ts';

const deploymentId = DeploymentId.parse('dep-00000000000000000001');
const sample = request({}, { deploymentId, previousDeploymentId: null });
const key = slotKey(sample);
const { tenant } = sample;

function open() {
  const clock = createVirtualClock();
  const store = openMemoryEventStore({ clock });
  const schemas = createSchemas(allEvents);
  const executor = createExecutor({ store, schemas, clock, log: createRecordingLog(), snapshots: null });
  const keeper = quotaKeeper({ executor, clock, questions: { slots: async () => [key] } });
  const cause: Cause = { event: null, correlationId: 'test', command: someContext };
  const onSlot = (decide: (state: typeof slot.initial) => Decision<SlotEvent>) =>
    executor.execute({ aggregate: slot, id: key, tenant, context: someContext(), decide });
  return {
    clock,
    store,
    keep: () => keeper.handle(key, cause),
    instances: async () => reservedIn((await executor.load(quota, tenant)).state.reservations).instances,
    claim: async () => {
      const now = clock.now();
      const expiresAt = new Date(now + 30_000).toISOString();
      const wanted = { deploymentId, pluginVersion: '1.0.0', configurationHash: '', now, expiresAt };
      const claimed = await onSlot((state) => claim(state, { ...wanted, supersede: false, force: false }));
      const free = { maxPlugins: null, maxCpu: null, maxMemoryGB: null, maxStorageGB: null };
      const bounds = {
        quotas: free,
        rateLimits: { maxRequestsPerMinute: null, maxDeploymentsPerHour: null },
      };
      const { plugin } = sample;
      const asked = { deploymentId, slot: key, fence: claimed.state.fence, plugin };
      await executor.execute({
        ...{ aggregate: quota, id: tenant, tenant, context: someContext() },
        decide: (state) => reserve(state, { ...asked, cpu: 1, memoryMB: 1, instances: 10 }, bounds, now),
      });
    },
    expire: () => onSlot((state) => expireClaim(state, deploymentId, false, clock.now())),
    record: () =>
      executor.execute({
        ...{ aggregate: deployment, id: deploymentId, tenant, context: someContext() },
        decide: (state) => requestDeployment(state, sample),
      }),
    leave: () =>
      onSlot(() => [
        {
          type: 'SlotTurned',
          data: { current: null, ended: deploymentId, outcome: 'Undeployed', coolDown: null },
        },
      ]),
  };
}

describe('the reservation of a deployment', () => {
  it('outlives everything but its claim, and expires with it', async () => {
    const it = open();
    await it.claim();
    await it.keep();
    expect(await it.instances()).to.equal(10);
    await it.clock.advance(30_000);
    await it.keep();
    expect(await it.instances(), 'the slot is still claimed').to.equal(10);
    await it.expire();
    await it.keep();
    expect(await it.instances()).to.equal(0);
    const types = (await it.store.readStream(`quota-${tenant}`, { limit: 10 })).map(
      ({ data }) => data['reason'],
    );
    expect(types).to.deep.equal([undefined, 'Expired']);
  });

  it('is made when it claims anew what had expired, and once recorded stays until it has left the slot', async () => {
    const it = open();
    await it.claim();
    await it.clock.advance(30_000);
    await it.expire();
    await it.claim();
    await it.keep();
    expect(await it.instances()).to.equal(10);
    await it.record();
    await it.keep();
    expect(await it.instances()).to.equal(10);
    await it.leave();
    await it.keep();
    await it.keep();
    expect(await it.instances()).to.equal(0);
    expect(logFaults(await readWholeLog(it.store))).to.deep.equal([]);
  });
});

describe('reservations on a platform that crashes', () => {
  it('are those of what runs, whenever it stopped', async function () {
    this.timeout(20_000);
    const world = await openWorld({ seed: 'quota' });
    try {
      await world.register('mailer', '1.0.0');
      await world.register('mailer', '2.0.0');
      const live = async (): Promise<readonly unknown[]> => {
        const ids = new Set<unknown>();
        for (const { type, data } of await world.eventsOf('quota-acme')) {
          const id = data['deploymentId'];
          if (type === 'QuotaReserved') ids.add(id);
          else ids.delete(id);
        }
        return [...ids].sort();
      };
      const first = await world.deploy('mailer', '1.0.0', { totalInstances: 2 });
      await world.crash(5);
      await world.pass(300);
      expect(await live()).to.deep.equal([first]);
      const second = await world.deploy('mailer', '2.0.0', { strategy: 'Canary', totalInstances: 2 });
      expect(await live()).to.deep.equal([first, second].sort());
      await world.crash(60);
      await world.pass(7_200);
      expect((await world.statusOf(second)).status).to.equal('Completed');
      expect(await live()).to.deep.equal([second]);
      await world.rollBack(second);
      await world.crash(1);
      expect(await live()).to.deep.equal([first, second].sort());
      await world.pass(600);
      expect((await world.statusOf(second)).status).to.equal('RolledBack');
      expect(await live()).to.deep.equal([first]);
      expect(world.parked).to.deep.equal([]);
    } finally {
      await world.close();
    }
  });
});
