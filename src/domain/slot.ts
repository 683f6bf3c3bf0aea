/** A slot (tenant, environment, plugin): which deployment is current and which is in flight. Its expected revision decides every race. */
import { z } from 'zod';
import type { Aggregate, EventsOf } from './event.ts';
import { DeploymentId, UserId } from './ids.ts';
import { refuse, type Decision, type Refusal } from './refusal.ts';

const claimed = {
  deploymentId: DeploymentId,
  /** Current when it was claimed. */
  previousDeploymentId: DeploymentId.nullable(),
  /** Until when the request must be recorded. */
  expiresAt: z.iso.datetime(),
};
const CoolDown = z.strictObject({
  pluginVersion: z.string(),
  configurationHash: z.string(),
  until: z.iso.datetime(),
});
type CoolDown = z.output<typeof CoolDown>;
export const SlotOutcome = z.enum([
  ...['Completed', 'RolledBack', 'RollbackFailed', 'Failed'],
  ...['Cancelled', 'Superseded', 'Undeployed'],
] as const);
export type SlotOutcome = z.output<typeof SlotOutcome>;

const event = <D extends z.ZodType>(data: D): { readonly schema: 1; readonly data: D } => ({
  schema: 1,
  data,
});

export const slotEvents = {
  SlotClaimed: event(z.strictObject(claimed)),
  /** It waits for the flight, which it supersedes, to end. */
  SuccessorClaimed: event(z.strictObject(claimed)),
  /** A claim without a deployment: refused, or expired. */
  SlotReleased: event(z.strictObject({ deploymentId: DeploymentId, reason: z.string() })),
  /** Names the current deployment and ends the flight, at once; only then do deployments tell their end. */
  SlotTurned: event(
    z.strictObject({
      current: DeploymentId.nullable(),
      ended: DeploymentId,
      outcome: SlotOutcome,
      coolDown: CoolDown.nullable(),
    }),
  ),
  /** The current deployment, completed before, goes back to the one before it. */
  RollbackClaimed: event(
    z.strictObject({ deploymentId: DeploymentId, to: DeploymentId, reason: z.string(), by: UserId }),
  ),
  /** The current deployment is to leave, unless others require it: who proposes it looks, then claims or releases. */
  UndeployProposed: event(
    z.strictObject({
      deploymentId: DeploymentId,
      reason: z.string(),
      by: UserId,
      /** Until when it must be decided. */
      expiresAt: z.iso.datetime(),
    }),
  ),
  /** The current deployment leaves. */
  UndeployClaimed: event(z.strictObject({ deploymentId: DeploymentId, reason: z.string(), by: UserId })),
} as const;
export type SlotEvent = EventsOf<typeof slotEvents>;

export interface Claim {
  readonly deploymentId: DeploymentId;
  readonly previousDeploymentId: DeploymentId | null;
  readonly expiresAt: string;
}

export type Flight =
  | (Claim & { readonly kind: 'rollout' })
  | {
      readonly kind: 'rollback';
      readonly deploymentId: DeploymentId;
      readonly to: DeploymentId;
      readonly reason: string;
      readonly by: UserId;
    }
  | {
      readonly kind: 'undeploy';
      readonly deploymentId: DeploymentId;
      readonly reason: string;
      readonly by: UserId;
      /** Until when it must be decided whether it leaves; null: it does. */
      readonly expiresAt: string | null;
    };

export interface SlotState {
  /** Grows with every event that changes whose instances should run. */
  readonly fence: number;
  readonly current: DeploymentId | null;
  readonly flight: Flight | null;
  /** Takes off once the flight, told to end, has ended. */
  readonly successor: Claim | null;
  /** The last three, newest last: their artifacts, configurations and secret versions stay pinned. */
  readonly completed: readonly DeploymentId[];
  /** Of automatic rollbacks, of each version with each configuration the last; what lasts no longer goes with the next. */
  readonly coolDowns: readonly CoolDown[];
  /** The flight that ended last. */
  readonly lastEnded: { readonly deploymentId: DeploymentId; readonly outcome: SlotOutcome } | null;
}

