/** The events of every aggregate: what the log may hold, and this version can read. */
import { commandEvents } from './core/command-record.ts';
import { administrators } from './domain/administrators.ts';
import { deploymentEvents } from './domain/deployment/events.ts';
import { emailReservation } from './domain/email-reservation.ts';
import type { EventSchemas } from './domain/event.ts';
import { freezeEvents } from './domain/freeze.ts';
import { healthEvents } from './domain/health.ts';
import { healthSummaryEvents } from './domain/health/summary.ts';
import { platformSetup } from './domain/platform-setup.ts';
import { pluginEvents } from './domain/plugin.ts';
import { quotaEvents } from './domain/quota.ts';
import { reservationEvents } from './domain/reservation.ts';
import { secretEvents } from './domain/secrets.ts';
import { slotEvents } from './domain/slot.ts';
import { tenantEvents } from './domain/tenant.ts';
import { user } from './domain/user.ts';
import { webhookEvents } from './domain/webhook.ts';
import { webhookDeliveryEvents } from './domain/webhook-deliveries.ts';
import { webhookPlaceEvents } from './domain/webhook-places.ts';

export const allEvents: readonly EventSchemas[] = [
  administrators.events,
  commandEvents,
  deploymentEvents,
  emailReservation.events,
  freezeEvents,
  healthEvents,
  healthSummaryEvents,
  platformSetup.events,
  pluginEvents,
  quotaEvents,
  reservationEvents,
  secretEvents,
  slotEvents,
  tenantEvents,
  user.events,
  webhookEvents,
  webhookDeliveryEvents,
  webhookPlaceEvents,
];
