/** The API reference as OpenAPI 3.1, from the routes themselves. */
import { z } from 'zod';
import { agentPermissions, rolesWith } from '../../domain/permissions.ts';
import type { Face } from '../http/face.ts';
import type { Policy, Route } from '../http/route.ts';
import { type ComponentKind, headerComponents, reference } from './headers.ts';
import { JsonObject } from './json.ts';
import { operationId } from './operation-id.ts';
import { createResponses, type Responses } from './responses.ts';
import { createSchemas, type Schemas } from './schemas.ts';

export interface ApiInfo {
  readonly title: string;
  /** Of the API, not of the program. */
  readonly version: string;
  readonly description: string;
  readonly license: { readonly name: string; readonly identifier: string };
}

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: ApiInfo;
  readonly servers: readonly { readonly url: string; readonly description: string }[];
  readonly tags: readonly JsonObject[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>;
  readonly components: Readonly<
    Record<ComponentKind | 'schemas' | 'securitySchemes', Readonly<Record<string, JsonObject>>>
  >;
}

/** @throws when two operations have one name, or two schemas one id */
export function openApiDocument(faces: readonly Face[], info: ApiInfo): OpenApiDocument {
  const schemas = createSchemas();
  const responses = createResponses(schemas);
  const paths: Record<string, Record<string, JsonObject>> = {};
  const ids = new Set<string>();
  const tags = new Map<string, JsonObject>();
  for (const face of faces)
    for (const route of face.routes) {
      const path = (face.prefix + route.path).replaceAll(/:(\w+)/g, '{$1}');
      const id = operationId(route, face.operationPrefix ?? '');
      if (ids.has(id)) throw new Error(`two operations are called ${id}: give ${path} an operationId`);
      ids.add(id);
      if (route.tag !== null) tags.set(route.tag, { name: route.tag, description: face.tags[route.tag] });
      const described = operation(face, route, { schemas, responses });
      (paths[path] ??= {})[route.method.toLowerCase()] = { operationId: id, ...described };
    }
  return {
    openapi: '3.1.0',
    info,
    servers: [{ url: '/', description: 'Where this document was read' }],
    tags: [...tags.values()],
    paths,
    components: {
      schemas: schemas.components,
      responses: responses.components,
      headers: headerComponents,
      parameters: parameterComponents,
      securitySchemes,
    },
  };
}

const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The token of a session: of `POST /api/v1/authentication/login`',
  },
  apiKey: {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'For programs: of `POST /api/v1/api-keys`, with no more permissions than it was given',
  },
};

const parameterComponents = {
  'Idempotency-Key': {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'A repetition with the same key has one effect and one answer, for 24 hours',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[!-~]+$' },
    example: '6f1c2a8e-nightly-build-17',
  },
  'If-Match': {
    name: 'If-Match',
    in: 'header',
    description:
      'Only if it is still as it was in the answer with this `ETag`; otherwise nothing is done, and 412 is answered. Several after commas; `*`: if it is there at all. Weak tags never match',
    schema: { type: 'string', minLength: 1 },
    example: '"12.1Wr7T0kLqJ0Yw2m3n4o5pA"',
  },
  'If-None-Match': {
    name: 'If-None-Match',
    in: 'header',
    description:
      'Of a read: the `ETag` of what the caller has already (several after commas), answered by 304 while that is what is here. Of a change: `*`, only if it is not there yet',
    schema: { type: 'string', minLength: 1 },
    example: '"12.1Wr7T0kLqJ0Yw2m3n4o5pA"',
  },
  'X-Correlation-Id': {
    name: 'X-Correlation-Id',
    in: 'header',
    description: 'Connects the request with what it causes, in answers, events and logs',
    schema: { type: 'string', maxLength: 128 },
    example: 'trace-xyz789',
  },
  'X-Position': {
    name: 'X-Position',
    in: 'header',
    description: 'As a write answered it: waits until the answer shows that write, for 2 seconds at most',
    schema: { type: 'string', maxLength: 129 },
    example: '0b8e6c1a:42',
  },
} as const;

function operation(
  face: Face,
  route: Route,
  { schemas, responses }: { readonly schemas: Schemas; readonly responses: Responses },
): JsonObject {
  const { policy, method, summary, idempotent, hasBody, etag, conditional } = route;
  const isClosed = policy !== 'public';
  const isComparing = method === 'GET' && etag !== null;
  const named: readonly (readonly [keyof typeof parameterComponents, boolean])[] = [
    ['X-Correlation-Id', true],
    ['X-Position', method === 'GET' && isClosed],
    ['Idempotency-Key', idempotent],
    ['If-Match', isComparing || conditional !== null],
    ['If-None-Match', isComparing || conditional === 'change or create'],
  ];
  return {
    summary,
    ...(route.tag === null ? {} : { tags: [route.tag] }),
    ...accessTo(policy),
    parameters: [
      ...parametersOf(route.params, 'path', schemas),
      ...parametersOf(route.query, 'query', schemas),
      ...named.flatMap(([name, takes]) => (takes ? [reference('parameters', name)] : [])),
    ],
    ...(hasBody ? { requestBody: bodyOf(route.body, schemas) } : {}),
    responses: responses.of(face, route),
  };
}

/** How to prove who asks, which permission it takes, and which roles may have it. */
function accessTo(policy: Policy): JsonObject {
  if (policy === 'public') return { security: [] };
  const { permission } = policy;
  const isOfAgents = agentPermissions.some((one) => one === permission);
  return {
    // A session has no environment, so it can never be an agent's.
    security: isOfAgents ? [{ apiKey: [] }] : [{ bearer: [] }, { apiKey: [] }],
    'x-permission': permission,
    'x-roles': rolesWith(permission),
  };
}

function bodyOf(body: z.ZodType, schemas: Schemas): JsonObject {
  return {
    required: !body.safeParse(undefined).success,
    content: schemas.content(body, 'input'),
  };
}

function parametersOf(schema: z.ZodType, place: 'path' | 'query', schemas: Schemas): readonly JsonObject[] {
  const { properties, required } = Members.parse(schemas.describe(schema, 'input'));
  return Object.entries(properties).map(([name, { description, ...property }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: property,
  }));
}

const Members = z.object({
  properties: z.record(z.string(), JsonObject).default({}),
  required: z.array(z.string()).default([]),
});