/** So many completed deployments of a slot can be returned to: what they need is kept. */
const pinnedDeployments = 3;

/** Stream `slot-{tenant}.{environment}.{plugin}`, see slotKey. */
export const slot: Aggregate<SlotState, SlotEvent> = {
  name: 'slot',
  events: slotEvents,
  initial: {
    fence: 0,
    current: null,
    flight: null,
    successor: null,
    completed: [],
    coolDowns: [],
    lastEnded: null,
  },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'SlotClaimed':
        return { ...state, fence: state.fence + 1, flight: { kind: 'rollout', ...data } };
      case 'SuccessorClaimed':
        return { ...state, successor: data };
      case 'SlotReleased':
        if (state.successor?.deploymentId === data.deploymentId) return { ...state, successor: null };
        // What was only proposed has changed nothing.
        if (state.flight?.kind === 'undeploy') return { ...state, flight: null };
        return { ...state, fence: state.fence + 1, ...takeOff(state, state.current) };
      case 'SlotTurned': {
        const done = data.outcome === 'Completed' ? [data.ended] : [];
        // Whose way back failed stays current, and pinned.
        const stays = (id: DeploymentId): boolean => id !== data.ended || data.outcome === 'RollbackFailed';
        const completed = [...state.completed.filter(stays), ...done].slice(-pinnedDeployments);
        const { current, coolDown } = data;
        return {
          current,
          fence: state.fence + 1,
          ...takeOff(state, current),
          completed,
          coolDowns: coolDown ? withCoolDown(state.coolDowns, coolDown) : state.coolDowns,
          lastEnded: { deploymentId: data.ended, outcome: data.outcome },
        };
      }
      case 'RollbackClaimed':
        return { ...state, fence: state.fence + 1, flight: { kind: 'rollback', ...data } };
      case 'UndeployProposed':
        return { ...state, flight: { kind: 'undeploy', ...data } };
      case 'UndeployClaimed':
        return {
          ...state,
          fence: state.fence + 1,
          flight: { kind: 'undeploy', ...data, expiresAt: null },
        };
    }
  },
};

function takeOff(
  { successor }: SlotState,
  current: DeploymentId | null,
): Pick<SlotState, 'flight' | 'successor'> {
  return {
    flight: successor && { kind: 'rollout', ...successor, previousDeploymentId: current },
    successor: null,
  };
}

export interface ClaimInput {
  readonly deploymentId: DeploymentId;
  readonly pluginVersion: string;
  readonly configurationHash: string;
  /** Ends the flight there is and takes its place. */
  readonly supersede: boolean;
  /** Though the same was just rolled back automatically. */
  readonly force: boolean;
  /** Wall milliseconds. */
  readonly now: number;
  readonly expiresAt: string;
}

/** How long the same version and configuration wait after an automatic rollback. */
export const coolDownMs = 10 * 60_000;

function withCoolDown(known: readonly CoolDown[], added: CoolDown): readonly CoolDown[] {
  const begun = Date.parse(added.until) - coolDownMs;
  return [...known.filter((one) => !isSame(one, added) && Date.parse(one.until) > begun), added];
}

function isSame(
  cooling: CoolDown,
  other: { readonly pluginVersion: string; readonly configurationHash: string },
): boolean {
  return (
    cooling.pluginVersion === other.pluginVersion && cooling.configurationHash === other.configurationHash
  );
}

/** Conflict names the deployment in flight, or until when the cool-down lasts. The same claim again: no events. */
export function claim(state: SlotState, input: ClaimInput): Decision<SlotEvent> {
  const { deploymentId, expiresAt } = input;
  if (state.flight?.deploymentId === deploymentId || state.successor?.deploymentId === deploymentId)
    return [];
  const cooling = state.coolDowns.find(
    (one) => isSame(one, input) && input.now < Date.parse(one.until) && !input.force,
  );
  if (cooling) {
    const message = `Version ${cooling.pluginVersion} with this configuration was just rolled back automatically: wait until ${cooling.until}, change it, or set force`;
    return refuse('Conflict', message);
  }
  const data = { deploymentId, previousDeploymentId: state.current, expiresAt };
  if (!state.flight) return [{ type: 'SlotClaimed', data }];
  if (state.flight.kind !== 'rollout') return inFlight(state.flight.deploymentId);
  if (!input.supersede) {
    const id = state.flight.deploymentId;
    return refuse(
      'Conflict',
      `Deployment ${id} is in flight in this slot: wait for its end, or set supersede`,
    );
  }
  if (state.successor) return inFlight(state.successor.deploymentId);
  return [{ type: 'SuccessorClaimed', data }];
}

