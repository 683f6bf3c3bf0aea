/** The vault in MongoDB as it is: see the port. */
import { Binary, type Db } from 'mongodb';
import type { SealedItem, SealedVault } from '../../ports/sealed-vault.ts';
import type { MongoConnection } from './connection.ts';
import {
  idOfRecord,
  keyCheckId,
  vaultCollections,
  type PersonalKeyDocument,
  type VaultMetaDocument,
  type VaultRecordDocument,
} from './vault-documents.ts';
import { whileOpen } from './while-open.ts';

const page = 500;

export function openSealedMongoVault({
  connection,
}: {
  readonly connection: Pick<MongoConnection, 'asking'>;
}): SealedVault {
  const end = whileOpen(connection, 'the vault');
  const collections = (db: Db) => ({
    meta: db.collection<VaultMetaDocument>(vaultCollections.meta),
    records: db.collection<VaultRecordDocument>(vaultCollections.records),
    personalKeys: db.collection<PersonalKeyDocument>(vaultCollections.personalKeys),
  });

  return {
    async *read() {
      const check = await end.asking((db) => collections(db).meta.findOne({ _id: keyCheckId }));
      if (check) yield [{ kind: 'key-check', sealed: check.value.value() }];
      for (let last: string | null = null; ;) {
        const after: object = last === null ? {} : { _id: { $gt: last } };
        const found = await end.asking((db) =>
          collections(db).records.find(after).sort({ _id: 1 }).limit(page).toArray(),
        );
        if (found.length > 0) yield found.map(recordOf);
        last = found.at(-1)?._id ?? last;
        if (found.length < page) break;
      }
      for (let last: string | null = null; ;) {
        const after: object = last === null ? {} : { _id: { $gt: last } };
        const found = await end.asking((db) =>
          collections(db).personalKeys.find(after).sort({ _id: 1 }).limit(page).toArray(),
        );
        if (found.length > 0) yield found.map(personalKeyOf);
        last = found.at(-1)?._id ?? last;
        if (found.length < page) break;
      }
    },
    clear: () =>
      end.asking(async (db) => {
        const { meta, records, personalKeys } = collections(db);
        await records.deleteMany({});
        await personalKeys.deleteMany({});
        await meta.deleteMany({});
      }),
    write: (items) =>
      end.asking(async (db) => {
        const { meta, records, personalKeys } = collections(db);
        const checks = items.flatMap((item) => (item.kind === 'key-check' ? [item] : []));
        for (const { sealed } of checks)
          await meta.replaceOne({ _id: keyCheckId }, { value: new Binary(sealed) }, { upsert: true });
        const kept = items.flatMap((item) => (item.kind === 'record' ? [replaceRecord(item)] : []));
        if (kept.length > 0) await records.bulkWrite(kept);
        const known = items.flatMap((item) => (item.kind === 'personal-key' ? [replaceKey(item)] : []));
        if (known.length > 0) await personalKeys.bulkWrite(known);
      }),
    close: () => end.close(),
  };
}

function replaceRecord({ key, sealed, expiresAt }: Extract<SealedItem, { kind: 'record' }>) {
  const { kind, name } = key;
  const replacement = {
    ...{ kind, name, sealed: new Binary(sealed) },
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
  };
  return { replaceOne: { filter: { _id: idOfRecord(key) }, replacement, upsert: true } };
}

function replaceKey({ subject, generation, sealed }: Extract<SealedItem, { kind: 'personal-key' }>) {
  const replacement = { generation, sealed: sealed && new Binary(sealed) };
  return { replaceOne: { filter: { _id: subject }, replacement, upsert: true } };
}

function recordOf({ kind, name, sealed, expiresAt }: VaultRecordDocument): SealedItem {
  return {
    kind: 'record',
    ...{ key: { kind, name }, sealed: sealed.value(), expiresAt: expiresAt?.getTime() ?? null },
  };
}

function personalKeyOf({ _id, generation, sealed }: PersonalKeyDocument): SealedItem {
  return { kind: 'personal-key', subject: _id, generation, sealed: sealed?.value() ?? null };
}
