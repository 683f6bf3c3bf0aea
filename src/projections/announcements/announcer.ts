/**
 * What the outside is told of a recorded event. It follows from the log up to that event and from nothing later, so that who
 * resumes is told what who listened was told; but for personal data, which is opened when it is told and gone once forgotten.
 */
import { UnreadableStream } from '../../core/executor.ts';
import { createPast } from '../../core/past.ts';
import type { Schemas } from '../../core/schemas.ts';
import { uuidV5 } from '../../core/uuid-v5.ts';
import type { EventStore, RecordedEvent } from '../../ports/event-store.ts';
import { deploymentTellings } from './deployments.ts';
import { healthTellings } from './health.ts';
import { installationTellings } from './installations.ts';
import { pluginTellings } from './plugins.ts';
import type { TellingDeps, Tellings, Told } from './telling.ts';
import { tenantTellings } from './tenants.ts';
import { announcementTypes, type Announcement, type AnnouncementType, type Channel } from './types.ts';

export interface Announcer {
  /**
   * Announcements in their order; none where the outside is told nothing.
   * @throws {UnreadableStream} when it, or what came before it, cannot be read by this version of the program
   */
  announce(event: RecordedEvent): Promise<readonly Announcement[]>;
}

const byChannel: readonly (readonly [Channel, Tellings])[] = [
  ['plugins', pluginTellings],
  ['plugins', installationTellings],
  ['deployments', deploymentTellings],
  ['health', healthTellings],
  ['tenants', tenantTellings],
];

/** Types of events that may lead to announcements, each with the channel of all of them. */
export const announcedEvents: ReadonlyMap<string, Channel> = new Map(
  byChannel.flatMap(([channel, tellings]) => Object.keys(tellings).map((type) => [type, channel] as const)),
);

const tellings = new Map(byChannel.flatMap(([, all]) => Object.entries(all)));

export interface AnnouncerOptions extends Omit<TellingDeps, 'past'> {
  readonly store: Pick<EventStore, 'readStream' | 'compare'>;
  readonly schemas: Schemas;
}

/** One that follows the log keeps the states that it needs next: give each follower its own. */
export function createAnnouncer(options: AnnouncerOptions): Announcer {
  const { schemas, executor, vault } = options;
  const deps = { past: createPast(options), executor, vault };
  return {
    async announce(recorded) {
      const tell = tellings.get(recorded.type);
      if (!tell) return [];
      const decoded = schemas.decode(recorded);
      if (!decoded.ok) throw new UnreadableStream(recorded.stream, recorded.revision, decoded.message);
      return (await tell(decoded.event, deps)).map((told) => announcement(recorded, told));
    },
  };
}

function announcement({ id, position, metadata }: RecordedEvent, told: Told): Announcement {
  return {
    id: announcementId(told.type, id),
    eventId: id,
    ...told,
    channel: announcementTypes[told.type],
    position,
    timestamp: metadata.at,
  };
}

/** No event is told twice under one type. */
export function announcementId(type: AnnouncementType, eventId: string): string {
  return `evt_${uuidV5(type, eventId)}`;
}
