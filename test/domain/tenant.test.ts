import { expect } from 'chai';
import {
  createTenant,
  editTenant,
  NewTenant,
  tenant,
  TenantChanges,
  type TenantEvent,
} from '../../src/domain/tenant.ts';
import { namespaceReservation, release, reserve } from '../../src/domain/reservation.ts';
import { spec } from '../support/given-when-then.ts';

const at = '2026-01-01T00:00:00.000Z';
const sent = (more: object = {}): NewTenant => NewTenant.parse({ tenantId: 'acme', name: 'Acme', ...more });
const with_ = { contactEmail: null, at };

describe('Creating a tenant', () => {
  it('fills in the namespace and the tier; bounds that were not given do not exist', () => {
    const when = spec(tenant).given();
    when
      .when((state) => createTenant(state, sent({ quotas: { maxCpu: 8 } }), with_))
      .then({
        type: 'TenantCreated',
        data: {
          tenantId: sent().tenantId,
          name: 'Acme',
          description: null,
          namespace: 'acme',
          quotas: { maxPlugins: null, maxCpu: 8, maxMemoryGB: null, maxStorageGB: null },
          rateLimits: { maxRequestsPerMinute: null, maxDeploymentsPerHour: null },
          allowedCategories: null,
          contactEmail: null,
          subscriptionTier: 'Standard',
          createdAt: at,
        },
      });
  });

  it('is refused for a tenant that is there, and for the platform', () => {
    const created = createTenant(null, sent(), with_);
    if ('refused' in created) expect.fail(created.message);
    spec(tenant)
      .given(...created)
      .when((state) => createTenant(state, sent(), with_))
      .thenRefused('Conflict', /already/, 'tenantId');
    for (const [more, field] of [
      [{ tenantId: 'platform' }, 'tenantId'],
      [{ namespace: 'platform' }, 'namespace'],
    ] as const) {
      spec(tenant)
        .given()
        .when((state) => createTenant(state, sent(more), with_))
        .thenRefused('Conflict', /already/, field);
    }
  });

  for (const wrong of [
    { tenantId: 'Acme' },
    { tenantId: 'a__b' },
    { name: '' },
    { namespace: 'a.b' },
    { contactEmail: 'nobody' },
    { quotas: { maxPlugins: 1.5 } },
    { quotas: { maxCpu: -1 } },
    { rateLimits: { surprise: 1 } },
    { subscriptionTier: '<b>' },
  ]) {
    it(`does not take ${JSON.stringify(wrong)}`, () => {
      expect(NewTenant.safeParse({ tenantId: 'acme', name: 'Acme', ...wrong }).success).to.equal(false);
    });
  }
});

describe('Editing a tenant', () => {
  const later = '2026-02-01T00:00:00.000Z';
  const created = (more: object = {}): TenantEvent => {
    const decision = createTenant(null, sent(more), with_);
    if ('refused' in decision || !decision[0]) expect.fail('it was not created');
    return decision[0];
  };
  const edit = (changes: object) => (state: Parameters<typeof editTenant>[0]) => {
    const asked = TenantChanges.parse(changes);
    return editTenant(state, asked, {
      tenantId: sent().tenantId,
      contactEmail: asked.contactEmail,
      at: later,
    });
  };
  const given = (...events: readonly TenantEvent[]) =>
    spec(tenant).given(
      created({ quotas: { maxCpu: 8, maxPlugins: 3 }, contactEmail: 'a@b.example' }),
      ...events,
    );

  it('says what has changed and nothing else; null removes a bound', () => {
    given()
      .when(edit({ name: 'Acme', description: 'New', quotas: { maxCpu: null, maxStorageGB: 5 } }))
      .then({
        type: 'TenantEdited',
        data: {
          description: 'New',
          quotas: { maxPlugins: 3, maxCpu: null, maxMemoryGB: null, maxStorageGB: 5 },
          at: later,
        },
      });
  });

  it('has nothing to do for what is so already', () => {
    for (const same of [
      {},
      { name: 'Acme', subscriptionTier: 'Standard', status: 'Active', description: null },
      { quotas: { maxCpu: 8 }, rateLimits: { maxDeploymentsPerHour: null }, allowedCategories: null },
    ])
      given().when(edit(same)).then();
  });

  it('suspends and reactivates, once each', () => {
    const suspended = { type: 'TenantSuspended', data: { at: later } } as const;
    const reactivated = { type: 'TenantReactivated', data: { at: later } } as const;
    given()
      .when(edit({ status: 'Suspended' }))
      .then(suspended);
    given(suspended)
      .when(edit({ status: 'Suspended' }))
      .then();
    given(suspended)
      .when(edit({ status: 'Active', name: 'Ajax' }))
      .then({ type: 'TenantEdited', data: { name: 'Ajax', at: later } }, reactivated);
    expect(given(suspended).state).to.include({ status: 'Suspended', updatedAt: later, createdAt: at });
    expect(given(suspended, reactivated).state).to.include({ status: 'Active' });
  });

  it('is refused for a tenant that is not there', () => {
    spec(tenant)
      .given()
      .when(edit({ name: 'Ajax' }))
      .thenRefused('NotFound', /no tenant acme/);
  });

  for (const wrong of [
    { name: null },
    { tenantId: 'x' },
    { namespace: 'x' },
    { status: 'Gone' },
    { quotas: null },
  ]) {
    it(`does not take ${JSON.stringify(wrong)}`, () => {
      expect(TenantChanges.safeParse(wrong).success).to.equal(false);
    });
  }
});

describe('A reserved name', () => {
  const names = spec(namespaceReservation);
  const taken = { field: 'namespace', message: 'taken' };
  const by = (claimant: string) => ({ type: 'NameReserved', data: { claimant } }) as const;

  it('belongs to who came first, who may ask again', () => {
    names
      .given()
      .when((holder) => reserve(holder, 'a', taken))
      .then(by('a'));
    names
      .given(by('a'))
      .when((holder) => reserve(holder, 'a', taken))
      .then();
    names
      .given(by('a'))
      .when((holder) => reserve(holder, 'b', taken))
      .thenRefused('Conflict', /taken/, 'namespace');
  });
  it('is given back by its holder only, and is free then', () => {
    const released = { type: 'NameReleased', data: { claimant: 'a' } } as const;
    names
      .given(by('a'))
      .when((holder) => release(holder, 'a'))
      .then(released);
    names
      .given(by('a'))
      .when((holder) => release(holder, 'b'))
      .then();
    names
      .given(by('a'), released)
      .when((holder) => reserve(holder, 'b', taken))
      .then(by('b'));
  });
});
