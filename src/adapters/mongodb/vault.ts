/** The {@link Vault} of several processes: in MongoDB, every value in it sealed before it leaves this process. */
import { createHmac, randomBytes } from 'node:crypto';
import { Binary, type Collection, type Db, type Filter } from 'mongodb';
import type { Clock } from '../../ports/clock.ts';
import { SealBroken } from '../../ports/vault.ts';
import type { Vault, VaultKey } from '../../ports/vault.ts';
import { newKeyCheck, openKeyCheck, recordBinding, sealRecord, vaultKeys } from '../vault/keys.ts';
import { openSeal, readSeal, writeSeal } from '../vault/personal-seal.ts';
import { seal, unseal, unsealOnce } from '../vault/sealing.ts';
import type { MongoConnection } from './connection.ts';
import { CODES, hasCode } from './errors.ts';
import {
  idOfRecord,
  keyCheckId,
  vaultCollections,
  type PersonalKeyDocument,
  type VaultMetaDocument,
  type VaultRecordDocument,
} from './vault-documents.ts';
import { whileOpen } from './while-open.ts';

/** What is read was written for good: a key that an election takes back must have sealed nothing. */
const readConcern = { level: 'majority' } as const;

/** @throws {WrongMasterKey} of ../vault/keys.ts; {StoreUnavailable} */
export async function openMongoVault({
  connection,
  masterKey,
  clock,
}: {
  readonly connection: Pick<MongoConnection, 'asking'>;
  /** 32 random bytes, kept elsewhere. */
  readonly masterKey: Uint8Array;
  /** Decides what has expired. */
  readonly clock: Pick<Clock, 'now'>;
}): Promise<Vault> {
  const keys = vaultKeys(masterKey);
  const end = whileOpen(connection, 'the vault');
  const records = <T>(ask: (records: Collection<VaultRecordDocument>) => Promise<T>): Promise<T> =>
    end.asking((db) => ask(db.collection(vaultCollections.records, { readConcern })));
  const personalKeys = <T>(ask: (known: Collection<PersonalKeyDocument>) => Promise<T>): Promise<T> =>
    end.asking((db) => ask(db.collection(vaultCollections.personalKeys, { readConcern })));

  await end.asking(async (db) => {
    openKeyCheck(keys, await checkIn(db, newKeyCheck(keys)), 'the vault in MongoDB');
    const kept = db.collection(vaultCollections.records);
    await kept.createIndex({ kind: 1, name: 1 });
    await kept.createIndex({ expiresAt: 1 });
  });

  const live = (): Filter<VaultRecordDocument> => ({
    $or: [{ expiresAt: null }, { expiresAt: { $gt: new Date(clock.now()) } }],
  });

  function documentOf(
    key: VaultKey,
    value: Uint8Array,
    expiresAt: Date | undefined,
  ): Omit<VaultRecordDocument, '_id'> {
    const { sealed, expiresAt: expiry } = sealRecord(keys, key, value, expiresAt);
    const { kind, name } = key;
    return { kind, name, sealed: new Binary(sealed), expiresAt: expiry === null ? null : new Date(expiry) };
  }

  /** The subject's key as it is now: another process may have destroyed it. */
  async function personalKey(subject: string) {
    const found = await personalKeys((known) => known.findOne({ _id: subject }));
    const generation = found?.generation ?? 0;
    if (!found?.sealed) return { generation, key: null };
    return { generation, key: unseal(keys.personal, [subject, generation], found.sealed.value()) };
  }

  /** Of two that mint at once one wins, and a forgetting in between is not undone. */
  function mint(subject: string, generation: number): Promise<void> {
    const sealed = new Binary(seal(keys.personal, [subject, generation], randomBytes(32)));
    return personalKeys(async (known) => {
      if (generation === 1)
        await known.insertOne({ _id: subject, generation, sealed }).catch((error: unknown) => {
          if (!hasCode(error, CODES.duplicateKey)) throw error;
        });
      else
        await known.updateOne(
          { _id: subject, generation: generation - 1, sealed: null },
          { $set: { generation, sealed } },
        );
    });
  }

  return {
    put: (key, value, { expiresAt } = {}) =>
      records(async (kept) => {
        const document = documentOf(key, value, expiresAt);
        const replace = () => kept.replaceOne({ _id: idOfRecord(key) }, document, { upsert: true });
        await replace().catch(async (error: unknown) => {
          // Another has put the first one just now.
          if (!hasCode(error, CODES.duplicateKey)) throw error;
          await replace();
        });
      }),
    putIfAbsent: (key, value, { expiresAt } = {}) =>
      records(async (kept) => {
        const _id = idOfRecord(key);
        const document = documentOf(key, value, expiresAt);
        try {
          // No upsert: of two at once, some servers let the second overwrite the first.
          await kept.insertOne({ _id, ...document });
          return true;
        } catch (error) {
          if (!hasCode(error, CODES.duplicateKey)) throw error;
        }
        const isOver = { _id, expiresAt: { $lte: new Date(clock.now()) } };
        return (await kept.replaceOne(isOver, document)).modifiedCount > 0;
      }),
    async get(key) {
      const found = await records((kept) => kept.findOne({ _id: idOfRecord(key) }));
      if (!found) return null;
      const expiry = found.expiresAt?.getTime() ?? null;
      if (expiry !== null && expiry <= clock.now()) return null;
      if (!(found.sealed instanceof Binary)) throw new SealBroken('the record holds no sealed value');
      return unsealOnce(keys.records, recordBinding(key, expiry), found.sealed.value());
    },
    delete: (key) =>
      records(async (kept) => (await kept.deleteOne({ _id: idOfRecord(key), ...live() })).deletedCount > 0),
    names: (kind, prefix = '') =>
      records(async (kept) => {
        const names: string[] = [];
        const wanted = kept
          .find({ kind, name: { $gte: prefix }, ...live() }, { projection: { _id: 0, name: 1 } })
          .sort({ kind: 1, name: 1 });
        for await (const { name } of wanted) {
          if (!name.startsWith(prefix)) break;
          names.push(name);
        }
        return names;
      }),
    purge: () =>
      records(
        async (kept) => (await kept.deleteMany({ expiresAt: { $lte: new Date(clock.now()) } })).deletedCount,
      ),

    async sealFor(subject, plaintext) {
      for (;;) {
        const found = await personalKey(subject);
        if (found.key) return writeSeal(subject, found, plaintext);
        await mint(subject, found.generation + 1);
      }
    },
    async openFor(subject, text) {
      const sealed = readSeal(text);
      const found = await personalKey(subject);
      if (!found.key || (sealed.generation > 0 && sealed.generation < found.generation)) return null;
      return openSeal(subject, found, sealed);
    },
    forget: (subject) =>
      personalKeys(async (known) => {
        await known.updateOne({ _id: subject, sealed: { $ne: null } }, { $set: { sealed: null } });
      }),
    async fingerprint(purpose, value) {
      return createHmac('sha256', keys.fingerprints)
        .update(JSON.stringify([purpose, value]))
        .digest('hex');
    },
    close: () => end.close(),
  };
}

/** Of a new vault: the one given, unless another process was faster. */
async function checkIn(db: Db, fresh: Uint8Array): Promise<Uint8Array> {
  const meta = db.collection<VaultMetaDocument>(vaultCollections.meta, { readConcern });
  const found = await meta.findOne({ _id: keyCheckId });
  if (found) return found.value.value();
  await meta.insertOne({ _id: keyCheckId, value: new Binary(fresh) }).catch((error: unknown) => {
    if (!hasCode(error, CODES.duplicateKey)) throw error;
  });
  return (await meta.findOne({ _id: keyCheckId }))?.value.value() ?? fresh;
}
