/** A plugin misbehaved last night. From its name alone: who deployed what, why the canary advanced, what its configuration was at 03:10. */
import { expect } from 'chai';
import { EntryAnswer, LogAnswer } from '../../../src/api/audit/schemas.ts';
import { StateAnswer, StateChangesAnswer } from '../../../src/api/audit/states.ts';
import { EffectAnswer, WhyAnswer } from '../../../src/api/audit/why.ts';
import { z } from 'zod';
import type { WholeServer } from '../plugin-manager/whole-server.ts';
import { four, night, openNight, plugin } from './night.ts';

type Entry = z.output<typeof EntryAnswer>;
type Effect = z.output<typeof EffectAnswer>;

const Slot = z.looseObject({ current: z.string() });
const Deployment = z.looseObject({
  request: z.looseObject({ pluginVersion: z.string(), configuration: z.record(z.string(), z.json()) }),
});

describe('the morning after a night in which a plugin misbehaved', function () {
  this.timeout(180_000);
  let server: WholeServer;
  before(async () => {
    ({ server } = await openNight());
  });
  after(() => server.stop());

  async function ask(path: string): Promise<unknown> {
    const { status, body } = await server.ask('TenantAdmin', 'GET', `/audit/${path}`);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  }

  async function about(query: string): Promise<readonly Entry[]> {
    return LogAnswer.parse(await ask(`log?about=${plugin}&order=oldest&${query}`)).entries;
  }

  const deploymentIn = ({ data }: Entry): string => z.string().parse(data['deploymentId']);

  it('tells who deployed what', async () => {
    const requests = await about('type=DeploymentRequested');
    expect(requests.map(({ summary }) => summary.replace(/ with.*/, ''))).to.eql([
      'Somebody asked to deploy 1.4.0 to Production, Direct',
      'Somebody asked to deploy 2.0.0 to Production, Canary',
    ]);
    for (const { actor, at } of requests) {
      expect(actor.email).to.match(/^tenantadmin@/);
      expect(at < night).to.equal(true);
    }
  });

  it('tells what was decided alone, without what was reported', async () => {
    const types = async (query: string) =>
      new Set((await about(`${query}&limit=100`)).map(({ type }) => type));
    expect([...(await types('from=2030-01-01T00:00:00Z'))]).to.include('InstanceHealthObserved');
    const decided = await types('without=reports');
    expect([...decided]).to.include.members(['DeploymentRequested', 'SlotTurned', 'RollbackClaimed']);
    expect([...decided]).not.to.include.members(['InstanceHealthObserved']);
    const turned = (await about('type=SlotTurned&limit=1'))[0]?.summary;
    expect(turned).to.match(/^dep-\w+ ended as Completed; dep-\w+ is current in the slot now$/);
  });

  it('tells why the canary advanced, and what became of it', async () => {
    const [, second] = await about('type=DeploymentRequested');
    if (!second) throw new Error('there was one deployment only');
    const { effects } = WhyAnswer.parse(await ask(`why/${deploymentIn(second)}`));
    const flat = (all: readonly Effect[]): readonly Effect[] =>
      all.flatMap((effect) => [effect, ...flat(effect.effects)]);
    const stages = flat(effects).filter(({ type }) => type === 'StageStarted');
    expect(stages.length).to.be.greaterThan(1);
    for (const { evidence } of stages.slice(1)) expect(evidence.join(' ')).to.match(/ready|healthy/);
    const [claimed] = await about('type=RollbackClaimed');
    const undone = WhyAnswer.parse(await ask(`why/${claimed?.correlationId ?? ''}`));
    const rolledBack = flat(undone.effects).find(({ type }) => type === 'DeploymentRolledBack');
    expect(rolledBack?.reason).to.equal('Nobody could pay');
  });

  it('tells what the configuration was at 03:10, though it is another now', async () => {
    const [claim] = await about('type=SlotClaimed&limit=1');
    const slot = claim?.stream ?? '';
    expect(slot).to.match(/^slot-.*\.core-payments$/);
    const configurationAt = async (at: string) => {
      const { state } = StateAnswer.parse(await ask(`streams/${slot}/state?at=${at}`));
      const stream = `deployment-${Slot.parse(state).current}`;
      const told = StateAnswer.parse(await ask(`streams/${stream}/state?at=${at}`));
      return Deployment.parse(told.state).request;
    };
    expect(await configurationAt(night)).to.deep.include({
      ...{ pluginVersion: '2.0.0', configuration: { limit: 1, apiKey: '[hidden]' } },
    });
    for (const at of ['2030-01-01T01:30:00Z', four])
      expect(await configurationAt(at)).to.deep.include({
        pluginVersion: '1.4.0',
        configuration: { limit: 100 },
      });
    const { changes } = StateChangesAnswer.parse(
      await ask(`streams/${slot}/changes?from=${night}&to=${four}`),
    );
    expect(changes.map(({ field }) => field)).to.include('current');
  });

  it('tells what was so in a read model, and nothing of plugins that were not asked about', async () => {
    const [, second] = await about('type=DeploymentRequested');
    const path = `documents/deployments/${second ? deploymentIn(second) : ''}`;
    const told = JSON.stringify(await ask(`${path}/state?at=${night}`));
    expect(told).to.contain('Completed').and.not.to.contain('RolledBack');
    expect(JSON.stringify(await about('limit=100'))).not.to.contain('bystander');
  });
});
