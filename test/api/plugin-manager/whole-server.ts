/** The Plugin Manager's face of a whole server on a virtual clock, and what its tests say of answers. */
import { expect } from 'chai';
import { ErrorBody } from '../../../src/api/plugin-manager/errors.ts';
import { DeployedAnswer, DeploymentAnswer } from '../../../src/api/plugin-manager/deployment-schemas.ts';
import type { Ports } from '../../../src/container.ts';
import type { Role } from '../../../src/domain/permissions.ts';
import type { Call, Reply } from '../../support/http.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { createVirtualClock, type VirtualClock } from '../../support/virtual-clock.ts';

export const acmeId = 'tenant-acme-corp';

/** Who asks, each with a tenant of their own. */
export const tenantOf = {
  PlatformAdmin: 'platform',
  PluginDeveloper: 'tenant-makers',
  TenantAdmin: acmeId,
  Viewer: acmeId,
} as const satisfies Record<Role, string>;

export interface WholeServer extends TestServer {
  readonly clock: VirtualClock;
  /** A question waits until all is at rest. @param path below `/api/v1`; @param body sent when it is there */
  ask(role: Role, method: string, path: string, body?: unknown, call?: Call): Promise<Reply>;
  /** Lets virtual time pass, and everybody do what falls due. */
  pass(seconds: number): Promise<void>;
  /** Expects 202. @returns the id */
  deploy(body: object): Promise<string>;
  /** As it is shown now. */
  shown(deploymentId: string): Promise<ReturnType<typeof DeploymentAnswer.parse>>;
  /** Lets time pass until it has come to rest. */
  finished(deploymentId: string): Promise<string>;
}

const ends = ['Completed', 'RolledBack', 'RollbackFailed', 'Failed', 'Cancelled'];

/** @param logTo takes every line of the log; @param ports what the test brings beside the clock */
export async function openWholeServer(
  settings: Readonly<Record<string, string>> = {},
  logTo?: (line: string) => void,
  ports: Partial<Ports> = {},
): Promise<WholeServer> {
  const clock = createVirtualClock();
  const server = await startTestServer({ settings, ports: { ...ports, clock }, ...(logTo && { logTo }) });
  const ask: WholeServer['ask'] = async (role, method, path, body, call = {}) => {
    // What one has written oneself is waited for; what others wrote may be seen later.
    if (method === 'GET') await server.settle();
    return server.call(method, `/api/v1${path}`, {
      token: await server.asRole(role, tenantOf[role]),
      ...(body === undefined ? {} : { body }),
      ...call,
    });
  };
  const shown: WholeServer['shown'] = async (id) => {
    const reply = await ask('TenantAdmin', 'GET', `/plugin-deployments/${id}`);
    expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
    return DeploymentAnswer.parse(reply.body);
  };
  const pass = (seconds: number): Promise<void> => clock.advance(seconds * 1000, server.settle);
  return Object.assign(server, {
    clock,
    ask,
    shown,
    pass,
    deploy: async (body: object) => {
      const reply = await ask('TenantAdmin', 'POST', '/plugin-deployments', body);
      expect(reply.status, JSON.stringify(reply.body)).to.equal(202);
      return DeployedAnswer.parse(reply.body).deploymentId;
    },
    finished: async (id: string) => {
      for (let minutes = 0; minutes < 60; minutes += 1) {
        const { status } = await shown(id);
        if (ends.includes(status)) return status;
        await pass(60);
      }
      throw new Error(`${id} did not end within an hour`);
    },
  });
}

/** In the document's format, naming these fields and no others. @returns its error */
export function expectRefusal(reply: Reply, status: number, code: string, fields?: readonly string[]) {
  const told = JSON.stringify(reply.body);
  expect(reply.status, told).to.equal(status);
  const { error } = ErrorBody.parse(reply.body);
  expect(error.code, told).to.equal(code);
  expect(error.message).not.to.equal('');
  expect(error.traceId).to.equal(reply.headers.get('x-correlation-id'));
  expect(reply.headers.get('content-type')).to.equal('application/json; charset=utf-8');
  if (fields) expect([...new Set(error.details.map(({ field }) => field))], told).to.have.members(fields);
  return error;
}
