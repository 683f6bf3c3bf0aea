/** What is sent, how often and how many at once, whatever receivers, the log and the platform itself do meanwhile. */
import { expect } from 'chai';
import { createWebhook } from '../../src/commands/create-webhook.ts';
import { testWebhook } from '../../src/commands/send-to-webhook.ts';
import type { Executor } from '../../src/core/executor.ts';
import { createWebhookSecrets, type WebhookSecrets } from '../../src/core/webhook-secrets.ts';
import { TenantId, UserId, type WebhookId } from '../../src/domain/ids.ts';
import { tenantEvents } from '../../src/domain/tenant.ts';
import { webhook, webhookEvents } from '../../src/domain/webhook.ts';
import { webhookDeliveries, webhookDeliveryEvents } from '../../src/domain/webhook-deliveries.ts';
import { webhookPlaceEvents } from '../../src/domain/webhook-places.ts';
import { EgressFailed, type EgressRequest } from '../../src/ports/egress.ts';
import { StoreUnavailable } from '../../src/ports/event-store.ts';
import type { DocumentPage, Query, ReadModels } from '../../src/ports/read-models.ts';
import type { Vault } from '../../src/ports/vault.ts';
import {
  createWebhookSender,
  type WebhookSender,
  type WebhookSenderDeps,
} from '../../src/processes/webhook-sender.ts';
import { deliveries, listDeliveries } from '../../src/projections/webhook-delivery-documents.ts';
import { webhooksProjection } from '../../src/projections/webhooks.ts';
import { openWorld, type World } from '../projections/support.ts';
import { createRecordingEgress, type RecordingEgress } from '../support/recording-egress.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { openTestVault } from '../support/test-vault.ts';
import { until } from '../support/until.ts';

const acme = TenantId.parse('acme');
const hourMs = 3_600_000;
/** Tests are all that is told here. */
const announcer = { announce: async () => [] };
const body = new Uint8Array();

