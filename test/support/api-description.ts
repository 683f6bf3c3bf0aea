/** Holds every answer of a running server to the server's own OpenAPI document: status, body, headers; nothing may be left untold. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'chai';
import { z } from 'zod';
import type { Call, Check, Reply } from './http.ts';

const json = 'application/json';

const Definition = z.record(z.string(), z.unknown());
type JsonObject = Readonly<z.infer<typeof Definition>>;
const Content = z.record(z.string(), z.object({ schema: Definition.optional() }));
const Header = z.object({ required: z.boolean().default(false), schema: Definition });
const Reference = z.object({ $ref: z.string() });
const Response = z.object({
  headers: z.record(z.string(), z.union([Reference, Header])).default({}),
  content: Content.default({}),
});
type Response = z.infer<typeof Response>;
const Operation = z.object({
  parameters: z.array(z.union([Reference, z.object({ name: z.string(), in: z.string() })])),
  requestBody: z.object({ content: Content }).optional(),
  responses: z.record(z.string(), z.union([Reference, Response])),
});
type Operation = z.infer<typeof Operation>;
const Document = z.object({
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({
    schemas: Definition,
    responses: z.record(z.string(), Response),
    headers: z.record(z.string(), Header),
  }),
});

/** Of HTTP, of browsers' safety and of other origins: said once in the documentation, not with every answer. */
const ofEveryAnswer =
  /^(date|connection|keep-alive|content-type|content-length|transfer-encoding|vary|cache-control|content-security-policy|x-content-type-options|x-frame-options|referrer-policy|cross-origin-resource-policy|access-control-[a-z-]+)$/;

/** One of each text: the tests of a file start many servers. */
const known = new Map<string, Check>();

/** @param text of the document, as the server answers it */
export function describedBy(text: string): Check {
  const check = known.get(text) ?? createCheck(text);
  known.set(text, check);
  return check;
}

function createCheck(text: string): Check {
  const document = Document.parse(JSON.parse(text));
  const { paths, components } = document;
  const validator = createValidator(components.schemas);
  const templates = Object.keys(paths).map((template) => ({
    template,
    // A static segment comes before a parameter in the same place, as the routes themselves are ordered.
    rank: template.replaceAll(/\{\w+\}/g, '~'),
    pattern: new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}/?$`),
  }));
  templates.sort((one, other) => (one.rank < other.rank ? -1 : 1));
  const refusals = Object.values(components.responses).map(({ content }) => content[json]?.schema);

  return (method, target, call, reply) => {
    const [path = '', query = ''] = target.split('?');
    const told = `${method} ${target} answered ${reply.status} ${JSON.stringify(reply.body).slice(0, 2_000)}`;
    const template = templates.find(({ pattern }) => pattern.test(path))?.template;
    const methods = template === undefined ? null : (paths[template] ?? {});
    const operation = methods?.[(method === 'HEAD' ? 'get' : method).toLowerCase()];
    if (!operation) checkUnrouted(method, methods && Object.keys(methods), reply, told);
    else {
      checkResponse(operation, method, reply, told);
      if (reply.status < 300) checkRequest(operation, query, call, told);
    }
  };

  function checkUnrouted(method: string, known: readonly string[] | null, reply: Reply, told: string): void {
    const allowed = reply.headers.get('allow')?.toLowerCase().split(', ');
    if (known && [204, 405].includes(reply.status)) expect(allowed, told).to.include.members([...known]);
    if (method === 'OPTIONS' && reply.status === 204) return;
    expect(reply.status, `${told}, which is not described`).to.be.at.least(400);
    if (method === 'HEAD') return;
    const isDescribed = refusals.some((schema) => validator(schema)(reply.body));
    expect(isDescribed, `${told}, which is no described refusal`).to.equal(true);
  }

  function checkResponse(operation: Operation, method: string, reply: Reply, told: string): void {
    const { status, headers, body } = reply;
    const described = operation.responses[status];
    if (!described) expect.fail(`${told}, a status that is not described`);
    const response = '$ref' in described ? found(components.responses, described.$ref) : described;
    checkHeaders(response.headers, headers, told);
    const [type] = headers.get('content-type')?.split(';') ?? [null];
    const types = Object.keys(response.content);
    if (types.length === 0)
      expect([type, body], `${told}, but no body is described`).to.deep.equal([null, null]);
    else {
      expect(type, told).to.be.oneOf(types);
      if (method === 'HEAD') expect(body, told).to.equal(null);
      else if (type === json) hold(validator(response.content[json]?.schema), body, told);
    }
  }

  function checkHeaders(described: Response['headers'], sent: Headers, told: string): void {
    const names = new Set(Object.keys(described).map((name) => name.toLowerCase()));
    const untold = [...sent.keys()].filter((name) => !names.has(name) && !ofEveryAnswer.test(name));
    expect(untold, `${told} with headers that are not described`).to.deep.equal([]);
    for (const [name, header] of Object.entries(described)) {
      const { required, schema } = '$ref' in header ? found(components.headers, header.$ref) : header;
      const value = sent.get(name);
      if (value === null) expect(required, `${told} without ${name}`).to.equal(false);
      else {
        const isNumber = schema['type'] === 'integer' && /^\d+$/.test(value);
        hold(validator(schema), isNumber ? Number(value) : value, `${told} with ${name} ${value}`);
      }
    }
  }

  /** What was taken must be described too. */
  function checkRequest(
    { parameters, requestBody }: Operation,
    query: string,
    { body }: Call,
    told: string,
  ): void {
    const names = parameters.flatMap((one) => ('name' in one && one.in === 'query' ? [one.name] : []));
    for (const name of new URLSearchParams(query).keys())
      expect(name, `${told} to a parameter that is not described`).to.be.oneOf(names);
    const schema = requestBody?.content[json]?.schema;
    if (body !== undefined && schema)
      hold(validator(schema), JSON.parse(JSON.stringify(body)), `${told} to its body`);
  }
}

function hold(validate: ValidateFunction, value: unknown, told: string): void {
  if (validate(value)) return;
  const faults = validate.errors?.map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
  expect.fail(`${told}, which is not as described: ${faults?.join('; ')}`);
}

/** Compiles a schema of the document when it is first needed. */
export function createValidator(
  components: JsonObject,
): (schema: JsonObject | undefined) => ValidateFunction {
  const ajv = new Ajv2020({ allErrors: true, strictTypes: false, strictRequired: false });
  addFormats.default(ajv);
  const compiled = new Map<JsonObject, ValidateFunction>();
  return (schema) => {
    if (!schema) throw new Error('a body is described without a schema');
    const validate =
      compiled.get(schema) ?? ajv.compile(Definition.parse(closed({ ...schema, $defs: components })));
    compiled.set(schema, validate);
    return validate;
  };
}

/** The document is open for members that later versions add; this version must not answer any that it does not name. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => closed(one));
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.entries(value).map(([key, one]): readonly [string, unknown] => {
    if (key === '$ref') return [key, String(one).replace('#/components/schemas/', '#/$defs/')];
    return [key, key === 'examples' ? one : closed(one)];
  });
  const isOpen = 'properties' in value && !('additionalProperties' in value);
  return { ...Object.fromEntries(copy), ...(isOpen ? { additionalProperties: false } : {}) };
}

function found<T>(components: Readonly<Record<string, T>>, $ref: string): T {
  const component = components[$ref.slice($ref.lastIndexOf('/') + 1)];
  if (component === undefined) throw new Error(`${$ref} is missing`);
  return component;
}
