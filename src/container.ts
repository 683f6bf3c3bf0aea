/** The one place where adapters meet ports. */
import { type KeyObject, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Container, type ServiceIdentifier } from 'inversify';
import { createEgress } from './adapters/egress/egress.ts';
import { openFolderBlobs } from './adapters/filesystem/blobs.ts';
import { fileSealHeads } from './adapters/filesystem/seal-heads.ts';
import { fileSealMoves, movesName } from './adapters/filesystem/seal-moves.ts';
import { loadJwtSecret } from './adapters/filesystem/jwt-secret.ts';
import { loadMasterKey } from './adapters/filesystem/master-key.ts';
import { openMemoryRateLimits } from './adapters/memory/rate-limits.ts';
import { connectMongo, type MongoConnection } from './adapters/mongodb/connection.ts';
import { openMongoLeases } from './adapters/mongodb/leases.ts';
import { openMongoRateLimits } from './adapters/mongodb/rate-limits.ts';
import { openMongoReadModels } from './adapters/mongodb/read-models.ts';
import { openMongoVault } from './adapters/mongodb/vault.ts';
import { openAgentRuntime } from './adapters/agent/runtime.ts';
import { openSimulatedRuntime } from './adapters/simulated/runtime.ts';
import { openS3Blobs } from './adapters/s3/blobs.ts';
import { openSqliteEventStore } from './adapters/sqlite/event-store.ts';
import { lockFolder } from './adapters/sqlite/folder-lock.ts';
import { openSqliteReadModels } from './adapters/sqlite/read-models.ts';
import { openSqliteSealLeaves } from './adapters/sqlite/seal-leaves.ts';
import { openSnapshots } from './adapters/sqlite/snapshots.ts';
import { openSqliteVault } from './adapters/sqlite/vault.ts';
import { createSystemClock } from './adapters/system-clock.ts';
import { type Config, s3PlaceOf, WrongSetting } from './config.ts';
import { parseHead } from './core/seals/head.ts';
import { withFormerTimes } from './core/seals/former-times.ts';
import { createLeafMaker } from './core/seals/leaf-maker.ts';
import { parseMove } from './core/seals/move.ts';
import { readRecord } from './custody/replay-record.ts';
import type { Blobs } from './ports/blobs.ts';
import type { Clock } from './ports/clock.ts';
import type { Egress } from './ports/egress.ts';
import type { EventStore } from './ports/event-store.ts';
import type { Leases } from './ports/leases.ts';
import type { RateLimits } from './ports/rate-limits.ts';
import type { ReadModels } from './ports/read-models.ts';
import type { Runtimes } from './ports/runtime.ts';
import type { LeafMaker, SealHeads, SealLeaves, SealMoves } from './ports/seals.ts';
import type { Snapshots } from './ports/snapshots.ts';
import { isShared } from './roles.ts';
import type { Vault } from './ports/vault.ts';
import { createLeafThread } from './sealing-thread.ts';
import { openRemoteLog, refuseVaultOfNobody } from './stores.ts';

export interface Ports {
  readonly clock: Clock;
  /** Chance, 0 to 1, for what need not be secret. */
  readonly random: () => number;
  /** A fresh UUID, where nothing is there that an id could derive from. */
  readonly newId: () => string;
  readonly eventStore: EventStore;
  readonly readModels: ReadModels;
  readonly snapshots: Snapshots;
  readonly vault: Vault;
  readonly runtimes: Runtimes;
  readonly egress: Egress;
  /** Null: no other process can serve this platform, since the lock on the data folder keeps it out. */
  readonly leases: Leases | null;
}

export interface OpenPorts extends Ports {
  /** Signs session tokens. */
  readonly sessionSecret: KeyObject;
  /** Opened when first asked for. */
  readonly blobs: () => Promise<Blobs>;
  readonly rateLimits: RateLimits;
  readonly sealLeaves: SealLeaves;
  readonly leafMaker: LeafMaker;
  readonly sealHeads: SealHeads;
  readonly sealMoves: SealMoves;
  /** Closes what was opened, and lets the next server have the folder. Idempotent. */
  close(): Promise<void>;
}

/** @throws {WrongSetting} */
async function refusePart(folder: string): Promise<void> {
  if (await readRecord(folder))
    throw new WrongSetting(
      `SLIPWAY_DATA_DIR: ${folder} holds a part of another platform's log: ask it with slipway audit --data; no platform starts on it`,
    );
}

interface Lock {
  release(): void;
}

/** What a test brings instead of adapters; it is closed like them. */
export type Replaced = Partial<Ports & Pick<OpenPorts, 'rateLimits'>>;

