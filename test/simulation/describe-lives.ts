/** Many lives, each with its own seed: `SEED=… npm test -- test/simulation/…` lives the failing one again, event for event. */
import { expect } from 'chai';
import { runs } from '../support/runs.ts';
import { live } from './life.ts';

const lives = runs(300, 10_000);
const first = Number(process.env['SEED'] ?? Date.now());
/** How many lives there are to one that is lived twice. */
const repeatEvery = 10;

export function describeLives(what: string, runtime: 'simulated' | 'agent'): void {
  describe(`${what} (SEED=${first})`, function () {
    this.timeout(lives * 2_000);

    it(`never two current, no stage early or without evidence, each ends, and again the same, ${lives} times`, async () => {
      for (let seed = first; seed < first + lives; seed += 1) {
        const name = `SEED=${seed}`;
        const { events, faults } = await live(seed, runtime).catch((error: unknown) => {
          throw new Error(`${name}: ${String(error)}`, { cause: error });
        });
        expect(faults, name).to.deep.equal([]);
        if ((seed - first) % repeatEvery === 0)
          expect((await live(seed, runtime)).events, `${name}, once more`).to.deep.equal(events);
      }
    });
  });
}
