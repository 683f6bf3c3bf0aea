import { expect } from 'chai';
import fc from 'fast-check';
import {
  DeploymentId,
  Environment,
  PluginId,
  slotKey,
  TenantId,
  type SlotKey,
} from '../../src/domain/ids.ts';
import {
  askedOf,
  quota,
  release,
  reserve,
  reservedIn,
  settle,
  type AskedQuota,
  type Bounds,
  type QuotaEvent,
  type QuotaState,
} from '../../src/domain/quota.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import { spec } from '../support/given-when-then.ts';

const now = Date.parse('2026-01-01T00:00:00.000Z');
const minutes = 60_000;
const dep = (name: string): DeploymentId => DeploymentId.parse(`dep-${name}`);

function keyOf(plugin: string, environment = 'Production'): SlotKey {
  return slotKey({
    tenant: TenantId.parse('acme'),
    environment: Environment.parse(environment),
    plugin: PluginId.parse(plugin),
  });
}

function asked(name: string, more: Partial<AskedQuota> & { readonly of?: string } = {}): AskedQuota {
  const { of = 'mail', ...rest } = more;
  return {
    deploymentId: dep(name),
    slot: keyOf(of),
    fence: 1,
    plugin: PluginId.parse(of),
    ...{ cpu: 2, memoryMB: 1024, instances: 1 },
    ...rest,
  };
}

function reserved(one: AskedQuota, at = now, requested = true): QuotaEvent {
  return { type: 'QuotaReserved', data: { ...one, requested, at: new Date(at).toISOString() } };
}

function released(one: AskedQuota, reason: 'Refused' | 'Expired' | 'Gone'): QuotaEvent {
  return { type: 'QuotaReleased', data: { deploymentId: one.deploymentId, slot: one.slot, reason } };
}

function bounds(quotas: Partial<Bounds['quotas']> = {}, maxDeploymentsPerHour: number | null = null): Bounds {
  return {
    quotas: { maxPlugins: null, maxCpu: null, maxMemoryGB: null, maxStorageGB: null, ...quotas },
    rateLimits: { maxRequestsPerMinute: null, maxDeploymentsPerHour },
  };
}

const given = (...events: readonly QuotaEvent[]) => spec(quota).given(...events);
const ask =
  (one: AskedQuota, within: Bounds, at = now) =>
  (state: QuotaState) =>
    reserve(state, one, within, at);

describe('a quota', () => {
  it('that a tenant was not given does not exist', () => {
    given(reserved(asked('a', { cpu: 1e6 })))
      .when(ask(asked('b', { cpu: 1e6, memoryMB: 1e9, of: 'chat' }), bounds()))
      .then(reserved(asked('b', { cpu: 1e6, memoryMB: 1e9, of: 'chat' })));
  });

  it('is used up to its last place; then the refusal names quota, limit, used and asked', () => {
    const two = asked('b', { of: 'chat' });
    given(reserved(asked('a')))
      .when(ask(two, bounds({ maxCpu: 4, maxMemoryGB: 2, maxPlugins: 2 })))
      .then(reserved(two));
    given(reserved(asked('a')))
      .when(ask(two, bounds({ maxCpu: 3.9, maxMemoryGB: 1.5, maxPlugins: 1 })))
      .thenRefused(
        'Conflict',
        /maxPlugins: limit 1, used 1, asked 1; maxCpu: limit 3.9, used 2, asked 2; maxMemoryGB: limit 1.5, used 1, asked 1/,
        ...['quotas.maxPlugins', 'quotas.maxCpu', 'quotas.maxMemoryGB'],
      );
  });

  it('says the way out, and why what is to be replaced counts as well', () => {
    const refused = (slot?: ReturnType<typeof keyOf>) =>
      given(reserved(asked('a'))).when(ask(asked('b', slot ? { slot } : {}), bounds({ maxCpu: 3 })));
    const way = 'deploy fewer instances, undeploy something, or ask a PlatformAdmin for more$';
    const told = "^The tenant's quota is exceeded: maxCpu: limit 3, used 2, asked 2";
    refused(keyOf('mail', 'Staging')).thenRefused('Conflict', new RegExp(`${told}: ${way}`));
    const why = 'What it would replace counts until the rollout has ended';
    refused().thenRefused('Conflict', new RegExp(`${told}. ${why}: ${way}`));
  });

  it('adds fractions without losing any', () => {
    expect(askedOf({ cpu: 0.1, memoryMB: 0.3 }, 3)).to.deep.equal({ cpu: 0.3, memoryMB: 0.9, instances: 3 });
    const tenths = Array.from({ length: 9 }, (_, index) => reserved(asked(`d${index}`, { cpu: 0.1 })));
    const last = asked('last', { cpu: 0.1 });
    given(...tenths)
      .when(ask(last, bounds({ maxCpu: 1 })))
      .then(reserved(last));
  });

  it('counts a plugin once, and does not refuse what asks for nothing of it', () => {
    const staging = asked('b', { slot: keyOf('mail', 'Staging'), cpu: 0 });
    given(reserved(asked('a')))
      .when(ask(staging, bounds({ maxPlugins: 1, maxCpu: 1 })))
      .then(reserved(staging));
  });

  it('is reserved once for a claim, and anew for a newer claim', () => {
    const within = bounds({ maxCpu: 2 });
    given(reserved(asked('a')))
      .when(ask(asked('a'), within))
      .then();
    const anew = asked('a', { fence: 3 });
    given(reserved(asked('a')))
      .when(ask(anew, within))
      .then(reserved(anew));
  });

  it('is given back once', () => {
    const one = asked('a');
    given(reserved(one))
      .when((state) => release(state, one.deploymentId, 'Refused'))
      .then(released(one, 'Refused'));
    given(reserved(one), released(one, 'Refused'))
      .when((state) => release(state, one.deploymentId, 'Refused'))
      .then();
  });
});

