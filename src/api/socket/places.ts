/** How many sockets there may be: of all, of a user, and of those who have yet to say who they are. */
import { networkOf } from '../http/rate-limiting.ts';

export interface SocketLimits {
  readonly all: number;
  readonly perUser: number;
}

/** One socket's place; it counts until `leave`. */
export interface Place {
  /** Whose socket it is, from now on. @returns false: the user has as many as one may have */
  take(userId: string): boolean;
  leave(): void;
}

export interface Places {
  /** `full`: there are too many of all; `crowded`: too many of this network who have not said who they are. */
  enter(address: string): Place | 'full' | 'crowded';
}

/** Who says within seconds who he is needs few places at once; who never does gets no more. */
const unknownPerNetwork = 200;

export function createPlaces(limits: SocketLimits): Places {
  let all = 0;
  const counts = new Map<string, number>();
  const count = (key: string): number => counts.get(key) ?? 0;
  function add(key: string, number: 1 | -1): void {
    const after = count(key) + number;
    if (after === 0) counts.delete(key);
    else counts.set(key, after);
  }

  return {
    enter(address) {
      if (all >= limits.all) return 'full';
      let key = `network ${networkOf(address)}`;
      if (count(key) >= unknownPerNetwork) return 'crowded';
      let left = false;
      all += 1;
      add(key, 1);
      return {
        take(userId) {
          const mine = `user ${userId}`;
          if (count(mine) >= limits.perUser) return false;
          add(key, -1);
          key = mine;
          add(key, 1);
          return true;
        },
        leave() {
          if (left) return;
          left = true;
          all -= 1;
          add(key, -1);
        },
      };
    },
  };
}
