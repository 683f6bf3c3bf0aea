/** Which aggregate a stream is of: streams are called `{aggregate}-{id}`, and names of aggregates have no dash. */
import { commandRecord } from '../core/command-record.ts';
import { administrators } from '../domain/administrators.ts';
import { deployment } from '../domain/deployment/deployment.ts';
import { emailReservation } from '../domain/email-reservation.ts';
import type { Aggregate } from '../domain/event.ts';
import { freeze } from '../domain/freeze.ts';
import { health } from '../domain/health.ts';
import { healthSummary } from '../domain/health/summary.ts';
import { platformSetup } from '../domain/platform-setup.ts';
import { plugin } from '../domain/plugin.ts';
import { quota } from '../domain/quota.ts';
import { namespaceReservation, packageNameReservation } from '../domain/reservation.ts';
import { secrets } from '../domain/secrets.ts';
import { slot } from '../domain/slot.ts';
import { tenant } from '../domain/tenant.ts';
import { user } from '../domain/user.ts';
import { webhook } from '../domain/webhook.ts';
import { webhookDeliveries } from '../domain/webhook-deliveries.ts';
import { webhookPlaces } from '../domain/webhook-places.ts';

/** An aggregate whose state and events nobody here looks into. */
export type AnyAggregate = Aggregate<unknown, { readonly type: string }>;

/** A fold is handed the events of its own streams alone, as decoding them has checked. */
function erased<S, E extends { readonly type: string }>(of: Aggregate<S, E>): AnyAggregate {
  const { evolve, ...rest } = of;
  return { ...rest, evolve: (state, event) => evolve(state as S, event as E) };
}

const all: readonly AnyAggregate[] = [
  erased(administrators),
  erased(commandRecord),
  erased(deployment),
  erased(emailReservation),
  erased(freeze),
  erased(health),
  erased(healthSummary),
  erased(namespaceReservation),
  erased(packageNameReservation),
  erased(platformSetup),
  erased(plugin),
  erased(quota),
  erased(secrets),
  erased(slot),
  erased(tenant),
  erased(user),
  erased(webhook),
  erased(webhookDeliveries),
  erased(webhookPlaces),
];
const byName = new Map(all.map((aggregate) => [aggregate.name, aggregate]));

/** Null: no stream of this platform is called so. */
export function aggregateOf(
  stream: string,
): { readonly aggregate: AnyAggregate; readonly id: string } | null {
  const dash = stream.indexOf('-');
  const aggregate = byName.get(stream.slice(0, Math.max(0, dash)));
  return aggregate && dash < stream.length - 1 ? { aggregate, id: stream.slice(dash + 1) } : null;
}
