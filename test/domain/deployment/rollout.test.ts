import { expect } from 'chai';
import { interrupt } from '../../../src/domain/deployment/requests.ts';
import * as requests from '../../../src/domain/deployment/requests.ts';
import { isRefusal } from '../../../src/domain/refusal.ts';
import { claimUndeploy } from '../../../src/domain/slot-undeploy.ts';
import { canary, hour, onlyNew, reasonOf, until } from './canary-world.ts';
import { newId, oldId, request, start, user } from './samples.ts';
import { world } from './world.ts';
import { shows } from '../../support/rollout-rows.ts';

const by = { by: user, reason: 'because' };

describe('a rollout', () => {
  describe('7. Advance', () => {
    it(
      shows('States: the slot turns first', 'and then the deployment tells its end, whatever that is'),
      () => {
        for (const outcome of ['pass', 'fail'] as const) {
          const it = canary();
          until(it, 'Baking');
          it.behaviour = onlyNew(() => outcome);
          it.run(3 * hour, () => it.slot.flight === null);
          const end = outcome === 'pass' ? 'DeploymentCompleted' : 'DeploymentRolledBack';
          expect(it.types().slice(-2)).to.deep.equal(['SlotTurned', end]);
        }
      },
    );

    it(
      shows(
        'States: in order',
        'walks 1, 3, 5, 10 of 10, bakes after each, and the slot turns before it completes',
      ),
      () => {
        const it = canary();
        until(it, 'Completed');
        const stages = it.log.flatMap(({ event }) =>
          event.type === 'StageStarted' ? [event.data.instances] : [],
        );
        expect(stages).to.deep.equal([1, 3, 5, 10]);
        expect(it.types().slice(-3)).to.deep.equal(['PromotionStarted', 'SlotTurned', 'DeploymentCompleted']);
        expect(it.slot.current).to.equal(newId);
        expect(it.slot.flight).to.equal(null);
        const reached = it.log.filter(({ event }) => event.type === 'CanaryStageReached').map(({ ms }) => ms);
        const started = it.log.filter(({ event }) => event.type === 'StageStarted').map(({ ms }) => ms);
        reached.slice(0, 3).forEach((ms, i) => expect(started[i + 1]! - ms).to.be.at.least(300_000));
      },
    );

    it(
      shows(
        'Evidence 7: enough passes',
        'needs three passes of each canary in the stage though there is no bake',
      ),
      () => {
        const it = canary(() => 'pass', { strategy: 'Direct', strategyConfig: { bakeSeconds: '0' } });
        it.run(20_000);
        expect(it.state(newId).phase).to.equal('Baking');
        until(it, 'Completed', 10_000);
      },
    );

    it('keeps time against a crash at most once a minute', () => {
      const it = canary();
      until(it, 'Completed');
      expect(it.types().filter((type) => type === 'TimeEarned').length).to.be.within(12, 20);
    });
  });

  describe('1. Undeploy, then abort', () => {
    it(
      shows('Evidence 1: undeploy, then abort', 'undeploying outranks an abort that waits, and a failure'),
      () => {
        const it = canary(onlyNew(({ ms }) => (ms > 100_000 ? 'fail' : 'pass')));
        until(it, 'Baking');
        it.ask(newId, (state, slot) =>
          [requests.abort(state, by), requests.undeploy(state, slot, by)].flatMap((decision) =>
            isRefusal(decision) ? expect.fail(decision.message) : decision,
          ),
        );
        expect(it.state(newId).phase).to.equal('Undeployed');
        expect(it.types()).not.to.include('RollbackStarted');
      },
    );

    it(shows('States: Cancelled', 'abort returns to stable and ends Cancelled, without a cool-down'), () => {
      const it = canary();
      until(it, 'Baking');
      it.ask(newId, (state) => requests.abort(state, by));
      expect(it.state(newId).phase).to.equal('Cancelled');
      expect(it.slot).to.deep.include({ current: oldId, flight: null, coolDowns: [] });
    });

    it(shows('Evidence 1: undeploy, then abort', 'abort outranks blindness'), () => {
      const it = canary();
      until(it, 'Baking');
      it.proberAlive = false;
      until(it, 'Paused');
      it.ask(newId, (state) => requests.abort(state, by));
      expect(it.state(newId).phase).to.equal('Cancelled');
    });

    it(shows('States: Undeployed', 'undeploying a running rollout leaves the old version current'), () => {
      const it = canary();
      until(it, 'Baking');
      it.ask(newId, (state, slot) => requests.undeploy(state, slot, by));
      expect(it.state(newId).phase).to.equal('Undeployed');
      expect(it.slot.current).to.equal(oldId);
    });

    it(shows('States: Undeployed', 'undeploying the current one empties the slot'), () => {
      const it = canary();
      until(it, 'Completed');
      it.askSlot((slot) => claimUndeploy(slot, { deploymentId: newId, ...by }));
      expect(it.state(newId).phase).to.equal('Undeployed');
      expect(it.slot).to.deep.include({ current: null, flight: null });
    });
  });

  describe('2. Blind', () => {
    it(
      shows(
        'Evidence 2: blind, old and new alike',
        'pauses when new and old are silent alike, and goes on when they report again, never back',
      ),
      () => {
        const it = canary();
        until(it, 'Baking');
        it.behaviour = () => null;
        until(it, 'Paused', 60_000);
        expect(it.state(newId)).to.deep.include({ cause: 'MonitorBlind' });
        it.run(24 * hour);
        expect(it.state(newId).phase).to.equal('Paused');
        it.behaviour = () => 'pass';
        until(it, 'Completed');
      },
    );

    it(
      shows(
        'Evidence 2: blind, no prober',
        'pauses when the prober of the platform gives no sign of life, whatever was last seen',
      ),
      () => {
        const it = canary(onlyNew(() => 'fail'));
        it.proberAlive = false;
        it.run(24 * hour);
        expect(it.state(newId)).to.deep.include({ phase: 'Paused', cause: 'MonitorBlind' });
      },
    );

    it(
      shows(
        'Evidence 2: blind, nothing to compare with',
        'without old instances silence is blindness for agents, a failure for the platform',
      ),
      () => {
        for (const runtime of ['agent', 'simulated'] as const) {
          const it = world(() => null);
          it.request(request({}, { previousDeploymentId: null, runtime }));
          it.run(2 * hour);
          expect(it.state(newId).phase).to.equal(runtime === 'agent' ? 'Paused' : 'Failed');
        }
      },
    );

    it(
      shows(
        'Evidence 2: blind, nothing to compare with',
        'an agent that falls silent altogether while there is nothing to compare with only pauses',
      ),
      () => {
        const it = world();
        it.request(request({}, { previousDeploymentId: null, runtime: 'agent' }));
        until(it, 'Baking');
        it.behaviour = () => null;
        it.run(2 * hour);
        expect(it.state(newId)).to.deep.include({ phase: 'Paused', cause: 'MonitorBlind' });
      },
    );
  });

  describe('3. Failure', () => {
    it(
      shows(
        'Evidence 3: failed probes',
        'rolls back when a canary fails failureThreshold probes in a row, and cools down',
      ),
      () => {
        const it = canary();
        until(it, 'Baking');
        const sickAt = it.ms;
        it.behaviour = onlyNew(() => 'fail');
        until(it, 'RolledBack');
        expect(it.ms - sickAt).to.be.at.most(30_000);
        expect(reasonOf(it)).to.equal('1 of 1 new instance failed 3 probes in a row');
        expect(it.slot).to.deep.include({ current: oldId, flight: null });
        expect(it.slot.coolDowns).to.have.length(1);
        expect(it.slot.coolDowns[0]).to.deep.include({ pluginVersion: '2.0.0', configurationHash: 'hash' });
        expect(it.types().slice(-3)).to.deep.equal(['RollbackStarted', 'SlotTurned', 'DeploymentRolledBack']);
      },
    );

    it(shows('Evidence 3: failed probes', 'bears two failures, as long as a pass follows'), () => {
      const it = canary(onlyNew(({ ms }) => (ms % 60_000 < 20_000 ? 'fail' : 'pass')));
      until(it, 'Completed', 4 * hour);
    });

    it(shows('Evidence 3: only canaries', 'is not blocked by a broken old version'), () => {
      const it = canary(({ deploymentId }) => (deploymentId === oldId ? 'fail' : 'pass'));
      until(it, 'Completed');
    });

    it(shows('States: Failed', 'ends Failed where there is nothing to return to'), () => {
      const it = world();
      it.request(request({}, { previousDeploymentId: null }));
      until(it, 'Baking');
      it.behaviour = () => 'fail';
      until(it, 'Failed');
      expect(it.slot).to.deep.include({ current: null, flight: null });
    });

    it(
      shows(
        'Evidence 3: a pause instead',
        'pauses where onFailure says so, and goes on when a person resumes it',
      ),
      () => {
        const it = canary(() => 'pass', { strategyConfig: { onFailure: 'pause' } });
        until(it, 'Baking');
        it.behaviour = onlyNew(() => 'fail');
        until(it, 'Paused');
        expect(it.state(newId)).to.deep.include({ cause: 'Failure' });
        it.behaviour = () => 'pass';
        it.run(hour);
        expect(it.state(newId).phase).to.equal('Paused');
        it.ask(newId, (state) => requests.resume(state, by, start + it.ms));
        until(it, 'Completed');
      },
    );

    it(
      shows('Evidence 3: died and replaced', 'rolls back when a canary that had passed is restarted'),
      () => {
        const it = canary();
        until(it, 'Baking');
        const { epoch } = it.evidence.get(newId)!;
        const died = `${newId}-0-0`;
        it.deliver(newId, epoch, [
          { instance: 'fresh', sequence: 0, outcome: 'pass', latencyMs: 1, replaces: died },
        ]);
        until(it, 'RolledBack', 10_000);
        expect(reasonOf(it)).to.equal('1 new instance died and had to be restarted');
      },
    );

    it(
      shows(
        'Evidence 3: stopped by the platform',
        "the platform's own restart only returns to Provisioning and keeps the earned bake",
      ),
      () => {
        const it = canary();
        until(it, 'Baking');
        it.run(200_000);
        it.crash();
        it.ask(newId, (state) => interrupt(state, 'The platform was restarted', start + it.ms));
        expect(it.state(newId)).to.deep.include({ phase: 'Provisioning', stage: 0 });
        expect(it.state(newId)).to.have.property('bakeEarnedMs').that.is.within(120_000, 200_000);
        until(it, 'Completed');
        const first = it.log.filter(({ event }) => event.type === 'StageStarted');
        expect(
          first.map(({ event }) => (event.type === 'StageStarted' ? event.data.stage : -1)),
        ).to.deep.equal([0, 1, 2, 3]);
      },
    );

    it(
      shows(
        'Evidence: start-up',
        'failures before the first pass are start-up: only the deadline judges them',
      ),
      () => {
        const it = canary(onlyNew(({ ms }) => (ms < hour ? 'fail' : 'pass')));
        it.run(590_000);
        expect(it.state(newId).phase).to.equal('Provisioning');
        until(it, 'RolledBack', 60_000);
        expect(reasonOf(it)).to.match(/Only 0 of 1 new instance became ready within 600 seconds/);
      },
    );
  });

  describe('4. Deadline', () => {
    it(
      shows('Evidence 4: deadline', 'is a failure: 600 seconds without all instances of the stage ready'),
      () => {
        const it = canary(
          onlyNew(({ instance }) => (instance === 0 ? 'pass' : null)),
          {
            strategyConfig: { stages: '20,100' },
          },
        );
        it.run(590_000);
        expect(it.state(newId).phase).to.equal('Provisioning');
        until(it, 'RolledBack', 30_000);
        expect(reasonOf(it)).to.equal('Only 1 of 2 new instances became ready within 600 seconds');
      },
    );

    it(shows('Evidence 4: it stands still', 'stands still while baking, paused or blind'), () => {
      const it = canary(() => 'pass', { strategyConfig: { stageInterval: '3000' } });
      until(it, 'Completed', 5 * hour);
    });

    it(
      shows(
        'Evidence 4: ready again is no progress',
        'is not begun anew by becoming ready again after an interruption',
      ),
      () => {
        const it = canary();
        until(it, 'Baking');
        for (let i = 0; i < 12 && it.state(newId).phase !== 'RolledBack'; i += 1) {
          it.behaviour = onlyNew(() => null);
          it.ask(newId, (state) => interrupt(state, 'The platform was restarted', start + it.ms));
          it.run(90_000);
          it.behaviour = () => 'pass';
          it.run(10_000);
        }
        expect(it.state(newId).phase).to.equal('RolledBack');
      },
    );
  });

  describe('5. Stale', () => {
    it(
      shows(
        'Evidence 5: stale',
        'the bake stops counting while a canary is silent, and five minutes of it roll back',
      ),
      () => {
        const it = canary();
        until(it, 'Baking');
        const silentAt = it.ms;
        it.behaviour = onlyNew(() => null);
        until(it, 'RolledBack');
        expect(it.ms - silentAt).to.be.within(300_000, 340_000);
        expect(reasonOf(it)).to.equal('1 of 1 new instance gave no report for 300 seconds');
      },
    );

    it('errors of the prober are no evidence of the instance', () => {
      const it = canary();
      until(it, 'Baking');
      it.behaviour = () => 'error';
      it.run(2 * hour);
      expect(it.state(newId)).to.deep.include({ phase: 'Paused', cause: 'MonitorBlind' });
    });
  });
});
