/** Leases of several platforms in one process. A server that is alone needs none: the lock on its folder says that it leads. */
import type { Clock } from '../../src/ports/clock.ts';
import type { Lease, Leases } from '../../src/ports/leases.ts';

interface Kept {
  readonly fence: number;
  readonly until: number;
}

/** @param clock the one that leases end by: of the store, not of a holder */
export function openMemoryLeases(clock: Pick<Clock, 'now'>): Leases {
  const leases = new Map<string, Kept>();
  const live = ({ name, fence }: Lease): boolean => {
    const kept = leases.get(name);
    return kept?.fence === fence && clock.now() < kept.until;
  };

  return {
    async acquire(name, _holder, forMs) {
      const kept = leases.get(name) ?? { fence: 0, until: 0 };
      if (clock.now() < kept.until) return null;
      const fence = kept.fence + 1;
      leases.set(name, { fence, until: clock.now() + forMs });
      return { name, fence };
    },
    async renew(lease, forMs) {
      if (!live(lease)) return false;
      leases.set(lease.name, { fence: lease.fence, until: clock.now() + forMs });
      return true;
    },
    async release(lease) {
      if (live(lease)) leases.set(lease.name, { fence: lease.fence, until: 0 });
    },
    close: async () => undefined,
  };
}
