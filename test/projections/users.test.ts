import { expect } from 'chai';
import { TenantId, UserId } from '../../src/domain/ids.ts';
import { user, userEvents } from '../../src/domain/user.ts';
import { emailsOf, usersProjection } from '../../src/projections/users.ts';
import { openTestVault } from '../support/test-vault.ts';
import { openWorld, type World } from './support.ts';
import type { Vault } from '../../src/ports/vault.ts';

describe('users', () => {
  let world: World;
  let vault: Vault;
  beforeEach(async () => {
    world = await openWorld([userEvents], [usersProjection]);
    vault = await openTestVault(world.clock);
  });
  afterEach(async () => {
    await vault.close();
    await world.close();
  });

  async function create(name: string): Promise<void> {
    const userId = UserId.parse(`usr_${name}`);
    const tenantId = TenantId.parse(`tenant-${name}`);
    const email = await vault.sealFor(userId, `${name}@example.com`);
    await world.executor.execute({
      ...{ aggregate: user, id: userId, tenant: tenantId, context: world.context() },
      decide: () =>
        [{ type: 'UserCreated', data: { userId, tenantId, role: 'Viewer', email, name: null } }] as const,
    });
    await world.caughtUp();
  }
  const emails = async (...ids: readonly string[]) => [
    ...(await emailsOf({ models: world.models, vault }, ids)),
  ];

  it('are called by their addresses, whatever their tenant', async () => {
    await create('ada');
    await create('bob');
    expect(await emails('usr_ada', 'usr_bob', 'usr_ada', 'usr_nobody')).to.have.deep.members([
      ['usr_ada', 'ada@example.com'],
      ['usr_bob', 'bob@example.com'],
    ]);
    expect(await emails()).to.deep.equal([]);
  });

  it('are nameless once they are forgotten, and nothing readable of them was stored', async () => {
    await create('ada');
    const kept = await world.models.get('users', 'usr_ada', { kind: 'platform' });
    expect(JSON.stringify(kept)).not.to.include('ada@example.com');
    await vault.forget('usr_ada');
    expect(await emails('usr_ada')).to.deep.equal([]);
  });
});
