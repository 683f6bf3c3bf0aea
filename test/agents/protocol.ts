/** A server with an agent's key, and the two calls of the agents' protocol, which tests make word by word. */
import { expect } from 'chai';
import { ReceivedAnswer } from '../../src/api/plugin-manager/agent-schemas.ts';
import { healthEvents } from '../../src/domain/health.ts';
import {
  createAcme,
  deployStripe,
  registerCorePayments,
  registerStripe,
} from '../fixtures/plugin-manager.ts';
import { openAgentServer } from '../support/agent-server.ts';
import type { Reply } from '../support/http.ts';

export const core = {
  ...{ pluginId: 'core-payments', pluginVersion: '1.4.0', tenantId: deployStripe.tenantId },
  environment: 'Production',
};

type Told = Partial<Record<'outcome' | 'replaces', string>> & { readonly sequence?: number };

export type Protocol = Awaited<ReturnType<typeof openProtocol>>;

/** The document's tenant and plugins are there, and `key` is of an agent of the tenant's Production. */
export async function openProtocol() {
  const server = await openAgentServer();
  await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
  for (const body of [registerCorePayments, registerStripe])
    await server.ask('PluginDeveloper', 'POST', '/plugins', body);
  const key = await server.agentKey();

  const call = (method: string, path: string, body?: unknown, by = key): Promise<Reply> =>
    server.call(method, `/api/v1${path}`, {
      headers: { 'X-API-Key': by },
      ...(body === undefined ? {} : { body }),
    });
  const ask = (query: string, by = key): Promise<Reply> =>
    call('GET', `/agent/assignments${query}`, undefined, by);

  const report = async (
    id: string,
    epoch: number,
    reports: Readonly<Record<string, Told>> | readonly object[],
  ) => {
    const list = Array.isArray(reports)
      ? (reports as readonly object[])
      : Object.entries(reports as Readonly<Record<string, Told>>).map(([instance, told]) => ({
          ...{ instance, sequence: 0, outcome: 'pass' },
          ...told,
        }));
    const reply = await call('POST', `/plugin-deployments/${id}/health-reports`, { epoch, reports: list });
    expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
    const { deploymentId, ...rest } = ReceivedAnswer.strict().parse(reply.body);
    expect(deploymentId).to.equal(id);
    return rest;
  };
  /** The first deployment, told to its agents. */
  const deployed = async (body: object = core) => {
    const id = await server.deploy(body);
    await server.settle();
    const found = (await server.assigned(key)).assignments.find(({ deployments }) =>
      deployments.some(({ deploymentId }) => deploymentId === id),
    );
    return { id, epoch: found?.epoch ?? expect.fail(`${id} is assigned to nobody`) };
  };
  const healthOf = async (id: string) =>
    (await server.server.ports.eventStore.readStream(`health-${id}`, { limit: 1_000 })).map(({ data }) =>
      healthEvents.InstanceHealthObserved.data.parse(data),
    );

  /** Questions that wait, once the server waits with them: each has a timer. */
  const asking = async <T>(count: number, begin: () => T): Promise<T> => {
    const { clock } = server;
    const before = clock.pending();
    const begun = begin();
    while (clock.pending() < before + count) await new Promise((turn) => setTimeout(turn));
    return begun;
  };
  return { server, key, call, ask, report, deployed, healthOf, asking };
}