export function inFlight(deploymentId: DeploymentId): Refusal {
  return refuse('Conflict', `Deployment ${deploymentId} is in flight in this slot`);
}

/** For a claim whose deployment was refused, or an undeployment that was. Of what is not claimed: no events. */
export function release(state: SlotState, deploymentId: DeploymentId, reason: string): Decision<SlotEvent> {
  const { flight, successor } = state;
  const undecided = flight?.kind === 'undeploy' && flight.expiresAt !== null;
  const claims =
    ((flight?.kind === 'rollout' || undecided) && flight.deploymentId === deploymentId) ||
    successor?.deploymentId === deploymentId;
  return claims ? [{ type: 'SlotReleased', data: { deploymentId, reason } }] : [];
}

/** Claims that somebody has to confirm, by recording a deployment or deciding that one leaves, or that expire. */
export function unconfirmedClaims({ flight, successor }: SlotState): readonly Expiring[] {
  return [flight?.kind === 'rollback' ? null : flight, successor].flatMap((claim) =>
    claim === null || claim.expiresAt === null
      ? []
      : [{ deploymentId: claim.deploymentId, expiresAt: claim.expiresAt }],
  );
}

export type Expiring = Pick<Claim, 'deploymentId' | 'expiresAt'>;

/** Releases a claim that nobody confirmed in time. @param recorded whether its deployment was @param now wall milliseconds */
export function expireClaim(
  state: SlotState,
  deploymentId: DeploymentId,
  recorded: boolean,
  now: number,
): Decision<SlotEvent> {
  const found = unconfirmedClaims(state).find((one) => one.deploymentId === deploymentId);
  const leaves = state.flight?.kind === 'undeploy';
  if (!found || (recorded && !leaves) || now < Date.parse(found.expiresAt)) return [];
  const what = leaves ? 'whether the deployment may leave was decided' : 'its deployment was recorded';
  return release(state, deploymentId, `The claim expired before ${what}`);
}

/** What a rollout asks of its slot when it ends. */
export type SlotEnd = Extract<SlotEvent, { type: 'SlotTurned' | 'SlotReleased' }>;

/** Of a flight or claim that has ended already: no events. */
export function end(state: SlotState, asked: SlotEnd): Decision<SlotEvent> {
  if (asked.type === 'SlotReleased') return release(state, asked.data.deploymentId, asked.data.reason);
  return state.flight?.deploymentId === asked.data.ended ? [asked] : [];
}

/** Rolls the slot's current, completed deployment back. The same again: no events. */
export function claimRollback(
  state: SlotState,
  input: {
    readonly deploymentId: DeploymentId;
    readonly to: DeploymentId | null;
    readonly reason: string;
    readonly by: UserId;
  },
): Decision<SlotEvent> {
  const { deploymentId, to, reason, by } = input;
  if (state.flight?.kind === 'rollback' && state.flight.deploymentId === deploymentId) return [];
  if (state.flight) return inFlight(state.flight.deploymentId);
  if (state.current !== deploymentId)
    return refuse('Conflict', `Deployment ${deploymentId} is not its slot's current one`);
  if (to === null)
    return refuse('Conflict', `Deployment ${deploymentId} was the first in its slot: nothing to return to`);
  if (!state.completed.includes(to)) {
    const message = `Deployment ${to} is none of the last ${pinnedDeployments} that completed here, and no longer kept: deploy its version anew`;
    return refuse('Conflict', message);
  }
  return [{ type: 'RollbackClaimed', data: { deploymentId, to, reason, by } }];
}
