/** The read model of tenants, built of a log. */
import { createSystemClock } from '../src/adapters/system-clock.ts';
import { createProjector, type Projector } from '../src/core/projector.ts';
import { createSchemas } from '../src/core/schemas.ts';
import { tenantEvents } from '../src/domain/tenant.ts';
import type { EventStore } from '../src/ports/event-store.ts';
import type { ReadModels } from '../src/ports/read-models.ts';
import { tenantsProjection } from '../src/projections/tenants.ts';
import { silent } from './silent.ts';
import { timed } from './turns.ts';

/** @param models empty; closed at the end @param use is told how many ms it took until the read model stood at the log's end */
export async function withBuilt<T>(
  store: EventStore,
  models: ReadModels,
  use: (projector: Projector, builtMs: number) => T | Promise<T>,
): Promise<T> {
  const projector = createProjector({
    ...{ store, models, schemas: createSchemas([tenantEvents]), clock: createSystemClock(), log: silent },
    projections: [tenantsProjection],
  });
  try {
    const { ms } = await timed(async () => {
      await projector.start();
      await projector.ready();
    });
    return await use(projector, ms);
  } finally {
    await projector.stop();
    await models.close();
  }
}
