/** Everything in a vault, sealed as it is. */
import { createHash } from 'node:crypto';
import { Refused } from '../../client/api.ts';
import type { SealedItem, SealedVault } from '../../ports/sealed-vault.ts';

export interface CopiedVault {
  readonly records: number;
  readonly personalKeys: number;
}

/** What was in the target before is gone: also what the source has forgotten since. @throws {Refused} when it did not arrive */
export async function copyVault(source: SealedVault, target: SealedVault): Promise<CopiedVault> {
  await target.clear();
  const sent = openSum();
  for await (const items of source.read()) {
    await target.write(items);
    items.forEach(sent.add);
  }
  const arrived = await sumOf(target);
  if (arrived !== sent.sum())
    throw new Refused(
      'The vault did not arrive as it was sent: another writes to one of the two. Stop it, then begin again.',
    );
  return sent.counted();
}

/** Of everything in it, in whatever order it is told. */
export async function sumOf(vault: SealedVault): Promise<string> {
  const sum = openSum();
  for await (const items of vault.read()) items.forEach(sum.add);
  return sum.sum();
}

/** Adds up the hashes, so that two stores may tell the same in different orders. */
function openSum() {
  let total = 0n;
  const count = { 'key-check': 0, record: 0, 'personal-key': 0 };
  return {
    add: (item: SealedItem): void => {
      count[item.kind] += 1;
      const { sealed } = item;
      const name = JSON.stringify(nameOf(item));
      const hash = createHash('sha256').update(`${name.length} ${name}`);
      hash.update(sealed === null ? 'forgotten' : sealed);
      total = BigInt.asUintN(256, total + BigInt(`0x${hash.digest('hex')}`));
    },
    sum: () => `${Object.values(count).join(' ')} ${total.toString(16)}`,
    counted: () => ({ records: count.record, personalKeys: count['personal-key'] }),
  };
}

function nameOf(item: SealedItem): readonly unknown[] {
  switch (item.kind) {
    case 'key-check':
      return [item.kind];
    case 'record':
      return [item.kind, item.key.kind, item.key.name, item.expiresAt];
    case 'personal-key':
      return [item.kind, item.subject, item.generation, item.sealed === null];
  }
}