describe('the sender of webhooks', function () {
  this.timeout(60_000);
  let world: World;
  let vault: Vault;
  let secrets: WebhookSecrets;
  let egress: RecordingEgress;
  let sender: WebhookSender;
  let deps: WebhookSenderDeps;
  const senders: WebhookSender[] = [];

  const open = (more: Partial<WebhookSenderDeps> = {}): WebhookSender => {
    const opened = createWebhookSender({ ...deps, ...more });
    senders.push(opened);
    return opened;
  };
  beforeEach(async () => {
    world = await openWorld(
      [webhookEvents, webhookDeliveryEvents, webhookPlaceEvents, tenantEvents],
      [webhooksProjection(announcer)],
    );
    vault = await openTestVault(world.clock);
    secrets = createWebhookSecrets(vault, world.clock);
    egress = createRecordingEgress();
    const { store, executor, models, clock } = world;
    const projector = { waitFor: () => world.caughtUp().then(() => true) };
    const chance = seededRandom(7);
    const random = (): number => chance.next();
    deps = {
      store,
      executor,
      models,
      clock,
      projector,
      announcer,
      random,
      egress,
      webhookSecrets: secrets,
      log: createRecordingLog(),
    };
    sender = open();
  });
  afterEach(async () => {
    await Promise.all(senders.splice(0).map((one) => one.stop()));
    await vault.close();
    await world.close();
  });

  const commands = () => ({ ...world, store: world.store, egress, webhookSecrets: secrets });
  async function create(name: string): Promise<WebhookId> {
    const url = `https://${name}.example.com/`;
    const said = { name: null, description: null, secret: null, createdBy: UserId.parse('usr_1') };
    const sent = { ...said, url, types: ['plugin.registered'], active: true, tenantId: acme };
    return (await createWebhook(commands(), world.context(), sent)).webhook.webhookId;
  }
  async function queue(webhookId: WebhookId, count: number): Promise<readonly string[]> {
    const ids: string[] = [];
    for (let made = 0; made < count; made += 1)
      ids.push((await testWebhook(commands(), world.context(), { webhookId, within: null })).deliveryId);
    return ids;
  }
  /** Until nothing more is due now. */
  async function dispatch(by = sender): Promise<void> {
    for (let sent = -1; sent !== egress.requests.length;) {
      sent = egress.requests.length;
      await world.caughtUp();
      await by.dispatch(null);
      await by.idle();
    }
  }
  /** Lets time pass as the process does: it asks now and then. */
  async function pass(hours: number, everyMs = 60_000): Promise<void> {
    for (let ms = 0; ms < hours * hourMs; ms += everyMs) {
      await world.clock.advance(everyMs);
      await dispatch();
    }
  }
  const idOf = ({ headers }: EgressRequest): string => headers?.['webhook-id'] ?? '';
  const to = (name: string): readonly EgressRequest[] =>
    egress.requests.filter(({ url }) => url === `https://${name}.example.com/`);
  const states = async (webhookId: WebhookId) => {
    await world.caughtUp();
    const query = { webhookId, limit: 100, offset: 0 };
    const { deliveries: found } = await listDeliveries(
      world.models,
      { kind: 'platform' },
      query,
      world.clock.now(),
    );
    return found;
  };
  /** Answers only when a test says so, or when it is given up. */
  function hanging(name: string) {
    const held: (() => void)[] = [];
    const answer = egress.answer;
    egress.answer = (request) => {
      if (!request.url.includes(name)) return answer(request);
      const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: Uint8Array }>();
      request.signal?.addEventListener('abort', () => reject(new EgressFailed('Aborted', 'given up')));
      held.push(() => resolve({ status: 200, body }));
      return promise;
    };
    return { held, release: () => held.splice(0).forEach((done) => done()) };
  }

  it('sends each delivery once where all is well', async () => {
    const ids = await queue(await create('a'), 10);
    await dispatch();
    await pass(1);
    expect(egress.requests.map(idOf)).to.have.members(ids).and.to.have.length(10);
  });

  it('lets no receiver wait for others that hang, of which few requests are under way at once', async () => {
    hanging('dead');
    for (const name of ['dead-1', 'dead-2', 'dead-3']) await queue(await create(name), 10);
    const ids = await queue(await create('well'), 10);
    await until('all of the receiver that is well', 10_000, async () => {
      await world.caughtUp();
      await sender.dispatch(null);
      return to('well').length === ids.length ? true : null;
    });
    expect(to('well').map(idOf)).to.have.members(ids);
    for (const name of ['dead-1', 'dead-2', 'dead-3']) expect(to(name)).to.have.length(4);
  });

  it('has a bounded number under way in all, and those come next that have waited longest', async () => {
    const { held, release } = hanging('slow');
    for (let number = 10; number < 30; number += 1) await queue(await create(`slow-${number}`), 8);
    await world.caughtUp();
    await sender.dispatch(null);
    await until('64 are under way', 10_000, async () => (held.length === 64 ? true : null));
    await sender.dispatch(null);
    expect(held).to.have.length(64);
    const first = new Set(egress.requests.map(({ url }) => url));
    expect(first).to.have.property('size', 16);
    release();
    await sender.idle();
    await sender.dispatch(null);
    await until('64 more are under way', 10_000, async () => (held.length === 64 ? true : null));
    const second = new Set(egress.requests.slice(64).map(({ url }) => url));
    for (let number = 26; number < 30; number += 1)
      expect([...first, ...second]).to.include(`https://slow-${number}.example.com/`);
    release();
  });

  it('does not hammer a receiver that fails for a day, and delivers all once it is well', async () => {
    let sick = true;
    egress.answer = async () => ({ status: sick ? 500 : 200, body });
    const webhookId = await create('sick');
    const ids = await queue(webhookId, 50);
    await dispatch();
    expect(egress.requests).to.have.length(5);
    await pass(12);
    // Every ten minutes at the most: never a burst, whatever has come together.
    expect(egress.requests.length).to.be.within(30, 120);
    sick = false;
    await pass(24, 5 * 60_000);
    const delivered = await states(webhookId);
    expect(delivered.map(({ state }) => state)).to.deep.equal(Array.from({ length: 50 }, () => 'delivered'));
    expect(new Set(egress.requests.map(idOf))).to.deep.equal(new Set(ids));
  });

  it('lets a receiver be for as long as it asks', async () => {
    const { clock } = world;
    let asks = true;
    egress.answer = async () =>
      asks ? { status: 503, retryAfterMs: 30 * 60_000, body } : { status: 200, body };
    const webhookId = await create('busy');
    const ids = await queue(webhookId, 1);
    const began = clock.now();
    await dispatch();
    asks = false;
    const late = await queue(webhookId, 1);
    while (clock.now() < began + 30 * 60_000) {
      expect(egress.requests).to.have.length(1);
      await clock.advance(60_000);
      await dispatch();
    }
    expect(egress.requests.slice(1).map(idOf)).to.have.members([...ids, ...late]);
  });

  it('tries a delivery eleven times over about a day, always under its id, and gives it up', async () => {
    const webhookId = await create('refusing');
    const [good, bad] = await queue(webhookId, 2);
    egress.answer = async (request) => ({ status: idOf(request) === bad ? 400 : 200, body });
    await dispatch();
    await pass(31, 5 * 60_000);
    const counts = Map.groupBy(egress.requests, idOf);
    expect([counts.get(good ?? '')?.length, counts.get(bad ?? '')?.length]).to.deep.equal([1, 11]);
    const found = (await states(webhookId)).find(({ deliveryId }) => deliveryId === bad);
    expect(found).to.include({ state: 'failed', attempted: 11, dueAt: null });
    const [first, last] = [found?.attempts[0]?.at ?? '', found?.attempts.at(-1)?.at ?? ''];
    expect((Date.parse(last) - Date.parse(first)) / hourMs).to.be.within(20, 31);
  });

  it('sends again under the same id what could not be recorded, and not at once', async () => {
    let full = true;
    const failing: Executor = {
      load: (...args) => world.executor.load(...args),
      execute: (command) => {
        const records = command.aggregate.name === webhookDeliveries.name && full;
        return records
          ? Promise.reject(new StoreUnavailable('the disk is full'))
          : world.executor.execute(command);
      },
    };
    sender = open({ executor: failing });
    const webhookId = await create('a');
    const [id] = await queue(webhookId, 1);
    for (let second = 0; second < 25; second += 1) {
      await dispatch();
      await world.clock.advance(1_000);
    }
    expect(egress.requests).to.have.length(1);
    full = false;
    await world.clock.advance(30_000);
    await dispatch();
    expect(egress.requests.map(idOf)).to.deep.equal([id, id]);
    expect(await states(webhookId)).to.have.nested.property('[0].state', 'delivered');
  });

  it('sends again after a restart what was under way, and nothing else', async () => {
    const webhookId = await create('a');
    const [before] = await queue(webhookId, 1);
    await dispatch();
    const { held } = hanging('a');
    const [id] = await queue(webhookId, 1);
    await world.caughtUp();
    await sender.dispatch(null);
    while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await sender.stop();
    egress.answer = async () => ({ status: 200, body });
    await dispatch(open());
    expect(egress.requests.map(idOf)).to.deep.equal([before, id, id]);
    expect((await states(webhookId)).map(({ attempted }) => attempted)).to.deep.equal([1, 1]);
  });

  describe('when an attempt ends while the sender asks what waits', () => {
    /** The sender, with a delivery under way to a receiver that answers when it is released. */
    async function underWay(more: Partial<WebhookSenderDeps>) {
      const { held, release } = hanging('a');
      const ids = await queue(await create('a'), 1);
      await world.caughtUp();
      sender = open(more);
      await sender.dispatch(null);
      await until('it is under way', 10_000, async () => (held.length === 1 ? true : null));
      const end = async (): Promise<void> => {
        release();
        await sender.idle();
      };
      return { ids, end };
    }
    const isOfDeliveries = (collection: string): boolean => collection === deliveries.name;

    it('is sent once, though it was still waiting when the read model answered', async () => {
      let meanwhile = async (): Promise<void> => undefined;
      const find: ReadModels['find'] = async <D extends object>(collection: string, query: Query) => {
        const answer = await world.models.find<D>(collection, query);
        if (isOfDeliveries(collection)) await meanwhile();
        return answer;
      };
      const { ids, end } = await underWay({ models: { ...world.models, find } });
      meanwhile = end;
      await sender.dispatch(null);
      await sender.idle();
      expect(egress.requests.map(idOf)).to.deep.equal(ids);
    });

    it('is sent once, though it ended before the read model was asked, which does not show it yet', async () => {
      let lags = false;
      let before: DocumentPage<object> | null = null;
      const find: ReadModels['find'] = async <D extends object>(collection: string, query: Query) => {
        if (isOfDeliveries(collection) && lags && before) return before as DocumentPage<D>;
        const answer = await world.models.find<D>(collection, query);
        if (isOfDeliveries(collection)) before = answer;
        return answer;
      };
      const waitFor = async (): Promise<boolean> => {
        await world.caughtUp();
        lags = false;
        return true;
      };
      let meanwhile = async (): Promise<void> => undefined;
      const executor: Executor = {
        execute: (command) => world.executor.execute(command),
        load: async (aggregate, id) => {
          if (aggregate.name === webhookDeliveries.name) await meanwhile();
          return world.executor.load(aggregate, id);
        },
      };
      const { ids, end } = await underWay({
        models: { ...world.models, find },
        projector: { waitFor },
        executor,
      });
      meanwhile = async () => {
        lags = true;
        await end();
      };
      await sender.dispatch(null);
      await sender.idle();
      expect(egress.requests.map(idOf)).to.deep.equal(ids);
    });
  });

  it('switches a webhook off whose receiver is gone, also when a crash came between', async () => {
    egress.answer = async () => ({ status: 410, body });
    const crashing: Executor = {
      load: (...args) => world.executor.load(...args),
      execute: (command) =>
        command.aggregate.name === webhook.name
          ? Promise.reject(new StoreUnavailable('killed'))
          : world.executor.execute(command),
    };
    const webhookId = await create('a');
    await queue(webhookId, 5);
    await dispatch(open({ executor: crashing }));
    const active = async () => (await world.executor.load(webhook, webhookId)).state?.active;
    expect(await active()).to.equal(true);
    const sent = egress.requests.length;
    await dispatch();
    expect(await active()).to.equal(false);
    await pass(2);
    expect(egress.requests).to.have.length(sent);
  });

  it('switches a webhook off that has let nothing through for five days', async () => {
    egress.answer = async () => Promise.reject(new EgressFailed('Unreachable', 'No connection came about'));
    const webhookId = await create('a');
    for (let day = 0; day < 5; day += 1) {
      await queue(webhookId, 1);
      await dispatch();
      await pass(24, 20 * 60_000);
    }
    expect((await world.executor.load(webhook, webhookId)).state).to.deep.include({ active: true });
    await queue(webhookId, 1);
    await dispatch();
    const { state } = await world.executor.load(webhook, webhookId);
    expect(state).to.have.property('active', false);
    expect(state?.deactivated).to.include({ cause: 'failing' });
    expect(state?.deactivated?.reason).to.match(/^Nothing has got through since 2030-01-01T00:00.*attempts$/);
  });

  it('sends nothing that has waited for more than a week', async () => {
    const webhookId = await create('a');
    await queue(webhookId, 1);
    await world.caughtUp();
    await world.clock.advance(7 * 24 * hourMs + 1);
    const [late] = await queue(webhookId, 1);
    await dispatch();
    expect(egress.requests.map(idOf)).to.deep.equal([late]);
  });

  it('says so when there is no secret to sign with', async () => {
    const webhookId = await create('a');
    await secrets.forget({ tenantId: acme, webhookId });
    await queue(webhookId, 1);
    await dispatch();
    expect(egress.requests).to.have.length(0);
    const [delivery] = await states(webhookId);
    expect(delivery?.attempts[0]).to.include({
      outcome: 'failed',
      error: 'The webhook has no secret: rotate it',
    });
  });
});
