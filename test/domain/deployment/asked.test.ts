/** What becomes of a rollout that people promote, roll back or supersede. */
import { expect } from 'chai';
import * as requests from '../../../src/domain/deployment/requests.ts';
import { DeploymentId } from '../../../src/domain/ids.ts';
import { claimRollback } from '../../../src/domain/slot.ts';
import { canary, hour, onlyNew, until } from './canary-world.ts';
import { newId, oldId, request, start, user } from './samples.ts';
import { shows } from '../../support/rollout-rows.ts';

const by = { by: user, reason: 'because' };

describe('a rollout that people ask something of', () => {
  describe('promote', () => {
    it('skips the remaining bakes, never the failure rule', () => {
      const it = canary();
      until(it, 'Baking');
      it.ask(newId, (state) => requests.promote(state, by, start + it.ms));
      until(it, 'Completed', 240_000);
      const sick = canary();
      until(sick, 'Baking');
      sick.behaviour = onlyNew(() => 'fail');
      sick.ask(newId, (state) => requests.promote(state, by, start + sick.ms));
      until(sick, 'RolledBack', 240_000);
    });
  });

  describe('rollback', () => {
    it(shows('States: RolledBack', 'of a running rollout is immediate'), () => {
      const it = canary();
      until(it, 'Baking');
      it.ask(newId, (state, slot) => requests.requestRollback(state, slot, by, start + it.ms));
      expect(it.state(newId).phase).to.equal('RolledBack');
      expect(it.slot).to.deep.include({ current: oldId, coolDowns: [] });
    });

    it(
      shows(
        'States: RolledBack',
        'of a completed one brings its predecessor up beside it, and turns once that is ready',
      ),
      () => {
        const it = canary();
        until(it, 'Completed');
        it.behaviour = ({ deploymentId }) => (deploymentId === oldId ? null : 'pass');
        it.askSlot((slot) => claimRollback(slot, { deploymentId: newId, to: oldId, ...by }));
        it.run(60_000);
        expect(it.state(newId).phase).to.equal('RollingBack');
        expect(it.slot.current).to.equal(newId);
        it.behaviour = () => 'pass';
        until(it, 'RolledBack', 30_000);
        expect(it.slot).to.deep.include({ current: oldId, flight: null });
      },
    );

    it(
      shows(
        'States: RollbackFailed',
        'of a completed one waits while its agents are silent: that they do not come up is nothing anybody saw',
      ),
      () => {
        const it = canary(() => 'pass', {}, 'agent');
        until(it, 'Completed');
        it.behaviour = () => null;
        it.askSlot((slot) => claimRollback(slot, { deploymentId: newId, to: oldId, ...by }));
        it.run(5 * 24 * hour);
        expect(it.state(newId).phase).to.equal('RollingBack');
        it.behaviour = () => 'pass';
        until(it, 'RolledBack', 60_000);
        expect(it.slot).to.deep.include({ current: oldId, flight: null });
      },
    );

    it(shows('States: RollbackFailed', 'of a completed one waits while the prober is away'), () => {
      const it = canary();
      until(it, 'Completed');
      it.behaviour = ({ deploymentId }) => (deploymentId === oldId ? null : 'pass');
      it.proberAlive = false;
      it.askSlot((slot) => claimRollback(slot, { deploymentId: newId, to: oldId, ...by }));
      it.run(5 * hour);
      expect(it.state(newId).phase).to.equal('RollingBack');
      it.proberAlive = true;
      until(it, 'RollbackFailed', 700_000);
    });

    it(
      shows(
        'States: RollbackFailed',
        'of a completed one whose agents report, but not of its predecessor, fails at the deadline',
      ),
      () => {
        const it = canary(() => 'pass', {}, 'agent');
        until(it, 'Completed');
        it.behaviour = ({ deploymentId }) => (deploymentId === oldId ? null : 'pass');
        it.askSlot((slot) => claimRollback(slot, { deploymentId: newId, to: oldId, ...by }));
        until(it, 'RollbackFailed', 700_000);
      },
    );

    it('of a completed one that waits for its agents can be undeployed', () => {
      const it = canary(() => 'pass', {}, 'agent');
      until(it, 'Completed');
      it.behaviour = () => null;
      it.askSlot((slot) => claimRollback(slot, { deploymentId: newId, to: oldId, ...by }));
      it.run(hour);
      it.ask(newId, (state, slot) => requests.undeploy(state, slot, by));
      expect(it.state(newId).phase).to.equal('Undeployed');
      expect(it.slot).to.deep.include({ current: null, flight: null });
    });

    it(
      shows(
        'States: no rollback of a rollback',
        'whatever befalls those that it returns to, or those that it leaves',
      ),
      () => {
        for (const outcome of ['fail', 'error', null] as const)
          for (const sick of [oldId, newId]) {
            const it = canary();
            until(it, 'Completed');
            it.log.length = 0;
            it.behaviour = ({ deploymentId }) => (deploymentId === sick ? outcome : 'pass');
            it.askSlot((slot) => claimRollback(slot, { deploymentId: newId, to: oldId, ...by }));
            it.run(2 * hour);
            expect(it.types().filter((type) => type === 'RollbackStarted')).to.have.length(1);
            expect(it.slot).to.deep.include({ flight: null, current: sick === oldId ? newId : oldId });
          }
      },
    );

    it(
      shows(
        'States: RollbackFailed',
        'of a completed one fails at the deadline when the predecessor does not come up, and can be asked again',
      ),
      () => {
        const it = canary();
        until(it, 'Completed');
        it.behaviour = ({ deploymentId }) => (deploymentId === oldId ? 'fail' : 'pass');
        it.askSlot((slot) => claimRollback(slot, { deploymentId: newId, to: oldId, ...by }));
        until(it, 'RollbackFailed', 700_000);
        expect(it.slot).to.deep.include({ current: newId, flight: null });
        it.behaviour = () => 'pass';
        it.askSlot((slot) => claimRollback(slot, { deploymentId: newId, to: oldId, ...by }));
        until(it, 'RolledBack', 60_000);
      },
    );
  });

  describe('superseding', () => {
    it(shows('States: Superseded', 'returns to stable first and starts from stable'), () => {
      const it = canary();
      until(it, 'Baking');
      const next = request({ strategy: 'Direct' }, { deploymentId: DeploymentId.parse('dep-next') });
      it.request(next, { supersede: true });
      expect(it.state(next.deploymentId).phase).to.equal('Pending');
      it.ask(newId, (state) => requests.abort(state, by, next.deploymentId));
      expect(it.state(newId).phase).to.equal('Superseded');
      expect(it.run(hour, () => it.state(next.deploymentId).phase === 'Completed')).to.equal(true);
      expect(it.slot.current).to.equal(next.deploymentId);
    });
  });
});
