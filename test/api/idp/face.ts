/** The IDP's face of a whole server on a virtual clock, with receivers of webhooks on the loopback. */
import { expect } from 'chai';
import { z } from 'zod';
import { IdpErrorBody } from '../../../src/api/idp/errors.ts';
import {
  DeliveryAnswer,
  DeliveryListAnswer,
  WebhookDetailsAnswer,
} from '../../../src/api/idp/webhook-schemas.ts';
import type { Role } from '../../../src/domain/permissions.ts';
import { createAcme } from '../../fixtures/plugin-manager.ts';
import type { Call, Reply } from '../../support/http.ts';
import { openWholeServer, tenantOf, type WholeServer } from '../plugin-manager/whole-server.ts';

export interface IdpServer {
  readonly whole: WholeServer;
  /** As a role of its own tenant, else of the tenant named. A question waits until all is at rest. @param path below `/api` */
  ask(
    who: Role | readonly [Role, string],
    method: string,
    path: string,
    body?: unknown,
    call?: Call,
  ): Promise<Reply>;
  /** Expects 201. @returns its id */
  create(who: Role | readonly [Role, string], body: object): Promise<string>;
  shown(id: string): Promise<z.output<typeof WebhookDetailsAnswer>>;
  /** The newest first. */
  deliveries(id: string, query?: string): Promise<readonly z.output<typeof DeliveryAnswer>[]>;
  close(): Promise<void>;
}

/** With the tenants `tenant-acme-corp` and `globex`. Only the loopback can be reached. */
export async function openIdp(settings: Readonly<Record<string, string>> = {}): Promise<IdpServer> {
  const whole = await openWholeServer({ SLIPWAY_EGRESS_ALLOW: '127.0.0.0/8', ...settings });
  await whole.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
  await whole.ask('PlatformAdmin', 'POST', '/tenants', { tenantId: 'globex', name: 'Globex' });
  const ask: IdpServer['ask'] = async (who, method, path, body, call = {}) => {
    const [role, tenant] = typeof who === 'string' ? ([who, tenantOf[who]] as const) : who;
    if (method === 'GET') await whole.settle();
    return whole.call(method, `/api${path}`, {
      token: await whole.asRole(role, tenant),
      ...(body === undefined ? {} : { body }),
      ...call,
    });
  };
  const good = async (reply: Promise<Reply>, status = 200): Promise<unknown> => {
    const { status: got, body } = await reply;
    expect(got, JSON.stringify(body)).to.equal(status);
    return body;
  };
  return {
    whole,
    ask,
    create: async (who, body) =>
      z.looseObject({ id: z.string() }).parse(await good(ask(who, 'POST', '/webhooks', body), 201)).id,
    shown: async (id) =>
      WebhookDetailsAnswer.parse(await good(ask('PlatformAdmin', 'GET', `/webhooks/${id}`))),
    deliveries: async (id, query = '') => {
      const path = `/webhooks/${id}/deliveries${query}`;
      return DeliveryListAnswer.parse(await good(ask('PlatformAdmin', 'GET', path))).deliveries;
    },
    close: () => whole.stop(),
  };
}

/** Whether a path of the OpenAPI document is of this face. */
export function isOfIdp(path: string): boolean {
  return /^\/api\/(?!v1\/|openapi)/.test(path);
}

const Refused = IdpErrorBody.options[0];

/** In the document's format, naming these fields and no others. @returns its error */
export function expectIdpRefusal(reply: Reply, status: number, code: string, fields?: readonly string[]) {
  const told = JSON.stringify(reply.body);
  expect(reply.status, told).to.equal(status);
  const { error } = Refused.parse(reply.body);
  expect(error.code, told).to.equal(code);
  expect(error.message).not.to.equal('');
  expect(error.requestId).to.equal(reply.headers.get('x-correlation-id'));
  if (fields) expect(Object.keys(error.details), told).to.have.members(fields);
  return error;
}
