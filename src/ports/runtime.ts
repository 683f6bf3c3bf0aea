/** Where instances of a plugin run. `test/contract/runtime.ts` holds every adapter to it. */
import type { DeploymentId, SlotKey } from '../domain/ids.ts';
import type { JsonObject } from './event-store.ts';

/** How many instances of which version should run. */
export interface DesiredDeployment {
  readonly deploymentId: DeploymentId;
  readonly pluginVersion: string;
  readonly instances: number;
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

export interface RuntimeCapabilities {
  /** Whether the platform's own prober asks the instances; otherwise an agent reports. */
  readonly probedByPlatform: boolean;
  /** Whether instances go on while the platform is down. */
  readonly outlivesPlatform: boolean;
}

export interface Runtime {
  readonly kind: 'simulated' | 'local' | 'agent';
  readonly capabilities: RuntimeCapabilities;
  /**
   * States the slot's whole desired set: starts what is missing, stops what is too much or not named. Idempotent.
   * @param epoch fences: @throws {StaleEpoch} when a newer one was stated before
   */
  ensure(slot: SlotKey, epoch: number, desired: readonly DesiredDeployment[]): Promise<void>;
  /** What runs now; null for a slot that this runtime knows nothing of (as after a restart of the platform). */
  inspect(
    slot: SlotKey,
  ): Promise<{ readonly epoch: number; readonly instances: readonly RunningInstance[] } | null>;
  /** Asks one instance how it is, once, within `timeoutMs`. Null: it does not exist, or nothing at all came back. */
  probe(instanceId: string, timeoutMs: number): Promise<ProbeResult | null>;
  /** Stops every instance and leaves the platform's machine as if none had run. */
  close(): Promise<void>;
}

export class StaleEpoch extends Error {
  override readonly name = 'StaleEpoch';
}
