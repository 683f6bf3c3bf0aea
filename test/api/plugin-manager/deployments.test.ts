import { expect } from 'chai';
import { DeployedAnswer, RolledBackAnswer } from '../../../src/api/plugin-manager/deployment-schemas.ts';
import { deploymentRoutes } from '../../../src/api/plugin-manager/deployments.ts';
import { pluginRoutes } from '../../../src/api/plugin-manager/plugins.ts';
import { tenantRoutes } from '../../../src/api/plugin-manager/tenants.ts';
import { deployment } from '../../../src/domain/deployment/deployment.ts';
import type { DeploymentEvent } from '../../../src/domain/deployment/events.ts';
import { DeploymentId, TenantId, UserId } from '../../../src/domain/ids.ts';
import { slot } from '../../../src/domain/slot.ts';
import { user } from '../../../src/domain/user.ts';
import { allEvents } from '../../../src/events.ts';
import { deploymentsProjection } from '../../../src/projections/deployments.ts';
import { usersProjection } from '../../../src/projections/users.ts';
import { readableSeals } from '../../commands/support.ts';
import { stageStarted } from '../../domain/deployment/samples.ts';
import {
  createAcme,
  deployStripe,
  registerCorePayments,
  registerStripe,
  responses,
} from '../../fixtures/plugin-manager.ts';
import { openWorld, type World } from '../../projections/support.ts';
import { expectShape } from '../../support/shape.ts';
import { refusalIn, withFace, type Ask } from './face.ts';

const path = '/plugin-deployments';
const deployCore = {
  pluginId: 'core-payments',
  pluginVersion: '1.4.0',
  tenantId: 'tenant-acme-corp',
  environment: 'Production',
};

