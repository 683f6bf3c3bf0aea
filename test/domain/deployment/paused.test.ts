/** Rollouts that stand still: because a person said so, or because all do. */
import { expect } from 'chai';
import * as requests from '../../../src/domain/deployment/requests.ts';
import { shows } from '../../support/rollout-rows.ts';
import { canary, hour, onlyNew, reasonOf, until } from './canary-world.ts';
import { newId, oldId, start, user } from './samples.ts';
import type { World } from './world.ts';

const by = { by: user, reason: 'because' };
const pause = (it: World): void => it.ask(newId, (state) => requests.pause(state, by));
const resume = (it: World): void => it.ask(newId, (state) => requests.resume(state, by, start + it.ms));

describe('a rollout that stands still', () => {
  it(shows('States: Paused', 'until it is resumed, then it goes on with the bake that it had earned'), () => {
    const it = canary();
    until(it, 'Baking');
    it.run(200_000);
    pause(it);
    it.run(20 * hour);
    expect(it.state(newId)).to.deep.include({ phase: 'Paused', cause: 'User', stage: 0 });
    resume(it);
    const resumedAt = it.ms;
    it.run(hour, () => it.types().filter((type) => type === 'StageStarted').length === 2);
    // Three passes are needed anew.
    expect(it.ms - resumedAt).to.be.within(30_000, 140_000);
  });

  it(shows('States: Paused', 'and is still judged: failed probes, and silence'), () => {
    for (const outcome of ['fail', null] as const) {
      const it = canary();
      until(it, 'Baking');
      pause(it);
      it.behaviour = onlyNew(() => outcome);
      until(it, 'RolledBack', 400_000);
      expect(it.slot.current).to.equal(oldId);
    }
  });

  it(
    shows(
      'States: Paused',
      'before its instances were ready: the deadline has all the time left that it had',
    ),
    () => {
      const it = canary(onlyNew(() => null));
      it.run(100_000);
      pause(it);
      it.run(20 * hour);
      expect(it.state(newId)).to.deep.include({ phase: 'Paused', cause: 'User' });
      resume(it);
      it.behaviour = () => 'pass';
      until(it, 'Completed');
    },
  );

  it(shows('States: Paused', 'over the end of its approval, which is then asked for anew'), () => {
    const it = canary(() => 'pass', { strategyConfig: { approval: '10' } });
    until(it, 'Approval');
    pause(it);
    it.run(25 * hour);
    resume(it);
    // What was earned since it was last kept, at most a minute, is earned anew.
    until(it, 'Approval', 120_000);
    it.run(20 * hour);
    it.ask(newId, (state) => requests.approve(state, by, start + it.ms));
    until(it, 'Completed');
  });

  it(shows('States: freeze', 'lets nothing begin or advance'), () => {
    const it = canary();
    until(it, 'Baking');
    it.run(100_000);
    it.frozen = true;
    it.run(20 * hour);
    expect(it.state(newId)).to.deep.include({ phase: 'Baking', stage: 0 });
    it.frozen = false;
    it.run(100_000);
    expect(it.state(newId), 'frozen time is not baked').to.deep.include({ phase: 'Baking', stage: 0 });
    until(it, 'Completed');
  });

  it(shows('States: freeze', 'holds up nothing that goes back, is aborted or expires'), () => {
    const sick = canary();
    const aborted = canary();
    const expiring = canary(() => 'pass', { strategyConfig: { approval: '10' } });
    until(expiring, 'Approval');
    for (const it of [sick, aborted]) until(it, 'Baking');
    for (const it of [sick, aborted, expiring]) it.frozen = true;
    sick.behaviour = onlyNew(() => 'fail');
    until(sick, 'RolledBack', 60_000);
    aborted.ask(newId, (state) => requests.abort(state, by));
    expect(aborted.state(newId).phase).to.equal('Cancelled');
    until(expiring, 'Cancelled', 25 * hour);
    expect(reasonOf(expiring)).to.equal('Nobody approved the stage in time');
  });
});
