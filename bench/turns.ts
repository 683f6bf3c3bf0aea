/** Ours and the reference take turns, and who is first changes: both meet the machine in the same moods. */

export interface Turns<O, R> {
  /** What was measured, a round each. */
  readonly ours: readonly O[];
  readonly reference: readonly R[];
}

/**
 * @param many.warmUps rounds before the others, which are not counted: in them code runs that is not compiled yet
 * @param ours measures once @param reference measures once; both are told the round, from 0 and with the warm-ups
 */
export async function inTurns<O, R>(
  { rounds, warmUps }: { readonly rounds: number; readonly warmUps: number },
  ours: (round: number) => Promise<O>,
  reference: (round: number) => Promise<R>,
): Promise<Turns<O, R>> {
  const measured: { readonly ours: O[]; readonly reference: R[] } = { ours: [], reference: [] };
  for (let round = 0; round < warmUps + rounds; round += 1) {
    const both = [
      async () => measured.ours.push(await ours(round)),
      async () => measured.reference.push(await reference(round)),
    ];
    for (const measure of round % 2 === 0 ? both : both.reverse()) await measure();
  }
  return { ours: measured.ours.slice(warmUps), reference: measured.reference.slice(warmUps) };
}

export async function timed<T>(work: () => Promise<T>): Promise<{ readonly ms: number; readonly result: T }> {
  const from = performance.now();
  const result = await work();
  return { ms: performance.now() - from, result };
}