describe('Plugin Deployments API', () => {
  const vault = readableSeals();
  let world: World;
  beforeEach(async () => (world = await openWorld(allEvents, [deploymentsProjection, usersProjection])));
  afterEach(() => world.close());

  /** With both plugins of the document and its tenant. */
  const slotsBeside = async () => [];
  const served = (use: (ask: Ask) => Promise<void>) => {
    const deps = {
      ...world,
      vault,
      runtimes: { chosen: 'simulated' },
      scenarioOf: () => null,
      slotsBeside,
    } as const;
    const routes = [...pluginRoutes(deps), ...tenantRoutes(deps), ...deploymentRoutes(deps)];
    return withFace(world, routes, async (ask) => {
      await ask('admin', 'POST', '/tenants', createAcme);
      await ask('admin', 'POST', '/tenants', { tenantId: 'tenant-globex', name: 'Globex' });
      await ask('developer', 'POST', '/plugins', registerCorePayments);
      await ask('developer', 'POST', '/plugins', registerStripe);
      await use(ask);
    });
  };

  async function deploy(ask: Ask, body: object = deployCore): Promise<DeploymentId> {
    const reply = await ask('acme', 'POST', path, body);
    expect(reply.status, JSON.stringify(reply.body)).to.equal(202);
    return DeploymentId.parse(DeployedAnswer.parse(reply.body).deploymentId);
  }

  /** What the rollout process does when all goes well. */
  async function complete(id: DeploymentId): Promise<DeploymentId> {
    const to = { tenant: TenantId.parse('tenant-acme-corp') };
    const events: readonly DeploymentEvent[] = [
      stageStarted(0, 1, 1),
      { type: 'PromotionStarted', data: {} },
      { type: 'DeploymentCompleted', data: {} },
    ];
    const turned = { current: id, ended: id, outcome: 'Completed', coolDown: null } as const;
    await world.executor.execute({
      ...{ ...to, aggregate: slot, id: 'tenant-acme-corp.production.core-payments' },
      context: world.context(),
      decide: () => [{ type: 'SlotTurned', data: turned }] as const,
    });
    const context = world.context();
    await world.executor.execute({ ...to, aggregate: deployment, id, context, decide: () => events });
    return id;
  }

  async function introduceAcmesAdmin(): Promise<void> {
    const userId = UserId.parse('usr_acme');
    const tenantId = TenantId.parse('tenant-acme-corp');
    const email = await vault.sealFor(userId, 'admin@acme.com');
    const data = { userId, tenantId, role: 'TenantAdmin', email, name: null } as const;
    await world.executor.execute({
      ...{ aggregate: user, id: userId, tenant: tenantId, context: world.context() },
      decide: () => [{ type: 'UserCreated', data }] as const,
    });
  }

  it("takes the document's deployment, and shows it by itself and in the list", () =>
    served(async (ask) => {
      await introduceAcmesAdmin();
      await complete(await deploy(ask));
      const deployed = await ask('acme', 'POST', path, deployStripe);
      expect(deployed.status).to.equal(202);
      expectShape(deployed.body, responses.deployed);
      const plan = { runtime: 'simulated', totalInstances: 10, phase: 'Pending', stage: 0, stages: 4 };
      expect(deployed.body).to.include({ ...plan, environment: 'Production' });
      const { deploymentId, startedAt } = DeployedAnswer.parse(deployed.body);

      const shown = await ask('acme', 'GET', `${path}/${deploymentId}`);
      expect(shown.status).to.equal(200);
      expectShape(shown.body, responses.deployment);
      expect(shown.body).to.include({ ...plan, startedAt, deployedBy: 'admin@acme.com' });
      expect(shown.body).to.deep.include({ configuration: deployStripe.configuration });

      const completed = await ask('acme', 'GET', `${path}?tenantId=tenant-acme-corp&status=Completed`);
      expectShape(completed.body, responses.deployments);
      expect(completed.body).to.include({ total: 1, limit: 20, offset: 0 });
      const found = await ask(
        'admin',
        'GET',
        `${path}?environment=PRODUCTION&pluginId=payment-stripe&limit=1`,
      );
      expect(found.body).to.include({ total: 1, limit: 1 });
    }));

  it('names a user whom nobody knows any more by the id', () =>
    served(async (ask) => {
      const shown = await ask('acme', 'GET', `${path}/${await deploy(ask)}`);
      expect(shown.body).to.include({ deployedBy: 'usr_acme' });
    }));

  it('keeps tenants apart', () =>
    served(async (ask) => {
      const id = await deploy(ask);
      for (const tenantId of ['tenant-acme-corp', 'tenant-unknown']) {
        const replies = [
          await ask('globex', 'POST', path, { ...deployCore, tenantId }),
          await ask('globex', 'GET', `${path}?tenantId=${tenantId}`),
        ];
        for (const reply of replies)
          expect(refusalIn(reply)).to.deep.equal({
            ...{
              status: 403,
              code: 'FORBIDDEN',
              message: 'Only your own tenant is open to you',
              details: [],
            },
          });
      }
      for (const [method, after] of [['GET', ''] as const, ['POST', '/rollback'] as const]) {
        const foreign = refusalIn(await ask('globex', method, `${path}/${id}${after}`));
        expect(foreign).to.deep.equal({
          ...{ status: 404, code: 'NOT_FOUND', message: `There is no deployment ${id}`, details: [] },
        });
        for (const unknown of ['dep-unknown', 'nothing'])
          expect(refusalIn(await ask('acme', method, `${path}/${unknown}${after}`))).to.deep.equal({
            ...foreign,
            message: `There is no deployment ${unknown}`,
          });
      }
      expect((await ask('globex', 'GET', path)).body).to.deep.include({ deployments: [], total: 0 });
      expect((await ask('acme', 'GET', path)).body).to.include({ total: 1 });
      expect((await ask('admin', 'GET', `${path}?tenantId=tenant-acme-corp`)).body).to.include({ total: 1 });
      expect((await ask('admin', 'GET', `${path}?tenantId=tenant-globex`)).body).to.include({ total: 0 });
    }));

  it('is closed to other roles', () =>
    served(async (ask) => {
      for (const [method, below] of [
        ['POST', ''],
        ['GET', ''],
        ['GET', '/dep-1'],
        ['POST', '/dep-1/rollback'],
      ] as const) {
        expect((await ask(null, method, path + below)).status).to.equal(401);
        for (const who of ['developer', 'viewer'] as const)
          expect((await ask(who, method, path + below)).status, `${who} ${method}`).to.equal(403);
      }
    }));

  it('names what is wrong with a request, each in its turn', () =>
    served(async (ask) => {
      const fieldsOf = async (change: object) => {
        const { status, details } = refusalIn(
          await ask('acme', 'POST', path, { ...deployStripe, ...change }),
        );
        expect(status, JSON.stringify(change)).to.equal(400);
        return details.map(({ field }) => field);
      };
      expect(await fieldsOf({ strategyConfig: { stages: 10 } })).to.deep.equal(['strategyConfig.stages']);
      expect(await fieldsOf({ strategyConfig: { odd: '1' } })).to.deep.equal(['strategyConfig.odd']);
      expect(await fieldsOf({ strategy: 'Rolling' })).to.deep.equal(['strategy']);
      expect(await fieldsOf({ totalInstances: 1.5 })).to.deep.equal(['totalInstances']);
      expect(await fieldsOf({ healthCheck: { type: 'Odd', port: 1 } })).to.deep.equal(['healthCheck.port']);
      expect(await fieldsOf({ healthCheck: { type: 'Odd' } })).to.deep.equal(['healthCheck.type']);
      expect(await fieldsOf({ environment: '1st', replicas: 2 })).to.deep.equal(['environment', 'replicas']);
      expect(await fieldsOf({ configuration: [] })).to.deep.equal(['configuration']);
      expect(await fieldsOf({ configuration: { a: 'x'.repeat(65_530) } })).to.deep.equal(['configuration']);
      const settings = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, '']));
      expect(await fieldsOf({ strategyConfig: settings })).to.deep.equal(['strategyConfig']);

      const refused = async (who: 'acme' | 'admin', change: object) => {
        const reply = refusalIn(await ask(who, 'POST', path, { ...deployStripe, ...change }));
        return [reply.status, reply.code];
      };
      expect(await refused('acme', { pluginId: 'unknown' })).to.deep.equal([404, 'NOT_FOUND']);
      expect(await refused('acme', { pluginVersion: '9.9.9' })).to.deep.equal([404, 'NOT_FOUND']);
      expect(await refused('admin', { tenantId: 'tenant-unknown' })).to.deep.equal([404, 'NOT_FOUND']);
      expect(await refused('acme', {})).to.deep.equal([400, 'DEPENDENCY_CONFLICT']);
      expect((await ask('acme', 'GET', path)).body).to.include({ total: 0 });
    }));

  it('rolls back, the same again with the same answer, and only where there is something to return to', () =>
    served(async (ask) => {
      const first = await complete(await deploy(ask));
      expect((await ask('acme', 'POST', `${path}/${first}/rollback`)).status).to.equal(409);
      const second = await complete(await deploy(ask, { ...deployCore, totalInstances: 2 }));
      const reason = { reason: 'High error rate detected' };
      expect((await ask('acme', 'POST', `${path}/${second}/rollback`, { reason: '' })).status).to.equal(400);
      const accepted = await ask('acme', 'POST', `${path}/${second}/rollback`, reason);
      expect(accepted.status).to.equal(202);
      expectShape(accepted.body, responses.rolledBack);
      expect(accepted.body).to.include({ status: 'RollingBack', previousDeploymentId: first });
      const again = await ask('admin', 'POST', `${path}/${second}/rollback`);
      expect(again.status).to.equal(202);
      expect(again.body).to.deep.equal(accepted.body);
      const { rolledBackAt } = RolledBackAnswer.parse(accepted.body);
      const shown = await ask('acme', 'GET', `${path}/${second}`);
      expect(shown.body).to.include({ status: 'RollingBack', reason: reason.reason, rolledBackAt });
    }));
});
