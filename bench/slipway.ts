/** A whole Slipway in a process of its own, as `slipway serve` starts it; tells when it is ready, and answers how far its read models lag. */
import { randomUUID } from 'node:crypto';
import { openSync } from 'node:fs';
import { readConfig } from '../src/config.ts';
import { createLogger } from '../src/logging.ts';
import type { NewEvent } from '../src/ports/event-store.ts';
import { startServer } from '../src/server.ts';
import { type Child, startChild, tell } from './child.ts';

export interface Ready {
  readonly url: string;
  /** Resident, in bytes. */
  readonly rss: number;
}

export interface Lag {
  /** From the moment asked about until every read model stood at the log's end. */
  readonly ms: number;
}

/** Appends so many edits of a plugin at once, through the port of the log. */
export interface Edits {
  readonly pluginId: string;
  readonly edits: number;
}

/** Asked for by `{ rest: true }`: no process has anything left to do. */
export interface Rest {
  readonly rests: true;
}

export const adminPassword = 'correct horse battery staple';

/** With its log on and written to nowhere. */
export function startSlipway(folder: string, env: Readonly<Record<string, string>> = {}): Child {
  return startChild('slipway.ts', {
    stderr: openSync('/dev/null', 'w'),
    env: {
      PORT: '0',
      LOG_LEVEL: 'info',
      SLIPWAY_DATA_DIR: folder,
      SLIPWAY_ADMIN_PASSWORD: adminPassword,
      SLIPWAY_RATE_LIMITS: 'off',
      ...env,
    },
  });
}

if (import.meta.main) {
  const config = readConfig(process.env);
  const server = await startServer(config, { logger: createLogger(config), announce: () => undefined });
  // Before anybody hears that it is ready, and may stop it at once.
  process.once('SIGTERM', () => void server.stop().then(() => process.exit(0)));
  await server.ready;
  tell({ url: server.url, rss: process.memoryUsage.rss() } satisfies Ready);
  process.on('message', (asked: { readonly since: number } | { readonly rest: true } | Edits) => {
    const done = 'edits' in asked ? edit(asked) : 'rest' in asked ? atRest() : lagSince(asked.since);
    void done.then(tell);
  });

  async function atRest(): Promise<Rest> {
    await server.platform.processes.idle();
    return { rests: true };
  }

  async function lagSince(since: number): Promise<Lag> {
    const head = await server.ports.eventStore.head();
    await server.platform.projector.waitFor('all', head, 600_000);
    return { ms: Date.now() - since };
  }

  async function edit({ pluginId, edits }: Edits): Promise<object> {
    const { eventStore } = server.ports;
    const stream = `plugin-${pluginId}`;
    const [last] = await eventStore.readStream(stream, { direction: 'backwards', limit: 1 });
    if (!last) throw new Error(`there is no plugin ${pluginId}`);
    const events = Array.from({ length: edits }, (_, number): NewEvent => {
      const data = {
        pluginId,
        changes: { name: `Edited ${last.revision + number}` },
        editedAt: last.metadata.at,
      };
      return {
        id: randomUUID(),
        type: 'PluginMetadataEdited',
        data,
        metadata: { ...last.metadata, schema: 1 },
      };
    });
    await eventStore.append(stream, last.revision, events);
    return { done: true };
  }
}
