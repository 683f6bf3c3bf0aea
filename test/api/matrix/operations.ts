/** The operations of a server, as its own OpenAPI document lists them. */
import { z } from 'zod';

export interface Operation {
  readonly method: string;
  /** `/api/v1/plugins/{pluginId}` */
  readonly path: string;
  /** `GET /api/v1/plugins/{pluginId}` */
  readonly name: string;
  /** Null: everybody may call it. */
  readonly permission: string | null;
  /** Whose sessions may call it, when it is closed. */
  readonly roles: readonly string[];
  readonly takesBody: boolean;
  /** That of the document; null where it takes none. */
  readonly body: object | null;
  readonly query: readonly {
    readonly name: string;
    readonly required: boolean;
    readonly example: string | null;
  }[];
  /** Of requests, by their names in the document: `If-Match`. */
  readonly headers: readonly string[];
  readonly responses: Readonly<Record<string, unknown>>;
}

const Parameter = z.object({
  name: z.string(),
  in: z.string(),
  required: z.boolean().default(false),
  schema: z.object({ examples: z.array(z.union([z.string(), z.number(), z.boolean()])).default([]) }),
});
const Body = z.object({ content: z.record(z.string(), z.object({ example: z.looseObject({}).optional() })) });
const Described = z.object({
  security: z.array(z.record(z.string(), z.unknown())),
  'x-permission': z.string().nullable().default(null),
  'x-roles': z.array(z.string()).default([]),
  parameters: z.array(z.union([Parameter, z.object({ $ref: z.string() })])),
  requestBody: Body.optional(),
  responses: z.record(z.string(), z.unknown()),
});
const Paths = z.object({ paths: z.record(z.string(), z.record(z.string(), Described)) });

/** @param document as `/api/openapi.json` answers it */
export function operationsOf(document: unknown): readonly Operation[] {
  return Object.entries(Paths.parse(document).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([lowerCase, described]) => {
      const method = lowerCase.toUpperCase();
      const { security, requestBody, parameters, responses, 'x-permission': permission } = described;
      if (security.length > 0 !== (permission !== null)) throw new Error(`${method} ${path} is half open`);
      return {
        ...{ method, path, permission, responses },
        ...{ name: `${method} ${path}`, takesBody: requestBody !== undefined },
        roles: security.some((way) => 'bearer' in way) ? described['x-roles'] : [],
        body: requestBody?.content['application/json']?.example ?? null,
        headers: parameters.flatMap((one) => ('in' in one ? [] : [one.$ref.replace(/^.*\//, '')])),
        query: parameters.flatMap((one) => {
          if (!('in' in one) || one.in !== 'query') return [];
          const [example] = one.schema.examples;
          return [
            {
              name: one.name,
              required: one.required,
              example: example === undefined ? null : String(example),
            },
          ];
        }),
      };
    }),
  );
}
