/**
 * Canaries that died and were started again though nobody said so: an agent may not tell, or not know. An instance that had passed is
 * silent, and one that nobody had heard of reports in its place. When the agent itself was restarted that looks the same, but then
 * nothing lives on: so it takes somebody who reported before the silence and again after the newcomer. Where there is nobody to
 * compare with, once is borne.
 */
import type { InstanceHealth } from './evidence.ts';

interface Side {
  readonly instances: readonly InstanceHealth[];
  readonly fresh: readonly InstanceHealth[];
}

export interface Vanished {
  readonly instance: string;
  /** What reports in its place. */
  readonly newcomer: string;
  /** Who reported all the while; null: nobody, and it is not the first time. */
  readonly survivor: string | null;
}

/** @param peers old instances under the same monitor; null: there are none @param wanted how many canaries should run */
export function vanished(canaries: Side, peers: Side | null, wanted: number): readonly Vanished[] {
  const fresh = new Set(canaries.fresh);
  const gone = canaries.instances.filter((one) => !fresh.has(one) && one.passes > 0);
  const surplus = gone.length + canaries.fresh.length - wanted;
  if (gone.length === 0 || surplus <= 0) return [];
  const others = [...canaries.fresh, ...(peers?.fresh ?? [])];
  const twice = peers === null && gone.length >= 2 * wanted;
  const newcomer = canaries.fresh.toSorted((a, b) => first(b) - first(a)).at(0);
  if (!newcomer || newcomer.firstSeenAt === null) return [];
  return gone
    .flatMap((one) => {
      if (first(newcomer) < last(one)) return [];
      const livedOn = (other: InstanceHealth): boolean =>
        other !== newcomer && first(other) <= last(one) && last(other) >= first(newcomer);
      const survivor = others.find(livedOn);
      if (!survivor && !twice) return [];
      return [{ instance: one.instance, newcomer: newcomer.instance, survivor: survivor?.instance ?? null }];
    })
    .slice(0, surplus);
}

/** Of whom this process only read, before all that it heard itself. */
function first({ firstSeenAt }: InstanceHealth): number {
  return firstSeenAt ?? -Infinity;
}

function last({ lastSeenAt }: InstanceHealth): number {
  return lastSeenAt ?? -Infinity;
}
