import { expect } from 'chai';
import * as requests from '../../../src/domain/deployment/requests.ts';
import { shows } from '../../support/rollout-rows.ts';
import { canary, hour, reasonOf, until } from './canary-world.ts';
import { newId, oldId, start, user } from './samples.ts';
import type { Behaviour, World } from './world.ts';

const by = { by: user, reason: 'because' };

describe('a rollout', () => {
  describe('3. Failure: metrics', () => {
    const analysis = [{ metric: 'errorRate', max: 0.01, failureLimit: 1, minRequests: 20 }];
    const measured = (requests: number, errors: number, behaviour?: Behaviour): World => {
      const it = canary(behaviour, { analysis });
      it.metrics = { requests, errors, responseTime: 12 };
      return it;
    };

    it(shows('Evidence 3: a broken metric', 'a limit kept lets it pass'), () => {
      until(measured(100, 1), 'Completed');
    });

    it(
      shows(
        'Evidence 3: a broken metric',
        'a limit broken more often than allowed rolls back, with the value it saw',
      ),
      () => {
        const it = measured(100, 5);
        until(it, 'RolledBack', 120_000);
        expect(reasonOf(it)).to.equal('errorRate broke its limit of 0.01 2 times, and 1 are allowed');
        const back = it.log.find(({ event }) => event.type === 'RollbackStarted');
        expect(back)
          .to.have.nested.property('event.data.evidence[0]')
          .that.matches(/was 0\.05$/);
      },
    );

    it(
      shows(
        'Evidence 7: inconclusive',
        'too few requests are inconclusive and pause at the end of the bake; a person may promote it',
      ),
      () => {
        const it = measured(10, 0);
        until(it, 'Paused');
        expect(it.ms).to.be.at.least(300_000);
        expect(it.state(newId)).to.deep.include({ cause: 'Inconclusive' });
        it.ask(newId, (state) => requests.promote(state, by, start + it.ms));
        until(it, 'Completed');
      },
    );

    it(
      shows(
        'Evidence 3: the old one is unhealthy',
        'nothing is routed back to an old version that is itself unhealthy while the canary answers',
      ),
      () => {
        const it = measured(100, 0, ({ deploymentId }) => (deploymentId === oldId ? 'fail' : 'pass'));
        until(it, 'Baking');
        it.run(60_000);
        it.metrics = { requests: 100, errors: 5 };
        until(it, 'Paused', 120_000);
        expect(it.state(newId)).to.deep.include({ cause: 'PreviousUnhealthy' });
        it.behaviour = () => 'pass';
        until(it, 'RolledBack', 120_000);
      },
    );

    it(
      shows(
        'Evidence 3: the old one is unhealthy',
        'an old version that was unhealthy in the stage before still is when the next begins',
      ),
      () => {
        const it = measured(100, 0, ({ deploymentId }) => (deploymentId === oldId ? 'fail' : 'pass'));
        it.run(hour, () => 'stage' in it.state(newId) && it.state(newId).fence === 2);
        it.metrics = { requests: 100, errors: 5 };
        until(it, 'Paused', 120_000);
        expect(it.state(newId)).to.deep.include({ cause: 'PreviousUnhealthy', stage: 1 });
      },
    );
  });
});
