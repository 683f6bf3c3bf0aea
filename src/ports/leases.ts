/**
 * Who of several processes does what only one may do at a time. A lease ends by itself, so that nothing stands still when its holder
 * is gone; and its holder may be the last to notice, so whatever it writes carries the lease's fence, by which the store that is written
 * to refuses who came before. `test/contract/leases.ts` holds every adapter to it.
 */

export interface Lease {
  /** What is led: `projection plugins`, `process rollouts`. */
  readonly name: string;
  /** Grows with every lease of the name, from 1, also over releases and restarts. */
  readonly fence: number;
}

export interface Leases {
  /**
   * Takes the lease where nobody holds one: none was given, it was released, or its time is over. Of many that ask at once, one gets it.
   * @param holder who asks, for people who look: it proves nothing. @param forMs how long, on the store's clock
   * @returns null: somebody holds it, perhaps this very holder
   */
  acquire(name: string, holder: string, forMs: number): Promise<Lease | null>;
  /** From now on for so long again. @returns false: it is over, or another one was given; it cannot be had back */
  renew(lease: Lease, forMs: number): Promise<boolean>;
  /** Ends it now. Nothing happens when it is over already. */
  release(lease: Lease): Promise<void>;
  close(): Promise<void>;
}
