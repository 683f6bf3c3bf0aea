/** Which webhooks are told what, as it follows from the log: told in any batches, bounded, and to nobody whom it does not concern. */
import { expect } from 'chai';
import fc from 'fast-check';
import { openBatchDocuments } from '../../src/core/projection-documents.ts';
import { mostDeliveries } from '../../src/projections/webhook-deliveries.ts';
import { webhooksProjection } from '../../src/projections/webhooks.ts';
import type { Announcement } from '../../src/projections/announcements/types.ts';
import type { JsonObject, Position, RecordedEvent } from '../../src/ports/event-store.ts';
import type { DeliveryDocument } from '../../src/projections/webhook-delivery-documents.ts';
import type { WebhookDocument } from '../../src/projections/webhook-documents.ts';
import { openMemoryReadModels, type MemoryModels } from '../support/memory-read-models.ts';

/** Says of each event what its data says, so that any visibility can be tried. */
const announcer = {
  announce: async ({ id, data, position, metadata: { tenant, at } }: RecordedEvent) => {
    const type = data['isPlugin'] === true ? 'plugin:registered' : 'deployment:completed';
    const visibility = data['isPublic'] === true ? 'public' : 'tenant';
    const announcement: Announcement = {
      ...{ id: `evt_${id}`, eventId: id, type, visibility, tenant, position, timestamp: at, data: {} },
      channel: type === 'plugin:registered' ? 'plugins' : 'deployments',
    };
    return [announcement];
  },
};
const projection = webhooksProjection(announcer);
const start = Date.parse('2030-01-01T00:00:00.000Z');

/** A log that is only as long as the test writes it. */
function history() {
  const events: RecordedEvent[] = [];
  const record = (stream: string, type: string, tenant: string, data: JsonObject = {}): string => {
    const id = `e${events.length}`;
    const at = new Date(start + events.length * 1_000).toISOString();
    const actor = { id: 'usr_1', face: 'test' };
    const metadata = { tenant, actor, correlationId: 'c', causationId: 'c', at, schema: 1 };
    events.push({
      id,
      type,
      stream,
      data,
      metadata,
      revision: events.length,
      position: `log:${id}` as Position,
    });
    return `evt_${id}`;
  };
  return {
    events,
    create: (
      name: string,
      tenantId: string,
      types: readonly string[] = ['deployment.completed'],
      active = true,
    ) =>
      record(`webhook-wh_${name}`, 'WebhookCreated', tenantId, {
        ...{ webhookId: `wh_${name}`, tenantId, url: `https://${name}.example.com`, types, active },
        ...{ name, description: null, createdBy: 'usr_1' },
      }),
    change: (name: string, type: string, data: JsonObject = {}) =>
      record(`webhook-wh_${name}`, type, 'acme', data),
    happen: (tenant: string, data: JsonObject = {}) =>
      record(`deployment-dep-${events.length}`, 'DeploymentCompleted', tenant, data),
    attempt: (name: string, deliveryId: string, more: JsonObject = {}) =>
      record(`webhookdeliveries-wh_${name}`, 'WebhookAttempted', 'acme', {
        ...{
          deliveryId,
          attempt: 1,
          activation: 1,
          outcome: 'delivered',
          status: 200,
          error: null,
          durationMs: 7,
        },
        ...{ at: new Date(start).toISOString(), nextAttemptAt: null, restUntil: null },
        ...more,
      }),
    replay: (name: string, ...deliveryIds: readonly string[]) =>
      record(`webhookdeliveries-wh_${name}`, 'WebhookReplayRequested', 'acme', { deliveryIds }),
  };
}

async function project(events: readonly RecordedEvent[], batch = events.length) {
  const kept: MemoryModels = new Map();
  const models = openMemoryReadModels(kept);
  const generation = { projection: projection.name, version: projection.version };
  await models.declare(generation, projection.collections);
  for (let from = 0; from < events.length; from += batch) {
    const documents = openBatchDocuments(models, generation, projection);
    for (const event of events.slice(from, from + batch)) {
      await projection.on[event.type]?.(event, documents);
      documents.keep();
    }
    const last = events[Math.min(from + batch, events.length) - 1]!;
    await models.commit(generation, documents.writes(), { position: last.position, eventId: last.id });
  }
  const all = [...kept.values()].flatMap(({ collections }) => [...collections]);
  const of = (name: string): readonly object[] =>
    all.flatMap(([found, { documents }]) =>
      found === name ? [...documents.values()].map(({ data }) => data) : [],
    );
  return {
    all: Object.fromEntries(all.map(([name, { documents }]) => [name, new Map(documents)])),
    webhooks: of('webhooks') as readonly WebhookDocument[],
    deliveries: of('webhook_deliveries') as readonly DeliveryDocument[],
  };
}
const told = async (events: readonly RecordedEvent[]) =>
  (await project(events)).deliveries.map(({ webhookId, deliveryId }) => `${webhookId} ${deliveryId}`);