describe('the limit of deployments an hour', () => {
  const limited = bounds({}, 2);
  const [a, b, c] = [asked('a'), asked('b'), asked('c')];

  it('counts what was accepted within the last hour, and says how long to wait', () => {
    const twice = given(reserved(a, now - 50 * minutes), reserved(b, now - 10 * minutes));
    const { decision } = twice.when(ask(c, limited));
    expect(decision).to.include({ refused: 'RateLimited', retryAfterSeconds: 600 });
    const later = now + 10 * minutes;
    twice.when(ask(c, limited, later)).then(reserved(c, later));
  });

  it('counts what has left, but not what was refused or expired', () => {
    const left = [reserved(a), released(a, 'Gone'), reserved(b)];
    given(...left)
      .when(ask(c, limited))
      .thenRefused('RateLimited', /maxDeploymentsPerHour is 2/);
    for (const reason of ['Refused', 'Expired'] as const)
      given(reserved(a), released(a, reason), reserved(b)).when(ask(c, limited)).then(reserved(c));
  });

  it('does not count what runs again unasked', () => {
    given(reserved(a, now, false), reserved(b))
      .when(ask(c, limited))
      .then(reserved(c));
  });

  it('of none lets nobody in', () => {
    const { decision } = given().when(ask(a, bounds({}, 0)));
    expect(decision).to.include({ refused: 'RateLimited', retryAfterSeconds: 3_600 });
  });

  it('remembers no more than an hour', () => {
    const events = Array.from({ length: 200 }, (_, index) =>
      reserved(asked(`d${index}`), now + index * minutes),
    );
    expect(given(...events).state.requested).to.have.lengthOf(60);
  });
});

describe('the reservations of a slot', () => {
  const [old, fresh] = [asked('old'), asked('fresh', { fence: 3 })];
  const slot = keyOf('mail');
  const settled = (seen: QuotaState, holders: readonly AskedQuota[], recorded: readonly AskedQuota[]) => {
    const ids = holders.map(({ deploymentId }) => deploymentId);
    return (state: QuotaState) => settle(state, seen, { slot, holders: ids, recorded }, now);
  };

  it('shrink to what has a place in it', () => {
    const both = given(reserved(old), reserved(fresh), reserved(asked('other', { of: 'chat' })));
    both.when(settled(both.state, [old, fresh], [old, fresh])).then();
    both.when(settled(both.state, [fresh], [old, fresh])).then(released(old, 'Gone'));
    both.when(settled(both.state, [old], [old])).then(released(fresh, 'Expired'));
  });

  it('grow by what runs again, whatever the quota', () => {
    const one = given(reserved(fresh));
    one.when(settled(one.state, [fresh, old], [fresh, old])).then(reserved(old, now, false));
  });

  it('wait for a claim that is not recorded yet', () => {
    const none = given();
    none.when(settled(none.state, [fresh], [])).then();
  });

  it('are left alone when they have changed since the slot was read', () => {
    const seen = given(reserved(asked('fresh', { fence: 1 }))).state;
    given(reserved(asked('fresh', { fence: 1 })), reserved(fresh))
      .when(settled(seen, [], []))
      .then();
  });
});

describe('whatever is asked for and given back', () => {
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    of: fc.constantFrom('mail', 'chat', 'pay'),
    cpu: fc.integer({ min: 0, max: 40 }).map((tenths) => tenths / 10),
    memoryMB: fc.integer({ min: 0, max: 4_096 }),
    gives: fc.boolean(),
    fence: fc.integer({ min: 1, max: 3 }),
    pause: fc.integer({ min: 0, max: 40 }),
  });

  it('reservations never exceed the quotas, and no hour has more deployments than its limit', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const within = bounds({ maxPlugins: 2, maxCpu: 6, maxMemoryGB: 6 }, 3);
        const accepted = new Map<string, number>();
        let state = quota.initial;
        let at = now;
        for (const { name, gives, pause, ...one } of steps) {
          at += pause * minutes;
          const wanted = asked(name, one);
          const decision = gives
            ? release(state, wanted.deploymentId, 'Gone')
            : reserve(state, wanted, within, at);
          if (isRefusal(decision)) continue;
          if (!gives && decision.length > 0) accepted.set(name, at);
          state = decision.reduce(quota.evolve, state);
          const used = reservedIn(state.reservations);
          expect(used.plugins).to.be.at.most(2);
          expect(used.cpu).to.be.at.most(6);
          expect(used.memoryMB).to.be.at.most(6 * 1024);
          const recent = [...accepted.values()].filter((when) => when > at - 60 * minutes);
          expect(recent.length).to.be.at.most(3);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
