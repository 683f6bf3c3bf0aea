import { expect } from 'chai';
import { createApiKeys } from '../../src/core/api-keys.ts';
import { ApiKeyId, UserId } from '../../src/domain/ids.ts';
import type { Vault } from '../../src/ports/vault.ts';
import { openTestVault } from '../support/test-vault.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';

describe('API keys', () => {
  let clock: VirtualClock;
  let vault: Vault;
  beforeEach(async () => {
    clock = createVirtualClock();
    vault = await openTestVault(clock);
  });
  afterEach(() => vault.close());

  const name = { userId: UserId.parse('usr_ada'), keyId: ApiKeyId.parse('key_1') };
  const tomorrow = () => new Date(clock.now() + 24 * 3_600_000);

  it('are 256 bits, every one of them by chance', async () => {
    const apiKeys = createApiKeys(vault);
    const bits = async (): Promise<string> => {
      const key = await apiKeys.mint(name, tomorrow());
      const bytes = Buffer.from(key.replace(/^slw_/, ''), 'base64url');
      return [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    };
    const minted = await Promise.all(Array.from({ length: 80 }, bits));
    for (const one of minted) expect(one).to.have.length(256);
    // A bit that were always the same would be one less; by chance, that is so once in 10^21 runs.
    for (let bit = 0; bit < 256; bit += 1)
      expect(new Set(minted.map((one) => one[bit])), `bit ${bit}`).to.have.property('size', 2);
  });

  it('are kept as their hash alone, and known again by it, by another process too', async () => {
    const puts: string[] = [];
    const recording: Pick<Vault, 'get' | 'put'> = {
      get: (key) => vault.get(key),
      put: (key, value, options) => {
        puts.push(JSON.stringify(key) + Buffer.from(value).toString());
        return vault.put(key, value, options);
      },
    };
    const key = await createApiKeys(recording).mint(name, tomorrow());
    expect(puts).to.have.length(1);
    expect(puts[0]).not.to.include(key.slice(4));
    expect(await createApiKeys(vault).nameOf(key)).to.deep.equal(name);
  });

  it('are nobody’s once their day is over, and when anything of them is changed', async () => {
    const key = await createApiKeys(vault).mint(name, tomorrow());
    for (const other of [
      key.slice(0, -1),
      `${key}A`,
      key.toUpperCase(),
      key.slice(4),
      ` ${key}`,
      `slw_${'A'.repeat(43)}`,
    ])
      expect(await createApiKeys(vault).nameOf(other), other).to.equal(null);
    await clock.advance(24 * 3_600_000);
    expect(await createApiKeys(vault).nameOf(key)).to.equal(null);
  });
});
