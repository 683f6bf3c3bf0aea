/** A canary over the wire and in real time, with the server killed in the middle of a stage: it goes on where it was. */
import { expect } from 'chai';
import { logInAsAdmin, spawnServer, type SpawnedServer } from '../support/spawned-server.ts';
import { type StageEvent, stageFaults } from '../support/stage-faults.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';
import { logFaults, logOf } from '../support/whole-log.ts';
import { caller } from '../support/writing-client.ts';

const bakeMs = 3_000;
const stages = [1, 3, 5, 10];
const plan = stages.map((instances) => ({ instances, bakeMs }));

interface Shown {
  readonly status: string;
  readonly phase: string;
  readonly stage: number;
  readonly progress: number;
  readonly healthyInstances: number;
}

describe('a canary of which the server is killed in the middle of a stage', function () {
  this.timeout(180_000);

  it('finishes after the start: no stage shortened, none twice, exactly the instances wanted', async () => {
    const data = await temporaryFolder();
    let server: SpawnedServer | null = null;
    try {
      server = await spawnServer(data.path);
      const token = await logInAsAdmin(server.client);
      let call = caller(server.client, token);
      const send = async (path: string, body: object): Promise<unknown> => {
        const answer = await call('POST', path, body);
        expect(answer.status, JSON.stringify(answer.body)).to.be.within(200, 299);
        return answer.body;
      };
      await send('/tenants', { tenantId: 'acme', name: 'Acme', subscriptionTier: 'Standard' });
      await send('/plugins', {
        ...{ pluginId: 'mailer', name: 'Mailer' },
        version: { semanticVersion: '1.0.0', state: 'Stable', runtime: { type: 'DotNet8', version: '8.0' } },
      });
      const { deploymentId } = (await send('/plugin-deployments', {
        ...{ pluginId: 'mailer', pluginVersion: '1.0.0', tenantId: 'acme', environment: 'Production' },
        strategy: 'Canary',
        strategyConfig: { canaryPercentage: '10', stages: '10,30,50,100', stageInterval: '3' },
        healthCheck: { intervalSeconds: 1 },
        totalInstances: 10,
      })) as { readonly deploymentId: string };
      const shown = async (): Promise<Shown> => {
        const { status, body } = await call('GET', `/plugin-deployments/${deploymentId}`);
        expect(status).to.equal(200);
        return body as Shown;
      };
      const reached = (what: string, is: (state: Shown) => boolean): Promise<Shown> =>
        until(what, 90_000, async () => {
          const state = await shown();
          expect(state.status).to.be.oneOf(['Pending', 'InProgress', 'Completed']);
          return is(state) ? state : null;
        });

      await reached('the second stage bakes', ({ stage, phase }) => stage === 2 && phase === 'Baking');
      await server.kill();
      const killedAt = Date.now();
      server = await spawnServer(data.path);
      call = caller(server.client, token);
      await reached('it completes', ({ status }) => status === 'Completed');
      // The last stage's instances go on running, and are asked how they are.
      const { progress } = await reached(
        'ten are healthy',
        ({ healthyInstances }) => healthyInstances === 10,
      );
      expect(progress).to.equal(100);
      expect(await server.stop()).to.equal(0);

      const events = await logOf(data.path);
      expect(logFaults(events)).to.deep.equal([]);
      const own = events.filter(({ stream }) => stream === `deployment-${deploymentId}`);
      expect(stageFaults(own, plan, [killedAt])).to.deep.equal([]);
      expect(own.filter(({ type }) => type === 'StageStarted')).to.have.length(stages.length);
      expect(own.filter(({ type }) => type === 'StageInterrupted')).to.have.length(1);
      expect(own.filter(({ type }) => type === 'DeploymentCompleted')).to.have.length(1);
      const health = events.filter(({ stream }) => stream === `health-${deploymentId}`);
      expect(surplus(own, health)).to.deep.equal([]);
    } finally {
      await server?.kill();
      await data.remove();
    }
  });

  it('would be found out, were a stage shortened, left out or done twice', () => {
    const at = (second: number) => ({ at: new Date(second * 1000).toISOString() });
    const event = (type: string, second: number, stage = 0): StageEvent => ({
      ...{ type, metadata: at(second) },
      data: { stage, instances: stages[stage] ?? 0 },
    });
    const good = stages.flatMap((_, stage) => [
      event('StageStarted', 10 * stage, stage),
      event('CanaryStageReached', 10 * stage + 3, stage),
    ]);
    const all = [...good, event('PromotionStarted', 40)];
    expect(stageFaults(all, plan, [])).to.deep.equal([]);
    expect(stageFaults([...good, event('PromotionStarted', 35)], plan, [])).to.deep.equal([
      'stage 3 baked 2000 ms of 3000',
    ]);
    expect(stageFaults(all, plan, [14_000])).to.deep.equal(['stage 1 baked 1000 ms of 3000']);
    expect(stageFaults(all.toSpliced(2, 2), plan, [])).to.not.be.empty;
    expect(stageFaults(all.toSpliced(2, 0, ...good.slice(0, 2)), plan, [])).to.not.be.empty;
  });
});

/** Instances that reported and were more than the stage of their epoch had asked for. */
function surplus(own: readonly StageEvent[], health: readonly StageEvent[]): readonly string[] {
  const wanted = new Map<number, number>();
  for (const { type, data } of own) {
    const stage = data['stage'];
    if (type === 'StageStarted' || type === 'StageInterrupted')
      wanted.set(Number(data['fence']), stages[Number(stage)] ?? 0);
  }
  const seen = new Map<number, Set<string>>();
  for (const { data } of health) {
    const epoch = Number(data['epoch']);
    const instances = seen.get(epoch) ?? new Set();
    seen.set(epoch, instances);
    for (const { instance } of data['reports'] as readonly { readonly instance: string }[])
      instances.add(instance);
  }
  return [...seen].flatMap(([epoch, { size }]) => {
    const most = wanted.get(epoch % 2 ** 20) ?? 0;
    return size <= most ? [] : [`${size} instances in epoch ${epoch}, ${most} were wanted`];
  });
}
