/** What commands need: the executor over a log in memory, and seals that can be read with the naked eye. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { ConfigurationChecks } from '../../src/core/configuration-checks.ts';
import { createExecutor } from '../../src/core/command-executor.ts';
import { CommandRefused, type Command, type CommandContext, type Executor } from '../../src/core/executor.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import { pluginEvents } from '../../src/domain/plugin.ts';
import type { Refusal } from '../../src/domain/refusal.ts';
import { reservationEvents } from '../../src/domain/reservation.ts';
import { tenantEvents } from '../../src/domain/tenant.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { RecordedEvent } from '../../src/ports/event-store.ts';
import type { Vault } from '../../src/ports/vault.ts';
import { configurationChecks } from '../support/configuration-checks.ts';
import { openMemoryEventStore } from '../support/memory-event-store.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

export interface Fixture {
  readonly executor: Executor;
  readonly vault: Pick<Vault, 'sealFor' | 'openFor'>;
  readonly clock: Clock;
  readonly configurationChecks: ConfigurationChecks;
  events(stream: string): Promise<readonly RecordedEvent[]>;
  /** The types of a stream's events. */
  types(stream: string): Promise<readonly string[]>;
  /** How many events there are in the whole log. */
  total(): Promise<number>;
  /** What another request does just before the next execution on the stream. */
  before(stream: string, act: () => Promise<unknown>): void;
}

export function fixture(): Fixture {
  const clock = createVirtualClock(Date.parse('2026-01-01T00:00:00.000Z'));
  const store = openMemoryEventStore({ clock });
  const schemas = createSchemas([pluginEvents, tenantEvents, reservationEvents]);
  const real = createExecutor({ store, schemas, snapshots: null, clock, log: createRecordingLog() });
  const meanwhile = new Map<string, () => Promise<unknown>>();
  const events = (stream: string) => store.readStream(stream, { limit: 100 });

  return {
    executor: {
      load: (aggregate, id) => real.load(aggregate, id),
      execute: async <S, E extends { readonly type: string }>(command: Command<S, E>) => {
        const stream = `${command.aggregate.name}-${command.id}`;
        const act = meanwhile.get(stream);
        meanwhile.delete(stream);
        await act?.();
        return await real.execute(command);
      },
    },
    vault: readableSeals(),
    clock,
    configurationChecks,
    events,
    types: async (stream) => (await events(stream)).map(({ type }) => type),
    total: async () => (await store.readAll({ after: null, limit: 1_000 })).events.length,
    before: (stream, act) => void meanwhile.set(stream, act),
  };
}

/** As the real ones: no two seals of one text are alike, and each opens for its own subject only. */
export function readableSeals(): Pick<Vault, 'sealFor' | 'openFor'> {
  let seals = 0;
  return {
    sealFor: async (subject, text) => `sealed:v1:${(seals += 1)}:${subject}|${text}`,
    openFor: async (subject, sealed) => {
      const [owner, text] = sealed.replace(/^sealed:v1:\d+:/, '').split('|', 2);
      expect(owner).to.equal(subject);
      return text ?? null;
    },
  };
}

export function someContext(): CommandContext {
  return {
    commandId: randomUUID(),
    correlationId: randomUUID(),
    actor: { id: 'usr_1', face: 'plugin-manager' },
  };
}

/** The refusal that a command ends with. */
export async function refusalOf(command: Promise<unknown>): Promise<Refusal> {
  try {
    await command;
  } catch (error) {
    if (error instanceof CommandRefused) return error.refusal;
    throw error;
  }
  throw new Error('the command was not refused');
}