describe('webhooks', () => {
  it('are told what happens while they are there and active, of the types that they asked for', async () => {
    const it = history();
    it.happen('acme');
    it.create('a', 'acme');
    it.create('other', 'acme', ['plugin.registered']);
    it.create('off', 'acme', ['deployment.completed'], false);
    const first = it.happen('acme');
    it.change('a', 'WebhookDeactivated', { cause: 'user', reason: 'Switched off' });
    it.change('off', 'WebhookActivated');
    const second = it.happen('acme');
    it.change('a', 'WebhookActivated');
    it.change('off', 'WebhookDeleted');
    const third = it.happen('acme');
    it.change('a', 'WebhookEdited', { types: ['plugin.registered'] });
    it.happen('acme');
    expect(await told(it.events.slice(0, -4))).to.have.members([`wh_a ${first}`, `wh_off ${second}`]);
    expect(await told(it.events)).to.have.members([`wh_a ${first}`, `wh_a ${third}`]);
  });

  it('are told nothing of other tenants but what is public, except those of the platform', async () => {
    const tenants = fc.constantFrom('acme', 'globex', 'platform');
    const webhook = fc.record({
      tenant: tenants,
      types: fc.subarray(['deployment.completed', 'plugin.registered'], { minLength: 1 }),
    });
    const fact = fc.record({ tenant: tenants, isPublic: fc.boolean(), isPlugin: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(webhook, { maxLength: 8 }),
        fc.array(fact, { maxLength: 8 }),
        async (webhooks, facts) => {
          const it = history();
          webhooks.forEach(({ tenant, types }, index) => it.create(String(index), tenant, types));
          const ids = facts.map(({ tenant, isPublic, isPlugin }) =>
            it.happen(tenant, { isPublic, isPlugin }),
          );
          const expected = webhooks.flatMap(({ tenant, types }, index) =>
            facts.flatMap((of, at) => {
              const mayKnow = tenant === 'platform' || of.isPublic || of.tenant === tenant;
              const asked = types.includes(of.isPlugin ? 'plugin.registered' : 'deployment.completed');
              return mayKnow && asked ? [`wh_${index} ${ids[at]}`] : [];
            }),
          );
          expect(await told(it.events)).to.have.members(expected);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('count what waits, whatever becomes of it', async () => {
    const it = history();
    it.create('a', 'acme');
    const [first, second, third] = [it.happen('acme'), it.happen('acme'), it.happen('acme')];
    const seen = async () => {
      const { webhooks, deliveries } = await project(it.events);
      const pending = deliveries.filter(({ state }) => state === 'pending').length;
      expect(webhooks[0]).to.include({ waiting: pending, sends: pending > 0 });
      return pending;
    };
    expect(await seen()).to.equal(3);
    it.attempt('a', first);
    const later = new Date(start + 60_000).toISOString();
    it.attempt('a', second, { outcome: 'failed', status: 500, nextAttemptAt: later });
    it.attempt('a', third, { outcome: 'failed', status: 410 });
    expect(await seen()).to.equal(1);
    it.replay('a', first, second, third, 'evt_of_another');
    expect(await seen()).to.equal(3);
    for (const id of [first, second, third, 'evt_of_another']) it.attempt('a', id);
    it.attempt('a', first);
    expect(await seen()).to.equal(0);
    it.change('a', 'WebhookDeleted');
    it.attempt('a', first);
    const { all } = await project(it.events);
    for (const name of ['webhooks', 'webhook_deliveries', 'webhook_delivery_places'])
      expect(all[name]?.size, name).to.equal(0);
  });

  it('keep a bounded number of deliveries: the oldest give way, and those that still waited are counted', async function () {
    this.timeout(60_000);
    const it = history();
    it.create('a', 'acme');
    const [first, second, third] = [it.happen('acme'), it.happen('acme'), it.happen('acme')];
    it.attempt('a', second);
    for (let number = 3; number < mostDeliveries + 3; number += 1) it.happen('acme');
    const { webhooks, deliveries, all } = await project(it.events);
    expect(deliveries).to.have.length(mostDeliveries);
    expect(all['webhook_delivery_places']?.size).to.equal(mostDeliveries);
    for (const gone of [first, second, third])
      expect(deliveries.map(({ deliveryId }) => deliveryId)).not.to.include(gone);
    expect(webhooks[0]).to.include({ waiting: mostDeliveries, dropped: 2, enqueued: mostDeliveries + 3 });
  });

  it('are the same whatever the batches', async () => {
    const step = fc.constantFrom('happen', 'elsewhere', 'deliver', 'fail', 'replay', 'off', 'on', 'edit');
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        async (steps, size) => {
          const it = history();
          it.create('a', 'acme');
          it.create('b', 'platform');
          const ids: string[] = [];
          for (const [index, what] of steps.entries()) {
            const id = ids[index % Math.max(1, ids.length)] ?? 'evt_none';
            if (what === 'happen') ids.push(it.happen('acme'));
            if (what === 'elsewhere') ids.push(it.happen('globex'));
            if (what === 'deliver') it.attempt('b', id);
            if (what === 'fail') it.attempt('a', id, { outcome: 'failed', status: 500 });
            if (what === 'replay') it.replay('a', id);
            if (what === 'off')
              it.change('a', 'WebhookDeactivated', { cause: 'user', reason: 'Switched off' });
            if (what === 'on') it.change('a', 'WebhookActivated');
            if (what === 'edit') it.change('a', 'WebhookEdited', { name: `at ${index}` });
          }
          expect((await project(it.events, size)).all).to.deep.equal((await project(it.events)).all);
        },
      ),
      { numRuns: 50 },
    );
  });
});
