/** Values of secrets in the vault and changes in the log: together, whoever races and wherever the server dies. */
import { expect } from 'chai';
import { createTenant } from '../../src/commands/create-tenant.ts';
import { editTenant } from '../../src/commands/edit-tenant.ts';
import { deleteSecret, setSecret, type SecretDeps } from '../../src/commands/secrets.ts';
import { createExecutor } from '../../src/core/command-executor.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import { TenantId, UserId } from '../../src/domain/ids.ts';
import { SecretName } from '../../src/domain/secret-reference.ts';
import { secrets } from '../../src/domain/secrets.ts';
import { allEvents } from '../../src/events.ts';
import type { Vault } from '../../src/ports/vault.ts';
import { openMemoryEventStore } from '../support/memory-event-store.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { rejection } from '../support/rejection.ts';
import { sealedValue } from '../support/sealed-values.ts';
import { openTestVault } from '../support/test-vault.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { refusalOf, someContext } from './support.ts';

const acme = TenantId.parse('acme');
const name = SecretName.parse('api-key');
const context = () => ({ ...someContext(), userId: UserId.parse('usr_1') });

describe('commands of secrets', () => {
  const clock = createVirtualClock();
  let vault: Vault;
  let deps: SecretDeps & { readonly vault: Vault };
  beforeEach(async () => {
    vault = await openTestVault(clock);
    const schemas = createSchemas(allEvents);
    const store = openMemoryEventStore({ clock });
    deps = {
      executor: createExecutor({ store, schemas, snapshots: null, clock, log: createRecordingLog() }),
      ...{ vault, clock },
    };
    await createTenant(deps, context(), { tenantId: acme, name: 'Acme', subscriptionTier: 'Standard' });
  });
  afterEach(() => vault.close());

  const set = (value: string, by: SecretDeps = deps, named = name) =>
    setSecret(by, context(), { tenantId: acme, name: named, value });
  const remove = (by: SecretDeps = deps) => deleteSecret(by, context(), { tenantId: acme, name });
  const value = () => sealedValue(deps, acme, name);
  const sealed = () => vault.names('tenant-secret');

  it('keep five values, and none of a secret that was deleted', async () => {
    for (let round = 0; round < 8; round += 1) await set(`value ${round}`);
    expect(await sealed()).to.have.length(5);
    await remove();
    expect(await sealed()).to.deep.equal([]);
    expect(await value()).to.equal(undefined);
    await set('back');
    expect(await value()).to.equal('back');
  });

  it('of many at once all succeed, and each value stands under its own version', async () => {
    const other = SecretName.parse('other');
    const asked = Array.from({ length: 12 }, (_, at) =>
      set(`value ${at}`, deps, at % 2 === 0 ? name : other),
    );
    const versions = await Promise.all(asked.map(async (set) => (await set).secret.versions[0].version));
    expect(new Set(versions).size).to.equal(12);
    const { state } = await deps.executor.load(secrets, acme);
    for (const secret of state.secrets) {
      for (const { version } of secret.versions) {
        const bytes = await vault.get({ kind: 'tenant-secret', name: `acme/${secret.name}/${version}` });
        const at = versions.indexOf(version);
        expect(Buffer.from(bytes!).toString()).to.equal(`value ${at}`);
        expect(secret.name).to.equal(at % 2 === 0 ? name : other);
      }
    }
    expect(await sealed()).to.have.length(10);
  });

  it('leave one value or the other, and no third, when deleting and setting race', async () => {
    for (let round = 0; round < 20; round += 1) {
      await set('before');
      await Promise.all([set('after'), remove()]);
      const found = await value();
      expect(found).to.be.oneOf(['after', undefined]);
      expect((await sealed()).length > 0).to.equal(found !== undefined);
    }
  });

  it('change nothing when the server dies between vault and log, and tidy up at the next change', async () => {
    await set('first');
    const dying: SecretDeps = {
      ...deps,
      executor: { ...deps.executor, execute: () => Promise.reject(new Error('killed')) },
    };
    expect(await rejection(set('lost', dying))).to.have.property('message', 'killed');
    expect(await value()).to.equal('first');
    await set('second');
    expect(await value()).to.equal('second');
    expect(await sealed()).to.have.length(2);
  });

  it('leave no value of a deleted secret, also when the server died before it was destroyed', async () => {
    await set('first');
    const dying: SecretDeps = {
      ...deps,
      vault: { ...vault, delete: () => Promise.reject(new Error('killed')) },
    };
    await rejection(remove(dying));
    expect(await sealed()).to.have.length(1);
    expect(await value()).to.equal(undefined);
    expect((await refusalOf(remove())).refused).to.equal('NotFound');
    expect(await sealed()).to.deep.equal([]);
  });

  it('are refused for a tenant that is unknown or suspended', async () => {
    const unknown = { tenantId: TenantId.parse('unknown'), name };
    expect((await refusalOf(setSecret(deps, context(), { ...unknown, value: 'x' }))).refused).to.equal(
      'NotFound',
    );
    expect((await refusalOf(deleteSecret(deps, context(), unknown))).refused).to.equal('NotFound');
    await set('first');
    await editTenant(deps, context(), acme, { status: 'Suspended' });
    expect((await refusalOf(set('second'))).refused).to.equal('Forbidden');
    expect((await refusalOf(remove())).refused).to.equal('Forbidden');
    expect(await value()).to.equal('first');
  });
});
