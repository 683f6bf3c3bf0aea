/** What is wrong with queries, and which of their parts are to be named. */
import { badAuditQueries } from '../audit/bad-queries.ts';
import { long, many } from './bad-bodies.ts';
import { acmeId } from './whole-server.ts';

/** Parameters of a list, and the one that is named. */
export const badQueries: Readonly<Record<string, readonly (readonly [query: string, named: string])[]>> = {
  '/plugins': [
    ['status=active', 'status'],
    [`search=${long(201)}`, 'search'],
    [`tags=${many(51, String).join()}`, 'tags'],
  ],
  '/marketplace/plugins': [
    ['status=active', 'status'],
    [`category=${long(101)}`, 'category'],
    [`tags=${many(51, String).join()}`, 'tags'],
    [`tags=${long(2_601)}`, 'tags'],
    ...['', 'yes', '1', 'True'].map((featured) => [`featured=${featured}`, 'featured'] as const),
    ['q=payment', 'q'],
  ],
  '/capabilities': [['capabilityId=IPaymentProcessor', 'capabilityId']],
  '/tenants': [
    ['status=Gone', 'status'],
    ['tier=%00', 'tier'],
  ],
  '/users': [
    ['role=Owner', 'role'],
    ['disabled=maybe', 'disabled'],
    ['tenantId=No%20Tenant', 'tenantId'],
  ],
  '/api-keys': [],
  '/agent/assignments': [
    ['wait=56', 'wait'],
    ['wait=-1', 'wait'],
    ['after=a%20b', 'after'],
    [`after=${long(65)}`, 'after'],
  ],
  ...badAuditQueries,
  '/plugin-deployments/dep-1/history': [['order=asc', 'order']],
  [`/tenants/${acmeId}/secrets`]: [['name=stripe', 'name']],
  '/plugin-deployments': [
    ['status=Done', 'status'],
    [`tenantId=${acmeId}&tenantId=${acmeId}`, 'tenantId'],
  ],
};

/** Parameters of a search for `payment`. */
export const badSearches: readonly (readonly [query: string, named: string])[] = [
  ['search=payment', 'search'],
  ['featured=true', 'featured'],
  ['status=active', 'status'],
  [`category=${long(101)}`, 'category'],
  [`tags=${many(51, String).join()}`, 'tags'],
  ['q=stripe', 'q'],
];

/** Of every list. */
export const badPaging: readonly (readonly [query: string, named: string])[] = [
  ...['0', '101', '-1', '1.5', 'ten', '', '1e1', '0x10', '99999999999'].map(
    (limit) => [`limit=${limit}`, 'limit'] as const,
  ),
  ...['-1', '0.5', 'x', ''].map((offset) => [`offset=${offset}`, 'offset'] as const),
  ['limit=1&limit=2', 'limit'],
  ['page=1', 'page'],
  ['limit[]=1', 'limit[]'],
  ['%6C%69mit=0', 'limit'],
  ['constructor=1', 'constructor'],
  ['__proto__=1', '__proto__'],
  ['offset=%E0%A4%A', 'query'],
];
