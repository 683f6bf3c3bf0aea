import { expect } from 'chai';
import { TenantId, UserId, WebhookId } from '../../src/domain/ids.ts';
import {
  changeWebhook,
  createWebhook,
  deactivateWebhook,
  deleteWebhook,
  rotateSecret,
  webhook,
  webhookWithin,
  type WebhookEvent,
} from '../../src/domain/webhook.ts';
import {
  mostWebhooks,
  placeHeldMs,
  takePlace,
  freePlace,
  webhookPlaces,
} from '../../src/domain/webhook-places.ts';
import { spec } from '../support/given-when-then.ts';

const id = WebhookId.parse('wh_1');
const acme = TenantId.parse('acme');
const globex = TenantId.parse('globex');
const data = {
  ...{
    webhookId: id,
    tenantId: acme,
    url: 'https://a.example.com',
    types: ['plugin.registered'],
    active: true,
  },
  ...{ name: null, description: null, createdBy: UserId.parse('usr_1') },
};
const created: WebhookEvent = { type: 'WebhookCreated', data };
const off: WebhookEvent = { type: 'WebhookDeactivated', data: { cause: 'user', reason: 'Switched off' } };
const on: WebhookEvent = { type: 'WebhookActivated', data: {} };
const deleted: WebhookEvent = { type: 'WebhookDeleted', data: {} };
const gone = { cause: 'gone', reason: 'The receiver answered 410 Gone' } as const;

describe('a webhook', () => {
  const change =
    (changes: Parameters<typeof changeWebhook>[3], within: TenantId | null = acme) =>
    (state: Parameters<typeof changeWebhook>[0]) =>
      changeWebhook(state, id, within, changes);

  it('is created once', () => {
    spec(webhook)
      .given()
      .when((state) => createWebhook(state, data))
      .then(created);
    spec(webhook)
      .given(created)
      .when((state) => createWebhook(state, data))
      .then();
  });

  it('is changed in what differs', () => {
    const url = 'https://b.example.com';
    spec(webhook)
      .given(created)
      .when(change({ url, types: ['plugin.registered'], name: null, active: true }))
      .then({ type: 'WebhookEdited', data: { url } });
    spec(webhook)
      .given(created)
      .when(change({ url: data.url }))
      .then();
    spec(webhook)
      .given(created)
      .when(change({ name: 'On call', active: false }))
      .then({ type: 'WebhookEdited', data: { name: 'On call' } }, off);
  });

  it('is switched on and off, each only when it is not so', () => {
    spec(webhook)
      .given(created)
      .when(change({ active: false }))
      .then(off);
    spec(webhook)
      .given(created, off)
      .when(change({ active: false }))
      .then();
    spec(webhook)
      .given(created, off)
      .when(change({ active: true }))
      .then(on);
    spec(webhook)
      .given(created, off, on)
      .when(change({ active: true }))
      .then();
  });

  it('is switched off by the platform as it was found, and not when somebody has switched it on since', () => {
    const giveUp = (activation: number) => (state: Parameters<typeof deactivateWebhook>[0]) =>
      deactivateWebhook(state, { activation }, gone);
    spec(webhook).given(created).when(giveUp(1)).then({ type: 'WebhookDeactivated', data: gone });
    spec(webhook).given(created, off, on).when(giveUp(1)).then();
    spec(webhook).given(created, off).when(giveUp(1)).then();
    spec(webhook).given(created, deleted).when(giveUp(1)).then();
    spec(webhook).given().when(giveUp(1)).then();
  });

  it('exists for its tenant and the platform until it is deleted, and for nobody else', () => {
    const { state } = spec(webhook).given(created);
    expect(webhookWithin(state, acme)).to.equal(state);
    expect(webhookWithin(state, null)).to.equal(state);
    expect(webhookWithin(state, globex)).to.equal(null);
    expect(webhookWithin(spec(webhook).given(created, deleted).state, null)).to.equal(null);
    const until = '2030-01-01T00:00:00.000Z';
    for (const [given, within] of [
      [[], null],
      [[created], globex],
      [[created, deleted], acme],
    ] as const) {
      const when = spec(webhook).given(...given);
      when.when(change({ active: false }, within)).thenRefused('NotFound', /no webhook wh_1/);
      when.when((state) => rotateSecret(state, id, within, until)).thenRefused('NotFound', /no webhook wh_1/);
      when.when((state) => deleteWebhook(state, id, within)).thenRefused('NotFound', /no webhook wh_1/);
    }
  });
});

describe('places of webhooks', () => {
  const at = (ms: number): string => new Date(Date.parse('2030-01-01T00:00:00.000Z') + ms).toISOString();
  const numbered = (number: number): WebhookId => WebhookId.parse(`wh_${number}`);
  const taken = (number: number) =>
    ({ type: 'WebhookPlaceTaken', data: { webhookId: numbered(number), at: at(0) } }) as const;
  const full = Array.from({ length: mostWebhooks }, (_, number) => taken(number));
  const another = numbered(99);
  const take =
    (ms: number, gone: readonly WebhookId[] = []) =>
    (state: Parameters<typeof takePlace>[0]) =>
      takePlace(state, { webhookId: another, at: at(ms), gone });
  const got = (ms: number) =>
    ({ type: 'WebhookPlaceTaken', data: { webhookId: another, at: at(ms) } }) as const;
  const freed = (number: number) =>
    ({ type: 'WebhookPlaceFreed', data: { webhookId: numbered(number) } }) as const;

  it('are as many as there are, and one each', () => {
    spec(webhookPlaces)
      .given(...full.slice(1))
      .when(take(1))
      .then(got(1));
    spec(webhookPlaces).given(got(0)).when(take(1)).then();
    spec(webhookPlaces)
      .given(...full)
      .when(take(1))
      .thenRefused('Conflict', /20 webhooks already/);
    spec(webhookPlaces)
      .given(...full, freed(3))
      .when(take(1))
      .then(got(1));
    spec(webhookPlaces)
      .given(taken(1))
      .when((state) => freePlace(state, numbered(1)))
      .then(freed(1));
    spec(webhookPlaces)
      .given(taken(1))
      .when((state) => freePlace(state, numbered(2)))
      .then();
  });

  it('that nobody came for are free again after a minute, and not before', () => {
    spec(webhookPlaces)
      .given(...full)
      .when(take(placeHeldMs - 1, [numbered(3)]))
      .thenRefused('Conflict', /already/);
    spec(webhookPlaces)
      .given(...full)
      .when(take(placeHeldMs, [numbered(3)]))
      .then(freed(3), got(placeHeldMs));
  });
});
