import { expect } from 'chai';
import * as requests from '../../../src/domain/deployment/requests.ts';
import { shows } from '../../support/rollout-rows.ts';
import { canary, hour, onlyNew, until } from './canary-world.ts';
import { newId, oldId, start, user } from './samples.ts';
import type { World } from './world.ts';

const by = { by: user, reason: 'because' };

describe('a rollout', () => {
  describe('6. Approval', () => {
    const waiting = (): World => {
      const it = canary(() => 'pass', { strategyConfig: { approval: '10' } });
      until(it, 'Approval');
      return it;
    };

    it(shows('States: Approval', 'waits for a person after the bake, then goes on'), () => {
      const it = waiting();
      it.run(20 * hour);
      expect(it.state(newId).phase).to.equal('Approval');
      it.ask(newId, (state) => requests.approve(state, by, start + it.ms));
      until(it, 'Completed');
    });

    it(shows('Evidence 6: expiry', 'expires after 24 h, which aborts'), () => {
      const it = waiting();
      until(it, 'Cancelled', 25 * hour);
      expect(it.slot.current).to.equal(oldId);
    });

    it(
      shows(
        'Evidence 3: the old one is unhealthy',
        'an approval that expires pauses as well, and a person who resumes is asked anew',
      ),
      () => {
        const it = canary(({ deploymentId }) => (deploymentId === oldId ? 'fail' : 'pass'), {
          strategyConfig: { approval: '10' },
        });
        until(it, 'Approval');
        until(it, 'Paused', 25 * hour);
        expect(it.state(newId)).to.deep.include({ cause: 'PreviousUnhealthy' });
        it.ask(newId, (state) => requests.resume(state, by, start + it.ms));
        until(it, 'Approval', 120_000);
        it.ask(newId, (state) => requests.approve(state, by, start + it.ms));
        until(it, 'Completed');
      },
    );

    it(shows('Evidence 6: below the failure rule', 'is below the failure rule'), () => {
      const it = waiting();
      it.behaviour = onlyNew(() => 'fail');
      until(it, 'RolledBack', 60_000);
    });
  });
});
