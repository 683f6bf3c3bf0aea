/** How many webhooks a tenant may have, decided by one stream: two that are created at once cannot both take the last place. */
import { z } from 'zod';
import type { Aggregate, EventSchemas, EventsOf } from './event.ts';
import { WebhookId } from './ids.ts';
import { refuse, type Decision } from './refusal.ts';

export const webhookPlaceEvents = {
  /** `at`: ISO 8601. */
  WebhookPlaceTaken: { schema: 1, data: z.object({ webhookId: WebhookId, at: z.iso.datetime() }) },
  WebhookPlaceFreed: { schema: 1, data: z.object({ webhookId: WebhookId }) },
} as const satisfies EventSchemas;
export type WebhookPlaceEvent = EventsOf<typeof webhookPlaceEvents>;

/** Who has a place, and since when. */
export type WebhookPlaces = readonly { readonly webhookId: WebhookId; readonly at: string }[];

export const mostWebhooks = 20;
/** Milliseconds after which a webhook that took a place and does not exist never will. */
export const placeHeldMs = 60_000;

/** Stream `webhookplaces-{tenantId}`. */
export const webhookPlaces: Aggregate<WebhookPlaces, WebhookPlaceEvent> = {
  name: 'webhookplaces',
  events: webhookPlaceEvents,
  initial: [],
  evolve(state, event) {
    const others = state.filter(({ webhookId }) => webhookId !== event.data.webhookId);
    return event.type === 'WebhookPlaceTaken' ? [...others, event.data] : others;
  },
};

/**
 * The same again has its place already.
 * @param gone who has a place and does not exist, as of after `state` was read
 */
export function takePlace(
  state: WebhookPlaces,
  {
    webhookId,
    at,
    gone,
  }: { readonly webhookId: WebhookId; readonly at: string; readonly gone: readonly WebhookId[] },
): Decision<WebhookPlaceEvent> {
  if (state.some((place) => place.webhookId === webhookId)) return [];
  const freed = state.filter((place) => gone.includes(place.webhookId) && isOver(place, at));
  if (state.length - freed.length >= mostWebhooks)
    return refuse('Conflict', `There are ${mostWebhooks} webhooks already; delete one that is not needed`);
  return [
    ...freed.map(({ webhookId: id }) => ({ type: 'WebhookPlaceFreed', data: { webhookId: id } }) as const),
    { type: 'WebhookPlaceTaken', data: { webhookId, at } },
  ];
}

function isOver(place: WebhookPlaces[number], at: string): boolean {
  return Date.parse(at) - Date.parse(place.at) >= placeHeldMs;
}

export function freePlace(state: WebhookPlaces, webhookId: WebhookId): Decision<WebhookPlaceEvent> {
  const has = state.some((place) => place.webhookId === webhookId);
  return has ? [{ type: 'WebhookPlaceFreed', data: { webhookId } }] : [];
}
