/**
 * What each event came of. Events know their request and their command; parts of the platform act on what is so and not on a
 * message (decision 3), so what they did to a deployment came of what a person last asked of it.
 */
import { parseSlotKey, slotKey } from '../domain/ids.ts';
import type { EventStore, Json, LogSearch, RecordedEvent } from '../ports/event-store.ts';
import { announcementId } from '../projections/announcements/announcer.ts';
import type { AnnouncementType } from '../projections/announcements/types.ts';
import { announcementTypes } from '../projections/announcements/types.ts';

export interface Caused {
  readonly event: RecordedEvent;
  /** Position of the event that it came of, which is before it; null: of the request itself. */
  readonly parent: string | null;
}

/** Deployments and events of each that are looked at. */
const mostDeployments = 20;
const mostOfOne = 2_000;

/**
 * @param own events of one request, in the order of the log
 * @returns these and what else came of them, in the order of the log; what others asked of the same deployments is there where
 *   something of the request came of it
 */
export async function causesOf(
  store: Pick<EventStore, 'readStream' | 'compare'>,
  within: LogSearch,
  own: readonly RecordedEvent[],
): Promise<readonly Caused[]> {
  const events = new Map(own.map((event) => [event.position as string, event]));
  const parents = new Map<string, string | null>(own.map(({ position }) => [position, null]));
  const isOwn = new Set(events.keys());
  const deployments = [...new Set(own.flatMap((event) => deploymentOf(event) ?? []))];
  for (const deployment of deployments.slice(0, mostDeployments)) {
    let asked: RecordedEvent | null = null;
    for (const event of await timeline(store, within, deployment)) {
      if (!isOfProcess(event)) asked = event;
      else if (
        asked &&
        (isOwn.has(asked.position) || (isOwn.has(event.position) && isOf(deployment, event)))
      ) {
        events.set(event.position, event).set(asked.position, asked);
        parents.set(event.position, asked.position);
        if (!parents.has(asked.position)) parents.set(asked.position, null);
      }
    }
  }
  const announced = announcedBy(events.values());
  const order = [...events.values()].sort((a, b) => store.compare(a.position, b.position));
  return order.map((event) => {
    const delivery = event.stream.startsWith('webhookdeliveries-') ? event.data['deliveryId'] : null;
    const told = typeof delivery === 'string' ? announced.get(delivery) : undefined;
    return { event, parent: told ?? parents.get(event.position) ?? null };
  });
}

/** What was done to a deployment, to its place in its slot, and for it, in the order of the log. */
async function timeline(
  store: Pick<EventStore, 'readStream' | 'compare'>,
  within: LogSearch,
  deployment: string,
): Promise<readonly RecordedEvent[]> {
  const own = await store.readStream(`deployment-${deployment}`, { limit: mostOfOne });
  const [requested] = own;
  if (!requested) return [];
  const { tenant, environment, plugin } = requested.data;
  const slot = parseSlotKey(`${word(tenant)}.${word(environment)}.${word(plugin)}`);
  const others = [
    ...(slot ? await lastOf(store, `slot-${slotKey(slot)}`) : []),
    ...(await lastOf(store, `quota-${word(tenant)}`)),
  ].filter((event) => deploymentOf(event) === deployment);
  return [...own, ...others]
    .filter(({ metadata }) => within.tenant === undefined || metadata.tenant === within.tenant)
    .sort((a, b) => store.compare(a.position, b.position));
}

function lastOf(store: Pick<EventStore, 'readStream'>, stream: string): Promise<readonly RecordedEvent[]> {
  return store.readStream(stream, { direction: 'backwards', limit: mostOfOne });
}

function word(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function deploymentOf({ stream, data }: RecordedEvent): string | null {
  if (stream.startsWith('deployment-')) return stream.slice('deployment-'.length);
  const named = data['deploymentId'] ?? data['ended'];
  return typeof named === 'string' ? named : null;
}

/** Its own story, and not what it reserves: that is given back in the course of others'. */
function isOf(deployment: string, { stream }: RecordedEvent): boolean {
  return stream === `deployment-${deployment}` || stream.startsWith('slot-');
}

function isOfProcess({ metadata }: RecordedEvent): boolean {
  return metadata.actor.face === 'process';
}

/** By the id of what the outside is told of it: the position of the event. */
function announcedBy(events: Iterable<RecordedEvent>): ReadonlyMap<string, string> {
  const types = Object.keys(announcementTypes) as AnnouncementType[];
  return new Map(
    [...events].flatMap(({ id, position }) =>
      types.map((type) => [announcementId(type, id), position] as const),
    ),
  );
}