export async function openPorts(config: Config, replaced: Replaced = {}): Promise<OpenPorts> {
  const container = new Container({ defaultScope: 'Singleton' });
  const file = (name: string): string => join(config.SLIPWAY_DATA_DIR, name);
  const opened: (() => Promise<void>)[] = [];

  /** Binds a port to who answers it: opened once, when first asked for, and closed in the opposite order. */
  function bind<T>(
    name: string,
    open: () => Promise<T>,
    close: (port: T) => Promise<void> | void,
  ): () => Promise<T> {
    const identifier: ServiceIdentifier<T> = Symbol(name);
    container.bind<T>(identifier).toDynamicValue(async () => {
      const port = await open();
      opened.push(async () => close(port));
      return port;
    });
    return () => container.getAsync<T>(identifier);
  }

  const lock = bind<Lock>(
    'FolderLock',
    async () => {
      await refusePart(config.SLIPWAY_DATA_DIR);
      return lockFolder(config.SLIPWAY_DATA_DIR);
    },
    (held) => held.release(),
  );
  const clock = replaced.clock ?? createSystemClock();
  const sealMoves = fileSealMoves(file(movesName), parseMove);
  const eventStore: () => Promise<EventStore> = bind<EventStore>(
    'EventStore',
    async () => {
      const url = config.EVENTSTORE_URL;
      const store =
        replaced.eventStore ??
        (await (url === undefined
          ? openSqliteEventStore({ path: file('log.db'), clock })
          : openRemoteLog(url)));
      return withFormerTimes(store, await sealMoves.all(), sealLeaves);
    },
    (store) => store.close(),
  );
  const mongo = bind<MongoConnection>(
    'MongoDB',
    () => connectMongo({ url: config.MONGODB_URL ?? '' }),
    (connection) => connection.close(),
  );
  const readModels = bind<ReadModels>(
    'ReadModels',
    async () => {
      if (replaced.readModels) return replaced.readModels;
      return config.MONGODB_URL === undefined
        ? openSqliteReadModels({ path: file('read-models.db') })
        : openMongoReadModels(await mongo());
    },
    (models) => models.close(),
  );
  const snapshots = bind<Snapshots>(
    'Snapshots',
    async () => replaced.snapshots ?? (await openSnapshots({ file: file('snapshots.db') })),
    (kept) => kept.close(),
  );
  const vault = bind<Vault>(
    'Vault',
    async () => {
      if (replaced.vault) return replaced.vault;
      const masterKey = await loadMasterKey({
        fromSetting: config.SLIPWAY_MASTER_KEY,
        path: file('master.key'),
      });
      if (config.MONGODB_URL !== undefined)
        return openMongoVault({ connection: await mongo(), masterKey, clock });
      if (config.EVENTSTORE_URL !== undefined)
        await refuseVaultOfNobody(await eventStore(), file('vault.db'));
      return openSqliteVault({ path: file('vault.db'), masterKey, clock });
    },
    (sealed) => sealed.close(),
  );
  const runtimes = bind<Runtimes>(
    'Runtimes',
    async () => {
      if (replaced.runtimes) return replaced.runtimes;
      const simulated =
        config.NODE_ENV === 'production' ? null : openSimulatedRuntime({ clock, seed: randomUUID() });
      return { chosen: config.SLIPWAY_RUNTIME, agent: openAgentRuntime(), simulated };
    },
    async ({ agent, simulated }) => {
      await agent.close();
      await simulated?.close();
    },
  );
  const rateLimits = bind<RateLimits>(
    'RateLimits',
    async () => {
      if (replaced.rateLimits) return replaced.rateLimits;
      return config.MONGODB_URL === undefined
        ? openMemoryRateLimits({ clock })
        : openMongoRateLimits({ connection: await mongo(), clock });
    },
    (counts) => counts.close(),
  );
  const leases = bind<Leases | null>(
    'Leases',
    async () => {
      if (replaced.leases !== undefined) return replaced.leases;
      return isShared(config) ? openMongoLeases({ connection: await mongo() }) : null;
    },
    (given) => given?.close(),
  );
  const blobs = bind<Blobs>(
    'Blobs',
    async () => {
      const place = s3PlaceOf(config);
      return place ? openS3Blobs({ ...place, clock }) : openFolderBlobs({ folder: file('blobs') });
    },
    (kept) => kept.close(),
  );

  const sealLeaves: () => Promise<SealLeaves> = bind<SealLeaves>(
    'SealLeaves',
    async () => openSqliteSealLeaves({ path: file('seals.db'), logId: (await eventStore()).logId }),
    (leaves) => leaves.close(),
  );
  const leafMaker = bind<LeafMaker>(
    'LeafMaker',
    async () => {
      const store = await eventStore();
      if (replaced.eventStore ?? config.EVENTSTORE_URL) return createLeafMaker(store, await sealLeaves());
      return createLeafThread({ log: file('log.db'), leaves: file('seals.db'), logId: store.logId });
    },
    (maker) => maker.close(),
  );

  const close = async (): Promise<void> => {
    for (let next = opened.pop(); next; next = opened.pop()) await next();
  };
  try {
    await lock();
    return {
      clock,
      random: replaced.random ?? Math.random,
      newId: replaced.newId ?? randomUUID,
      eventStore: await eventStore(),
      readModels: await readModels(),
      snapshots: await snapshots(),
      vault: await vault(),
      runtimes: await runtimes(),
      egress: replaced.egress ?? createEgress({ clock, allowed: config.SLIPWAY_EGRESS_ALLOW }),
      leases: await leases(),
      sessionSecret: await loadJwtSecret({ fromSetting: config.JWT_SECRET, path: file('jwt.secret') }),
      blobs,
      rateLimits: await rateLimits(),
      sealLeaves: await sealLeaves(),
      leafMaker: await leafMaker(),
      sealHeads: fileSealHeads(config.SLIPWAY_SEAL_FILE ?? file('seals.ndjson'), parseHead),
      sealMoves,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
