/** What the outside is told while a whole platform lives on a virtual clock. */
import { expect } from 'chai';
import { changeVersionState } from '../../src/commands/change-version-state.ts';
import { deletePlugin } from '../../src/commands/delete-plugin.ts';
import { editPlugin } from '../../src/commands/edit-plugin.ts';
import { editTenant } from '../../src/commands/edit-tenant.ts';
import { featurePlugin } from '../../src/commands/feature-plugin.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import { PluginId, platformTenant, UserId } from '../../src/domain/ids.ts';
import { user } from '../../src/domain/user.ts';
import { allEvents } from '../../src/events.ts';
import {
  announcedEvents,
  createAnnouncer,
  type Announcer,
} from '../../src/projections/announcements/announcer.ts';
import {
  announcementTypes,
  isVisible,
  webhookType,
  type Announcement,
  type AnnouncementType,
} from '../../src/projections/announcements/types.ts';
import { failure } from '../support/failure.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { acme, openWorld, type World } from '../support/simulated-platform.ts';
import { readWholeLog } from '../support/whole-log.ts';

const admin = UserId.parse('usr_admin');
const publisher = { tenant: platformTenant, role: 'PlatformAdmin' } as const;
const direct = {
  totalInstances: 2,
  strategyConfig: { bakeSeconds: '60' },
  healthCheck: { intervalSeconds: 60 },
};
const canary = {
  strategy: 'Canary',
  totalInstances: 10,
  strategyConfig: { stages: '10,50,100', canaryPercentage: '10', stageInterval: '300', approval: '10' },
  healthCheck: { intervalSeconds: 60 },
};

