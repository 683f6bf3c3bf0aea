/**
 * How often passwords may be tried. Only wrong ones count; but every try counts as wrong until somebody has looked at it, so that
 * many at once are no way around it.
 *
 * An account is known in the networks that it was logged in from lately. There, nothing counts but what went wrong with this account in
 * this network. So strangers can neither lock the owner out from elsewhere, nor guess on by coming from many places.
 */
import type { Clock } from '../ports/clock.ts';
import type { Consumed, RateLimit, RateLimits } from '../ports/rate-limits.ts';
import type { Vault, VaultKey } from '../ports/vault.ts';
import { refuse } from '../domain/refusal.ts';
import { CommandRefused } from './executor.ts';
import { createGate } from './gate.ts';

export interface PasswordTry {
  /** As {@link accountOf} has it, whether there is such an account or not. */
  readonly account: string;
  /** Where it comes from, as far as addresses count as one: `192.0.2.7`, `2001:db8:1:2::/64`. */
  readonly network: string;
}

export interface PasswordTries {
  /**
   * @param isRight looks at the password, unless it was tried too often
   * @returns what that says
   * @throws {CommandRefused} RateLimited; {TooBusy} of gate.ts; what `isRight` throws, which counts as no try
   */
  attempt(one: PasswordTry, isRight: () => Promise<boolean>): Promise<boolean>;
}

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Wrong passwords for one account from one network. */
const inOneNetwork: readonly RateLimit[] = [
  { points: 5, seconds: minute },
  { points: 10, seconds: 15 * minute },
  { points: 20, seconds: 2 * hour },
];
/** For one account, from all networks that it is not known in: at most 100 (NIST SP 800-63B, 5.2.2), which a day gives back. */
const fromElsewhere: readonly RateLimit[] = [
  { points: 20, seconds: 15 * minute },
  { points: 100, seconds: day },
];
/** From one network, for all accounts that are not known in it. */
const ofOneNetwork: readonly RateLimit[] = [
  { points: 20, seconds: 15 * minute },
  { points: 200, seconds: day },
];

/** How long an account is known in a network, and how often that is written anew. */
const [knownMs, renewMs] = [30 * day * 1000, day * 1000];

interface Count {
  readonly key: string;
  readonly limit: RateLimit;
}

/** A name for who tries to log in that tells nobody whether such an account exists. @param username a parsed `Email` where it is one */
export function accountOf(vault: Pick<Vault, 'fingerprint'>, username: string): Promise<string> {
  return vault.fingerprint('email', username);
}

export function createPasswordTries(deps: {
  readonly vault: Pick<Vault, 'get' | 'put' | 'fingerprint'>;
  readonly rateLimits: Pick<RateLimits, 'consume'>;
  readonly clock: Pick<Clock, 'now'>;
}): PasswordTries {
  const { vault, rateLimits, clock } = deps;
  // As many at once as passwords are hashed. The others wait for what is found out, and are judged by it.
  const gate = createGate({ atOnce: 2, waiting: 100 });

  const count = (counts: readonly Count[], points: -1 | 0 | 1): Promise<readonly Consumed[]> =>
    Promise.all(counts.map(({ key, limit }) => rateLimits.consume(key, points, limit)));

  function refuseAll(full: readonly Consumed[]): void {
    if (full.length === 0) return;
    const latest = Math.max(...full.map(({ resetAt }) => resetAt));
    const seconds = Math.max(1, Math.ceil((latest - clock.now()) / 1000));
    const message = `Passwords were wrong too often; try again in ${seconds} seconds`;
    throw new CommandRefused({ ...refuse('RateLimited', message), retryAfterSeconds: seconds });
  }

  async function placeOf({ account, network }: PasswordTry): Promise<VaultKey> {
    return { kind: 'known-network', name: `${account}.${await vault.fingerprint('network', network)}` };
  }

  /** @param until milliseconds since 1970; null when it was not known */
  async function remember(place: VaultKey, until: number | null): Promise<void> {
    const expiry = clock.now() + knownMs;
    if (until !== null && expiry - until < renewMs) return;
    await vault.put(place, Buffer.from(String(expiry)), { expiresAt: new Date(expiry) });
  }

  return {
    async attempt(one, isRight) {
      const place = await placeOf(one);
      const known = await vault.get(place);
      const counts = countsOf(one, known !== null);
      // Before the gate: who is refused anyway takes no place in the queue.
      refuseAll((await count(counts, 0)).filter(({ remaining }) => remaining === 0));
      return gate(async () => {
        const taken = await count(counts, 1);
        try {
          refuseAll(taken.filter(({ allowed }) => !allowed));
          if (!(await isRight())) return false;
        } catch (error) {
          await count(counts, -1);
          throw error;
        }
        await count(counts, -1);
        await remember(place, known && Number(Buffer.from(known).toString()));
        return true;
      });
    },
  };
}

function countsOf({ account, network }: PasswordTry, isKnown: boolean): readonly Count[] {
  const counts = (key: string, limits: readonly RateLimit[]): readonly Count[] =>
    limits.map((limit) => ({ key, limit }));
  return [
    ...counts(`password ${account} in ${network}`, inOneNetwork),
    ...(isKnown ? [] : counts(`password ${account}`, fromElsewhere)),
    ...(isKnown ? [] : counts(`password in ${network}`, ofOneNetwork)),
  ];
}
