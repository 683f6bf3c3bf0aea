/** Where instances of a plugin run. `test/contract/runtime.ts` holds every adapter to it. */
import type { DeploymentRequest } from '../domain/deployment/events.ts';
import type { DeploymentId, SlotKey } from '../domain/ids.ts';
import type { JsonObject } from './event-store.ts';

/** Of a deployment, for as long as it lives: `agent`, `simulated`, `local`. */
export type RuntimeKind = DeploymentRequest['runtime'];

/** How many instances of which version should run. */
export interface DesiredDeployment {
  readonly deploymentId: DeploymentId;
  readonly pluginVersion: string;
  readonly instances: number;
  readonly runtime: RuntimeKind;
  readonly configuration: JsonObject;
  /** Only the simulated runtime reads it; see its documentation. */
  readonly scenario: string | null;
}

export interface RunningInstance {
  /** Fresh at every start. */
  readonly id: string;
  readonly deploymentId: DeploymentId;
  /** The instance that died and that the runtime itself replaced by this one; null for a first start. */
  readonly replaces: string | null;
}

export interface ProbeResult {
  /** `fail`: it answered that it is not well, or not in time; `error`: the question could not be asked. */
  readonly outcome: 'pass' | 'fail' | 'error';
  readonly latencyMs: number | null;
}

interface AnyRuntime {
  /**
   * States the slot's whole desired set: starts what is missing, stops what is too much or not named. Idempotent.
   * @param epoch fences: @throws {StaleEpoch} when a newer one was stated before
   */
  ensure(slot: SlotKey, epoch: number, desired: readonly DesiredDeployment[]): Promise<void>;
  /** Leaves the platform's machine as if no instance had run there. */
  close(): Promise<void>;
}

/** The platform's own prober asks its instances how they are. */
export interface ProbedRuntime extends AnyRuntime {
  readonly kind: Exclude<RuntimeKind, 'agent'>;
  readonly capabilities: {
    readonly probedByPlatform: true;
    /** Whether instances go on while the platform is down. */
    readonly outlivesPlatform: boolean;
  };
  /** What runs now; null for a slot that this runtime knows nothing of (as after a restart of the platform). */
  inspect(
    slot: SlotKey,
  ): Promise<{ readonly epoch: number; readonly instances: readonly RunningInstance[] } | null>;
  /** Asks one instance how it is, once, within `timeoutMs`. Null: it does not exist, or nothing at all came back. */
  probe(instanceId: string, timeoutMs: number): Promise<ProbeResult | null>;
}

/** Instances live elsewhere: agents ask what should run, and report. What was stated follows from the log at any time. */
export interface AgentRuntime extends AnyRuntime {
  readonly kind: 'agent';
  readonly capabilities: { readonly probedByPlatform: false; readonly outlivesPlatform: true };
  /** Slots in which something was ever stated by this process. */
  stated(): readonly SlotKey[];
  /** Tells the slot whenever something else was stated for it. @returns ends it */
  onChange(listener: (slot: SlotKey) => void): () => void;
}

export type Runtime = ProbedRuntime | AgentRuntime;

/** A deployment runs where its request says, whatever was chosen since. */
export interface Runtimes {
  /** Where new deployments run. */
  readonly chosen: RuntimeKind;
  readonly agent: AgentRuntime;
  /** Null where nothing may be simulated. */
  readonly simulated: ProbedRuntime | null;
}

/** Null when this server has none of the kind: what was deployed there stands still until one that has it is started. */
export function runtimeOf(runtimes: Runtimes, kind: RuntimeKind): Runtime | null {
  return kind === 'local' ? null : runtimes[kind];
}

export class StaleEpoch extends Error {
  override readonly name = 'StaleEpoch';
}
