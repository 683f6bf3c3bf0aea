/** Deploying, when the server ends between the claim on the slot and the deployment's record. */
import { expect } from 'chai';
import { createExecutor } from '../../src/core/command-executor.ts';
import type { CommandContext, Executor } from '../../src/core/executor.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import { createTenant } from '../../src/commands/create-tenant.ts';
import { deployPlugin } from '../../src/commands/deploy-plugin.ts';
import { editTenant } from '../../src/commands/edit-tenant.ts';
import { registerPlugin } from '../../src/commands/register-plugin.ts';
import { Environment, PluginId, platformTenant, slotKey, TenantId, UserId } from '../../src/domain/ids.ts';
import { Registration } from '../../src/domain/registration.ts';
import { release, slot } from '../../src/domain/slot.ts';
import { allEvents } from '../../src/events.ts';
import { configurationChecks } from '../support/configuration-checks.ts';
import { openMemoryEventStore } from '../support/memory-event-store.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { readableSeals, refusalOf, someContext } from './support.ts';

const userId = UserId.parse('usr_admin');
const input = {
  pluginId: PluginId.parse('mailer'),
  pluginVersion: '1.0.0',
  tenantId: TenantId.parse('acme'),
  environment: Environment.parse('Production'),
};
const key = slotKey({ tenant: input.tenantId, environment: input.environment, plugin: input.pluginId });

async function setUp() {
  const clock = createVirtualClock();
  const store = openMemoryEventStore({ clock });
  const schemas = createSchemas(allEvents);
  const executor = createExecutor({ store, schemas, snapshots: null, clock, log: createRecordingLog() });
  const deps = {
    ...{ executor, store, clock, vault: readableSeals(), runtimes: { chosen: 'simulated' as const } },
    slotsBeside: async () => [],
    configurationChecks,
  };
  const scenarioOf = () => null;
  await createTenant(deps, someContext(), {
    ...{ tenantId: input.tenantId, name: 'Acme', subscriptionTier: 'Standard' },
  });
  const registration = Registration.parse({
    ...{ pluginId: 'mailer', name: 'Mailer' },
    version: { semanticVersion: '1.0.0', state: 'Stable', runtime: { type: 'DotNet8', version: '8.0' } },
  });
  const publisher = { tenant: platformTenant, role: 'PlatformAdmin' } as const;
  await registerPlugin(deps, { ...someContext(), publisher }, registration);
  const deploy = (context: CommandContext, by: Executor = executor) =>
    deployPlugin({ ...deps, scenarioOf, executor: by }, { ...context, userId }, input);
  /** The server ends before the deployment is recorded. */
  const crashing: Executor = {
    load: (aggregate, id) => executor.load(aggregate, id),
    execute: async (command) => {
      if (command.aggregate.name === 'deployment') throw new Error('killed');
      return executor.execute(command);
    },
  };
  const expire = async () => {
    const { state } = await executor.load(slot, key);
    const deploymentId = state.flight!.deploymentId;
    await executor.execute({
      ...{ aggregate: slot, id: key, tenant: input.tenantId, context: someContext() },
      decide: (now) => release(now, deploymentId, 'The claim expired'),
    });
  };
  const types = async (stream: string) =>
    (await store.readStream(stream, { limit: 100 })).map(({ type }) => type);
  const edit = (changes: Parameters<typeof editTenant>[3]) =>
    editTenant(deps, someContext(), input.tenantId, changes);
  return { executor, deploy, crashing, edit, expire, types };
}

async function killed(run: Promise<unknown>): Promise<void> {
  const error = await run.then(() => null).catch((thrown: unknown) => thrown);
  expect(error).to.have.property('message', 'killed');
}

describe('a deployment of which the server was killed after the claim', () => {
  it('is completed by its repetition', async () => {
    const { deploy, crashing, types } = await setUp();
    const context = someContext();
    await killed(deploy(context, crashing));
    const { request } = await deploy({ ...context, mayRepeat: true });
    expect(await types(`slot-${key}`)).to.deep.equal(['SlotClaimed']);
    expect(await types(`deployment-${request.deploymentId}`)).to.deep.equal(['DeploymentRequested']);
  });

  it('claims the slot anew when the claim has expired meanwhile, however often', async () => {
    const { executor, deploy, crashing, expire } = await setUp();
    const context = someContext();
    for (let crash = 0; crash < 3; crash += 1) {
      await killed(deploy({ ...context, mayRepeat: true }, crashing));
      await expire();
    }
    const { request } = await deploy({ ...context, mayRepeat: true });
    const { state } = await executor.load(slot, key);
    expect(state.flight?.deploymentId).to.equal(request.deploymentId);
  });

  it('is refused when another holds the slot now', async () => {
    const { deploy, crashing, expire, types } = await setUp();
    const context = someContext();
    await killed(deploy(context, crashing));
    await expire();
    const { request } = await deploy(someContext());
    const refusal = await refusalOf(deploy({ ...context, mayRepeat: true }));
    expect(refusal.refused).to.equal('Conflict');
    expect(refusal.message).to.include(request.deploymentId);
    expect(await types(`slot-${key}`)).to.deep.equal(['SlotClaimed', 'SlotReleased', 'SlotClaimed']);
  });
});

describe('a deployment and its quota', () => {
  it('are given up with the slot when the tenant is suspended after the claims', async () => {
    const { executor, deploy, edit, types } = await setUp();
    const suspending: Executor = {
      load: (aggregate, id) => executor.load(aggregate, id),
      execute: async (command) => {
        const done = await executor.execute(command);
        if (command.aggregate.name === 'quota') await edit({ status: 'Suspended' });
        return done;
      },
    };
    const refusal = await refusalOf(deploy(someContext(), suspending));
    expect(refusal.refused).to.equal('Forbidden');
    expect(await types(`slot-${key}`)).to.deep.equal(['SlotClaimed', 'SlotReleased']);
    expect(await types('quota-acme')).to.deep.equal(['QuotaReserved', 'QuotaReleased']);
    await edit({ status: 'Active' });
    await deploy(someContext());
  });

  it('are given up with the slot when another was faster after the first look', async () => {
    const { executor, deploy, edit, types } = await setUp();
    await edit({ rateLimits: { maxDeploymentsPerHour: 1 } });
    const late: Executor = {
      load: (aggregate, id) => executor.load(aggregate, id),
      execute: async (command) => {
        if (command.aggregate.name === 'slot') await edit({ rateLimits: { maxDeploymentsPerHour: 0 } });
        return executor.execute(command);
      },
    };
    const refusal = await refusalOf(deploy(someContext(), late));
    expect(refusal.refused).to.equal('RateLimited');
    expect(await types(`slot-${key}`)).to.deep.equal(['SlotClaimed', 'SlotReleased']);
    expect(await types('quota-acme')).to.deep.equal([]);
  });

  it('are repeated after a crash as one, though the hour has no place left', async () => {
    const { deploy, crashing, edit, types } = await setUp();
    await edit({ rateLimits: { maxDeploymentsPerHour: 1 } });
    const context = someContext();
    await killed(deploy(context, crashing));
    await deploy({ ...context, mayRepeat: true });
    await deploy({ ...context, mayRepeat: true });
    expect(await types('quota-acme')).to.deep.equal(['QuotaReserved']);

    const other = await setUp();
    await other.edit({ rateLimits: { maxDeploymentsPerHour: 1 } });
    await killed(other.deploy(context, other.crashing));
    await other.expire();
    await other.deploy({ ...context, mayRepeat: true });
    expect(await other.types('quota-acme')).to.deep.equal(['QuotaReserved', 'QuotaReserved']);
  });
});
