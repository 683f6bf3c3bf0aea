import { expect } from 'chai';
import { EffectAnswer, WhyAnswer } from '../../../src/api/audit/why.ts';
import { WebhookWithSecretAnswer } from '../../../src/api/idp/webhook-schemas.ts';
import type { z } from 'zod';
import { type Why, tree } from '../../../src/audit-client/why.ts';
import type { RecordedEvent } from '../../../src/ports/event-store.ts';
import { createAcme, registerCorePayments } from '../../fixtures/plugin-manager.ts';
import { readToEnd } from '../../contract/event-store-given.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from '../plugin-manager/whole-server.ts';

/** What the API answers is what is read of it: this does not compile otherwise. */
export const readsTheAnswer = (answer: z.output<typeof WhyAnswer>): Why => answer;

type Effect = z.output<typeof EffectAnswer>;
const canary = {
  ...{ pluginId: 'core-payments', pluginVersion: '1.4.0', tenantId: acmeId, environment: 'Production' },
  ...{ strategy: 'Canary', totalInstances: 4 },
};

describe('GET /api/v1/audit/why/{id}', () => {
  let server: WholeServer;
  let first: string;
  let log: readonly RecordedEvent[];
  before(async function () {
    this.timeout(60_000);
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    await server.ask('PluginDeveloper', 'POST', '/plugins', registerCorePayments);
    const webhook = { url: 'https://hooks.localhost/', events: ['deployment.completed'], name: 'hook' };
    const token = await server.asRole('TenantAdmin', acmeId);
    const made = await server.call('POST', '/api/webhooks', { token, body: webhook });
    WebhookWithSecretAnswer.parse(made.body);
    first = await server.deploy(canary);
    expect(await server.finished(first)).to.equal('Completed');
    await server.pass(5);
    log = (await readToEnd(server.server.ports.eventStore)).events;
  });
  after(() => server.stop());

  async function why(id: string) {
    const { status, body } = await server.ask('TenantAdmin', 'GET', `/audit/why/${encodeURIComponent(id)}`);
    expect(status, JSON.stringify(body)).to.equal(200);
    return WhyAnswer.parse(body);
  }
  const flat = (effects: readonly Effect[]): readonly Effect[] =>
    effects.flatMap((effect) => [effect, ...flat(effect.effects)]);
  const one = (effects: readonly Effect[], type: string): Effect => {
    const [found] = flat(effects).filter((effect) => effect.type === type);
    if (!found) throw new Error(`there is no ${type}`);
    return found;
  };

  it('tells everything that came of a request, each once, below what is before it', async () => {
    const correlationId = (await why(first)).correlationId;
    const { effects, more } = await why(correlationId);
    expect(more).to.equal(false);
    const ids = flat(effects).map(({ id }) => id);
    const own = log.filter(({ metadata }) => metadata.correlationId === correlationId).map(({ id }) => id);
    expect(own.length).to.be.greaterThan(8);
    expect(ids).to.have.members(own);
    const place = new Map(log.map(({ position }, index) => [position as string, index]));
    const below = (effect: Effect): void => {
      for (const child of effect.effects) {
        expect(place.get(child.position)).to.be.greaterThan(place.get(effect.position) ?? Infinity);
        below(child);
      }
    };
    effects.forEach(below);
  });

  it('tells why a canary advanced: the stages came of what was asked, each with its evidence', async () => {
    const { effects } = await why(first);
    const requested = one(effects, 'DeploymentRequested');
    expect(requested.actor.email).to.contain('@');
    const stages = requested.effects.filter(({ type }) => type === 'StageStarted');
    expect(stages.length).to.be.greaterThan(1);
    expect(stages.slice(1).every(({ evidence }) => evidence.length > 0)).to.equal(true);
    expect(requested.effects.at(-1)?.type).to.equal('DeploymentCompleted');
  });

  it('tells what the outside was told of, below what it was told', async () => {
    const completed = one((await why(first)).effects, 'DeploymentCompleted');
    expect(completed.effects.map(({ type }) => type)).to.include('WebhookAttempted');
  });

  it('finds the request by every id that leads to it, and marks what was asked about', async () => {
    const { correlationId, effects } = await why(first);
    const stage = one(effects, 'StageStarted');
    for (const id of [stage.id, stage.causationId, stage.position]) {
      const told = await why(id);
      expect(told.correlationId).to.equal(correlationId);
      expect(
        flat(told.effects)
          .filter(({ asked }) => asked)
          .map(({ id: marked }) => marked),
      ).to.eql([stage.id]);
    }
    for (const id of [first, `deployment-${first}`])
      expect((await why(id)).correlationId).to.equal(correlationId);
    expect(flat(effects).some(({ asked }) => asked)).to.equal(false);
  });

  it('follows what another request made of it, from both', async () => {
    const second = await server.deploy(canary);
    await server.pass(30);
    const reply = await server.ask('TenantAdmin', 'POST', `/plugin-deployments/${second}/abort`, {
      reason: 'No',
    });
    expect(reply.status).to.equal(202);
    await server.finished(second);
    const requests = [second, reply.headers.get('x-correlation-id') ?? ''];
    for (const request of requests) {
      const { effects } = await why(request);
      const aborted = one(effects, 'AbortRequested');
      expect(aborted.correlationId).to.equal(requests[1]);
      expect(aborted.effects.map(({ type }) => type)).to.include.members(['RollbackStarted', 'SlotTurned']);
    }
    expect((await why(requests[1] ?? '')).effects.map(({ type }) => type)).to.eql(['AbortRequested']);
  });

  it('knows nothing of what does not exist, and of what is another tenant’s', async () => {
    const [setUp] = log.filter(({ type }) => type === 'PlatformSetUp');
    for (const id of [
      'nope',
      'dep-nope',
      'tenant-nope',
      'log:1',
      `${String(setUp?.position)}0000`,
      '%00',
      '__proto__',
    ])
      expectRefusal(
        await server.ask('PlatformAdmin', 'GET', `/audit/why/${encodeURIComponent(id)}`),
        404,
        'NOT_FOUND',
      );
    for (const id of [setUp?.id, setUp?.position, setUp?.stream, setUp?.metadata.correlationId])
      expectRefusal(
        await server.ask('TenantAdmin', 'GET', `/audit/why/${encodeURIComponent(id ?? '')}`),
        ...([404, 'NOT_FOUND'] as const),
      );
  });

  it('is drawn as a tree, a line for each but for time that counted', async () => {
    const told = await why(first);
    const drawn = tree(told);
    expect(drawn[0]).to.equal(`request ${told.correlationId}`);
    const heads = drawn.filter((line) => /[├└]─/.test(line));
    const shown = flat(told.effects).filter(({ type }) => type !== 'TimeEarned');
    expect(heads).to.have.length(shown.length);
    expect(drawn.find((line) => line.includes('Stage 2 of'))).to.match(
      /^[│ ] {2}[├└]─ .* by process:rollouts$/,
    );
    expect(drawn.some((line) => /^[│ ] {2}│ {5}because: /.test(line))).to.equal(true);
  });
});
