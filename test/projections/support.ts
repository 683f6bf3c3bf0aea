/** The log, the commands on it and the read models that follow it, as the server has them but in a folder of the test's own. */
import { join } from 'node:path';
import { openSqliteReadModels } from '../../src/adapters/sqlite/read-models.ts';
import type { ConfigurationChecks } from '../../src/core/configuration-checks.ts';
import { createExecutor } from '../../src/core/command-executor.ts';
import type { CommandContext, Executor } from '../../src/core/executor.ts';
import type { Projection } from '../../src/core/projection.ts';
import { createProjector } from '../../src/core/projector.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import type { EventSchemas } from '../../src/domain/event.ts';
import { DeploymentId } from '../../src/domain/ids.ts';
import { slot, type SlotOutcome } from '../../src/domain/slot.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import type { ReadModels } from '../../src/ports/read-models.ts';
import { someContext } from '../commands/support.ts';
import { configurationChecks } from '../support/configuration-checks.ts';
import { openMemoryEventStore } from '../support/memory-event-store.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';

export interface World {
  readonly store: EventStore;
  readonly executor: Executor;
  readonly models: ReadModels;
  readonly clock: VirtualClock;
  readonly configurationChecks: ConfigurationChecks;
  context(): CommandContext;
  /** Ends a flight of a slot (`acme.production.plugin-a`): that deployment, or none, is current from now on. */
  turn(slot: string, current: 'dep-1' | null, outcome: SlotOutcome): Promise<void>;
  /** Resolves once the read models contain all that has been appended. */
  caughtUp(): Promise<void>;
  close(): Promise<void>;
}

export async function openWorld(
  events: readonly EventSchemas[],
  projections: readonly Projection[],
): Promise<World> {
  const folder = await temporaryFolder();
  const clock = createVirtualClock();
  const log = createRecordingLog();
  const store = openMemoryEventStore({ clock });
  const schemas = createSchemas(events);
  const models = await openSqliteReadModels({ path: join(folder.path, 'models.db') });
  const projector = createProjector({ store, models, schemas, projections, clock, log });
  await projector.start();
  const executor = createExecutor({ store, schemas, snapshots: null, clock, log });
  return {
    store,
    executor,
    models,
    clock,
    configurationChecks,
    context: someContext,
    turn: async (id, current, outcome) => {
      const ended = DeploymentId.parse('dep-1');
      const data = { current: current && DeploymentId.parse(current), ended, outcome, coolDown: null };
      const decide = () => [{ type: 'SlotTurned', data }] as const;
      await executor.execute({ aggregate: slot, id, tenant: null, context: someContext(), decide });
    },
    caughtUp: async () => {
      const reached = await projector.waitFor('all', await store.head(), 10_000);
      if (!reached) throw new Error(`the read models stand still: ${JSON.stringify(log.lines)}`);
    },
    close: async () => {
      await projector.stop();
      await models.close();
      await store.close();
      await folder.remove();
    },
  };
}
