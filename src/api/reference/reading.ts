/** The API description as the page reads it: references followed, nothing else changed. */
import { z } from 'zod';
import type { OpenApiDocument } from '../openapi/document.ts';
import { Schema } from './schema.ts';

const Example = z.object({ summary: z.string().default(''), value: z.unknown() });
const Content = z.object({
  schema: Schema,
  example: z.unknown().optional(),
  examples: z.record(z.string(), Example).default({}),
});
const Header = z.object({
  description: z.string().default(''),
  required: z.boolean().default(false),
  schema: Schema,
  example: z.unknown().optional(),
});
const Parameter = z.object({
  name: z.string(),
  in: z.string(),
  required: z.boolean().default(false),
  description: z.string().default(''),
  schema: Schema,
  example: z.unknown().optional(),
});
const Response = z.object({
  description: z.string(),
  headers: z.record(z.string(), z.unknown()).default({}),
  content: z.record(z.string(), Content).default({}),
});
const Operation = z.object({
  operationId: z.string(),
  summary: z.string(),
  tags: z.array(z.string()).default([]),
  security: z.array(z.record(z.string(), z.unknown())),
  'x-permission': z.string().nullable().default(null),
  'x-roles': z.array(z.string()).default([]),
  parameters: z.array(z.unknown()),
  requestBody: z
    .object({ required: z.boolean(), content: z.record(z.string(), Content) })
    .nullable()
    .default(null),
  responses: z.record(z.string(), z.unknown()),
});
const Tag = z.object({ name: z.string(), description: z.string().default('') });
const Reference = z.object({ $ref: z.string() });
const isReference = (value: unknown): boolean => Reference.safeParse(value).success;

/** For operations without a tag that the document knows. */
const other = 'Other';

export type ContentByType = Readonly<Record<string, z.output<typeof Content>>>;
export type ParameterView = Readonly<z.output<typeof Parameter>>;
export type HeaderView = Readonly<z.output<typeof Header>>;

export interface ResponseView {
  readonly description: string;
  readonly content: ContentByType;
  /** Headers that many answers share, by their names. */
  readonly shared: readonly string[];
  readonly own: readonly (readonly [name: string, header: HeaderView])[];
}

export interface OperationView {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  /** Null: everybody may call it. */
  readonly permission: string | null;
  readonly roles: readonly string[];
  /** Names of ways to prove who asks, any of which will do. */
  readonly security: readonly string[];
  readonly parameters: readonly ParameterView[];
  readonly body: { readonly required: boolean; readonly content: ContentByType } | null;
  readonly answers: readonly AnswerView[];
}

/** What a status means: here alone, or as in many operations, under a name. */
export interface AnswerView {
  readonly status: string;
  readonly response: ResponseView;
  readonly sharedAs: string | null;
}

export interface Reading {
  readonly info: OpenApiDocument['info'];
  readonly groups: readonly {
    readonly name: string;
    readonly description: string;
    readonly operations: readonly OperationView[];
  }[];
  readonly responses: readonly (readonly [name: string, response: ResponseView])[];
  readonly headers: readonly (readonly [name: string, header: HeaderView])[];
  readonly schemas: readonly (readonly [name: string, schema: Schema])[];
  readonly security: readonly (readonly [name: string, description: string])[];
}

/** @throws when the document refers to what it does not hold: a page with holes must not be served */
export function readDocument(document: OpenApiDocument): Reading {
  const { info, paths, components } = document;
  const tags = z.array(Tag).parse(document.tags);
  const known = new Set(tags.map(({ name }) => name));
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => {
      const operation = Operation.parse(described);
      const { operationId, 'x-permission': permission, 'x-roles': roles, requestBody } = operation;
      const view: OperationView = {
        ...{
          id: operationId,
          method: method.toUpperCase(),
          path,
          summary: operation.summary,
          permission,
          roles,
        },
        security: operation.security.flatMap((way) => Object.keys(way)),
        parameters: operation.parameters.map((one) => Parameter.parse(followed(one).value)),
        body: requestBody,
        answers: Object.entries(operation.responses).map(([status, response]) => {
          const { name, value } = followed(response);
          return { status, response: responseOf(value), sharedAs: name };
        }),
      };
      return { view, tag: operation.tags.find((tag) => known.has(tag)) ?? other };
    }),
  );

  function followed(value: unknown): { readonly name: string | null; readonly value: unknown } {
    const reference = Reference.safeParse(value);
    if (!reference.success) return { name: null, value };
    const { $ref } = reference.data;
    const [, , kind = '', name = ''] = $ref.split('/');
    const found = new Map(Object.entries(new Map(Object.entries(components)).get(kind) ?? {})).get(name);
    if (found === undefined) throw new Error(`the API description refers to ${$ref}, which it does not hold`);
    return { name, value: found };
  }

  function responseOf(value: unknown): ResponseView {
    const { description, content, headers } = Response.parse(value);
    const all = Object.entries(headers);
    return {
      ...{ description, content },
      shared: all.flatMap(([name, header]) => (isReference(header) ? [name] : [])),
      own: all.flatMap(([name, header]) =>
        isReference(header) ? [] : [[name, Header.parse(header)] as const],
      ),
    };
  }

  const groups = [...tags, { name: other, description: '' }].map((tag) => ({
    ...tag,
    operations: operations.flatMap((one) => (one.tag === tag.name ? [one.view] : [])),
  }));
  return {
    info,
    groups: groups.filter(({ operations }) => operations.length > 0),
    responses: Object.entries(components.responses).map(([name, response]) => [name, responseOf(response)]),
    headers: Object.entries(components.headers).map(([name, header]) => [name, Header.parse(header)]),
    schemas: Object.entries(components.schemas).map(([name, schema]) => [name, Schema.parse(schema)]),
    security: Object.entries(components.securitySchemes).map(([name, { description }]) => [
      name,
      typeof description === 'string' ? description : '',
    ]),
  };
}
