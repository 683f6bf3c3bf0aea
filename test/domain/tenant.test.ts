import { expect } from 'chai';
import { createTenant, NewTenant, tenant } from '../../src/domain/tenant.ts';
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