describe('announcements', function () {
  this.timeout(60_000);
  let world: World;
  beforeEach(async () => {
    world = await openWorld({ seed: 'announcements' });
    await world.run(async ({ executor, vault }, context) => {
      const email = await vault.sealFor(admin, 'admin@example.com');
      const data = {
        userId: admin,
        tenantId: platformTenant,
        role: 'PlatformAdmin',
        email,
        name: null,
      } as const;
      const decide = () => [{ type: 'UserCreated', data }] as const;
      await executor.execute({ aggregate: user, id: admin, tenant: platformTenant, context, decide });
    });
  });
  afterEach(() => world.close());

  const announcerFor = (use: (announcer: Announcer) => Promise<Announcement[]>): Promise<Announcement[]> =>
    world.run(async (deps) => use(createAnnouncer({ ...deps, schemas: createSchemas(allEvents) })));

  /** Everything that was ever announced, in the order of the log. */
  const announced = (): Promise<Announcement[]> =>
    world.run(async ({ store }) => {
      const events = await readWholeLog(store);
      return announcerFor(async (announcer) => {
        const all: Announcement[] = [];
        for (const event of events) all.push(...(await announcer.announce(event)));
        return all;
      });
    });
  const told = async (type: AnnouncementType): Promise<Announcement[]> =>
    (await announced()).filter((one) => one.type === type);
  const dataOf = async (type: AnnouncementType) => (await told(type)).map(({ data }) => data);

  it('tell each change of what is shown of a deployment, as the IDP document spells it', async () => {
    await world.register('mailer', '1.0.0');
    const deploymentId = await world.deploy('mailer', '1.0.0', direct);
    await world.pass(1_200);
    const statuses = await dataOf('deployment:status');
    expect(statuses.map(({ status, progress, phase }) => [status, progress, phase])).to.deep.equal([
      ['pending', 0, 'pending'],
      ['in_progress', 0, 'provisioning'],
      ['in_progress', 100, 'baking'],
      ['in_progress', 100, 'promoting'],
      ['completed', 100, 'completed'],
    ]);
    expect(statuses[1]).to.deep.include({
      ...{ deploymentId, service: 'mailer', environment: 'production', tenantId: 'acme', version: '1.0.0' },
      ...{ step: 'Starting 2 of 2 instances (stage 1 of 1)', stage: 1, stages: 1, reason: null },
      ...{ slug: 'mailer', name: 'mailer', strategy: 'direct', instances: 2 },
    });
    expect(statuses[1]?.['pluginId']).to.match(/^plg_/);
    expect((await dataOf('deployment:completed')).map(({ status }) => status)).to.deep.equal(['completed']);
  });

  it('tell who must act that a rollout waits for approval', async () => {
    await world.register('mailer', '1.0.0');
    await world.deploy('mailer', '1.0.0', canary);
    await world.pass(1_200);
    const [waiting] = await dataOf('deployment:approval_requested');
    expect(waiting).to.include({
      status: 'in_progress',
      phase: 'approval',
      progress: 10,
      stage: 1,
      stages: 3,
    });
    expect(waiting?.['expiresAt']).to.match(/^20/);
  });

  it('tell that a rollout goes back by itself, why, and how that ends', async () => {
    await world.register('mailer', '1.0.0');
    await world.deploy('mailer', '1.0.0', { ...direct, configuration: { simulate: 'healthy' } });
    await world.pass(1_200);
    await world.deploy('mailer', '1.0.0', { ...canary, configuration: { simulate: 'sick-after:600' } });
    await world.pass(7_200);
    const [back] = await dataOf('deployment:rolling_back');
    expect(back).to.include({ status: 'rolling_back', cause: 'automatic', environment: 'production' });
    expect(back?.['evidence']).to.be.an('array').that.is.not.empty;
    const [end] = await dataOf('deployment:rolled_back');
    expect(end).to.include({ status: 'rolled_back', progress: 0, reason: back?.['reason'] });
    expect(end?.['evidence']).to.deep.equal(back?.['evidence']).and.to.have.length.above(0);
    // The slot never turned away from what was current.
    expect(await told('plugin:updated')).to.deep.equal([]);
  });

  it('tell a tenant what is installed, by whom, and what replaces it', async () => {
    await world.register('mailer', '1.0.0');
    await world.register('mailer', '2.0.0');
    await world.deploy('mailer', '1.0.0', direct);
    await world.pass(1_200);
    const second = await world.deploy('mailer', '2.0.0', direct);
    await world.pass(1_200);
    await world.rollBack(second);
    await world.pass(1_200);
    const [installed] = await told('plugin:installed');
    expect(installed).to.include({ tenant: 'acme', visibility: 'tenant', channel: 'plugins' });
    expect(installed?.data).to.include({
      ...{ name: 'mailer', version: '1.0.0', installedBy: 'admin@example.com' },
      ...{ tenantId: 'acme', environment: 'production' },
    });
    expect(installed?.data['pluginId']).to.match(/^plg_/);
    const updates = await dataOf('plugin:updated');
    expect(
      updates.map(({ fromVersion, version, rolledBack }) => [fromVersion, version, rolledBack]),
    ).to.deep.equal([
      ['1.0.0', '2.0.0', false],
      ['2.0.0', '1.0.0', true],
    ]);

    await world.run(({ vault }) => vault.forget(admin));
    expect((await dataOf('plugin:installed'))[0]).to.include({ name: 'mailer', installedBy: null });
  });

  it('tell everybody what becomes of the plugins that there are', async () => {
    const pluginId = PluginId.parse('mailer');
    await world.register('mailer', '1.0.0');
    await world.run(async (deps, by) => {
      const context = () => ({ ...by, commandId: crypto.randomUUID(), publisher });
      await editPlugin(deps, context(), { pluginId, edit: { name: 'Mailer', category: 'Mail' } });
      await featurePlugin(deps, context(), { pluginId, featured: true });
      const semanticVersion = '1.0.0';
      await changeVersionState(deps, context(), { pluginId, semanticVersion, state: 'Yanked' });
      await deletePlugin(deps, context(), pluginId);
    });
    const plugins = (await announced()).filter(({ channel }) => channel === 'plugins');
    expect(plugins.map(({ type }) => type)).to.deep.equal([
      ...['plugin:registered', 'plugin:version:published', 'plugin:edited'],
      ...['plugin:edited', 'plugin:version:changed', 'plugin:deleted'],
    ]);
    expect(plugins.every(({ visibility }) => visibility === 'public')).to.equal(true);
    const [, published, edited, featured, changed, deleted] = plugins.map(({ data }) => data);
    expect(published).to.include({ slug: 'mailer', version: '1.0.0', state: 'stable' });
    expect(edited).to.deep.include({ displayName: 'Mailer', changes: ['name', 'category'] });
    expect(featured).to.deep.include({ changes: ['featured'], featured: true });
    expect(changed).to.include({ version: '1.0.0', state: 'yanked' });
    expect(deleted).to.include({ slug: 'mailer', displayName: 'Mailer' });
  });

  it('tell what becomes of tenants, without their addresses', async () => {
    await world.run((deps, context) =>
      editTenant(deps, context, acme, {
        name: 'Acme Ltd',
        contactEmail: 'who@acme.example',
        status: 'Suspended',
      }),
    );
    const tenants = (await announced()).filter(({ channel }) => channel === 'tenants');
    expect(tenants.map(({ type }) => type)).to.deep.equal([
      'tenant:created',
      'tenant:updated',
      'tenant:suspended',
    ]);
    expect(tenants[1]?.data).to.deep.include({ name: 'Acme Ltd', changes: ['name', 'contactEmail'] });
    expect(tenants[2]?.data).to.include({ tenantId: 'acme', status: 'suspended' });
    expect(JSON.stringify(tenants)).not.to.include('who@');
  });

  it('sum up a batch of health reports', async () => {
    await world.register('mailer', '1.0.0');
    const deploymentId = await world.deploy('mailer', '1.0.0', direct);
    await world.pass(1_200);
    const [first] = await dataOf('health:reported');
    expect(first).to.include({
      deploymentId,
      service: 'mailer',
      version: '1.0.0',
      environment: 'production',
    });
    expect(
      Number(first?.['passed']) + Number(first?.['failed']) + Number(first?.['errors']),
    ).to.be.greaterThan(0);
  });

  it('are the same whenever an event is told, whatever happened since, with the same ids', async () => {
    await world.register('mailer', '1.0.0');
    await world.register('mailer', '2.0.0');
    await world.deploy('mailer', '1.0.0', direct);
    await world.pass(3_600);
    const second = await world.deploy('mailer', '2.0.0', direct);
    await world.pass(3_600);
    await world.rollBack(second);
    await world.pass(3_600);
    await world.deploy('mailer', '2.0.0', { ...canary, configuration: { simulate: 'sick-after:600' } });
    await world.pass(3_600);
    await world.run((deps, by) =>
      editPlugin(deps, { ...by, publisher }, { pluginId: PluginId.parse('mailer'), edit: { name: 'Later' } }),
    );

    const inOrder = await announced();
    expect(new Set(inOrder.map(({ id }) => id)).size).to.equal(inOrder.length);
    const byEvent = new Map(
      inOrder.map((one) => [one.eventId, inOrder.filter(({ eventId }) => eventId === one.eventId)]),
    );
    const random = seededRandom(7);
    await world.run(async ({ store }) => {
      const shuffled = (await readWholeLog(store))
        .map((event) => ({ event, at: random.next() }))
        .toSorted((a, b) => a.at - b.at);
      await announcerFor(async (announcer) => {
        for (const { event } of shuffled)
          expect(await announcer.announce(event)).to.deep.equal(byEvent.get(event.id) ?? []);
        return [];
      });
    });
  });

  it('are none of an event of a newer program: who follows decides what to do', async () => {
    await world.register('mailer', '1.0.0');
    await world.run(async ({ store }) => {
      const [event] = await store.readStream('plugin-mailer', { limit: 1 });
      if (!event) throw new Error('no plugin was registered');
      const newer = { ...event, metadata: { ...event.metadata, schema: 99 } };
      await announcerFor(async (announcer) => {
        expect(await failure(announcer.announce(newer))).to.have.property('name', 'UnreadableStream');
        return [];
      });
    });
  });
});

describe('the types of announcements', () => {
  it('have dots on webhooks', () => {
    expect(webhookType('plugin:version:published')).to.equal('plugin.version.published');
  });

  it('belong to a channel, and so do the events that lead to them', () => {
    expect(announcedEvents.get('SlotTurned')).to.equal(announcementTypes['plugin:installed']);
    expect(announcedEvents.get('UserCreated')).to.equal(undefined);
  });

  it('reach their tenant and the platform, and everybody only where they are public', () => {
    const other = { kind: 'tenant', tenant: 'other' } as const;
    const own = { kind: 'tenant', tenant: 'acme' } as const;
    const platform = { kind: 'platform' } as const;
    const closed = { visibility: 'tenant', tenant: 'acme' } as const;
    const ofNobody = { visibility: 'tenant', tenant: null } as const;
    const open = { visibility: 'public', tenant: 'acme' } as const;
    expect([own, other, platform].map((to) => isVisible(closed, to))).to.deep.equal([true, false, true]);
    expect([own, other, platform].map((to) => isVisible(ofNobody, to))).to.deep.equal([false, false, true]);
    expect([own, other, platform].map((to) => isVisible(open, to))).to.deep.equal([true, true, true]);
  });
});
