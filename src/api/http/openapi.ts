/** The API reference as OpenAPI 3.1, from the routes themselves. */
import { z } from 'zod';
import type { Face } from './face.ts';
import { route } from './route.ts';
import type { Route } from './route.ts';

export interface ApiInfo {
  readonly title: string;
  /** Of the API, not of the program. */
  readonly version: string;
  readonly description: string;
}

interface Schema {
  readonly [key: string]: unknown;
}

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: ApiInfo;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Schema>>>>;
  readonly components: {
    /** Schemas that have an id: `.meta({ id: 'Plugin' })`. */
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly securitySchemes: Readonly<Record<string, Schema>>;
  };
}

/** Two different schemas must not have the same `.meta({ id })`. */
export function openApiDocument(faces: readonly Face[], info: ApiInfo): OpenApiDocument {
  const schemas: Record<string, Schema> = {};
  const paths: Record<string, Record<string, Schema>> = {};
  for (const face of faces) {
    for (const described of face.routes) {
      const path = (face.prefix + described.path).replaceAll(/:(\w+)/g, '{$1}');
      (paths[path] ??= {})[described.method.toLowerCase()] = operation(face, described, schemas);
    }
  }
  return {
    openapi: '3.1.0',
    info,
    paths,
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
    },
  };
}

function operation(face: Face, described: Route, schemas: Record<string, Schema>): Schema {
  const { policy, summary, tag, idempotent, hasBody } = described;
  const parameters = [
    ...parametersOf(described.params, 'path', schemas),
    ...parametersOf(described.query, 'query', schemas),
    ...(idempotent ? [idempotencyKey] : []),
  ];
  return {
    summary,
    ...(tag === null ? {} : { tags: [tag] }),
    security: policy === 'public' ? [] : [{ bearer: [] }, { apiKey: [] }],
    ...(policy === 'public' ? {} : { 'x-permission': policy.permission }),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(hasBody ? { requestBody: bodyOf(described.body, schemas) } : {}),
    responses: responsesOf(face, described, schemas),
  };
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'A repetition with the same key has one effect and one answer, for 24 hours',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

function bodyOf(body: z.ZodType, schemas: Record<string, Schema>): Schema {
  return {
    required: !body.safeParse(undefined).success,
    content: { 'application/json': { schema: schemaOf(body, 'input', schemas) } },
  };
}

function responsesOf(face: Face, described: Route, schemas: Record<string, Schema>): Schema {
  const responses: Record<string, Schema> = {};
  for (const [status, schema] of Object.entries(described.responses)) {
    responses[status] = schema
      ? { description: described.summary, ...json(schemaOf(schema, 'output', schemas)) }
      : { description: described.summary };
  }
  responses['default'] = {
    description: 'It was refused, or it failed; the code says why',
    ...json(schemaOf(face.errorBody, 'output', schemas)),
  };
  return responses;
}

function json(schema: Schema): Schema {
  return { content: { 'application/json': { schema } } };
}

function parametersOf(
  schema: z.ZodType,
  place: 'path' | 'query',
  schemas: Record<string, Schema>,
): readonly Schema[] {
  const { properties, required } = Members.parse(schemaOf(schema, 'input', schemas));
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }));
}

const Members = z.object({
  properties: z.record(z.string(), z.unknown()).default({}),
  required: z.array(z.string()).default([]),
});
const Definitions = z.record(z.string(), z.record(z.string(), z.unknown())).default({});

/** @param schemas gets what has an id; the schema returned refers to it there */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Record<string, Schema>): Schema {
  const { $schema, $defs, ...own } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    reused: 'inline',
  });
  for (const [id, definition] of Object.entries(Definitions.parse($defs))) {
    schemas[id] = referringToComponents(definition);
  }
  const { id } = schema.meta() ?? {};
  if (id === undefined) return referringToComponents(own);
  schemas[id] = referringToComponents(own);
  return { $ref: `#/components/schemas/${id}` };
}

function referringToComponents(schema: Schema): Schema {
  const text = JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/');
  return Definition.parse(JSON.parse(text));
}
const Definition = z.record(z.string(), z.unknown());

/** Answers the document, made once. @param faces all that it describes */
export function openApiFace(faces: readonly [Face, ...Face[]], info: ApiInfo): Face {
  const document = openApiDocument(faces, info);
  return {
    name: 'openapi',
    prefix: '',
    errors: faces[0].errors,
    errorBody: faces[0].errorBody,
    limits: faces[0].limits,
    routes: [
      route({
        method: 'GET',
        path: '/api/openapi.json',
        summary: 'This document',
        policy: 'public',
        responses: { 200: Definition },
        handler: async () => ({ status: 200, body: document }),
      }),
    ],
  };
}
