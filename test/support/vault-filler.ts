/** `vault-filler.ts PATH KEY`: puts records from 8 writers until it is killed, printing each name that was acknowledged. */
import { openSqliteVault } from '../../src/adapters/sqlite/vault.ts';

const [path = '', key = ''] = process.argv.slice(2);
const vault = await openSqliteVault({ path, masterKey: Buffer.from(key, 'hex') });

async function fill(writer: number): Promise<never> {
  for (let index = 0; ; index += 1) {
    const name = `${writer}-${index}`;
    await vault.put({ kind: 'filled', name }, Buffer.from(`value of ${name}`));
    console.log(name);
  }
}
await Promise.all(Array.from({ length: 8 }, (_, writer) => fill(writer)));
