/**
 * JSON Schemas of strangers compiled by Ajv: draft-07 and 2020-12, nothing loaded from anywhere, patterns in linear time. How long
 * compiling and validating take, nothing here bounds: it runs in configuration-checks-thread.ts, which may be ended.
 */
import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { LRUCache } from 'lru-cache';
import { secretReferences, type ConfigurationValue } from '../domain/secret-reference.ts';
import { linearPattern, PatternRefused } from './linear-patterns.ts';
import { unknownStrings } from './unknown-strings.ts';

export interface SchemaProblem {
  /** Where in what was checked: member names and indexes. */
  readonly path: readonly (string | number)[];
  /** What is wrong there, as the rest of a sentence; never the value itself. */
  readonly message: string;
}

export type Verdict =
  | { readonly kind: 'holds' }
  | { readonly kind: 'broken'; readonly problems: readonly SchemaProblem[] }
  /** The schema itself cannot be used. */
  | { readonly kind: 'unusable'; readonly problems: readonly SchemaProblem[] };

export interface Validators {
  /** Whether a schema can be used. @param schema as JSON */
  inspect(schema: string): Verdict;
  validate(schema: string, configuration: ConfigurationValue): Verdict;
}

/** `$schema`, without a `#` at its end. Without one it is the newest: what that does not know any more, its meta-schema mostly refuses. */
const dialects: Readonly<Record<string, '2020-12' | 'draft-07'>> = {
  'https://json-schema.org/draft/2020-12/schema': '2020-12',
  'http://json-schema.org/draft-07/schema': 'draft-07',
  'https://json-schema.org/draft-07/schema': 'draft-07',
};
const byDefault = '2020-12';
type Dialect = '2020-12' | 'draft-07';

/** More tell nobody more. */
const mostProblems = 20;
const longestMessage = 300;
/** Of compiled schemas, in characters of JSON. */
const remembered = { maxSize: 2_000_000, max: 500 };

interface Compiled {
  /** For configurations that are known in full. */
  readonly known: ValidateFunction;
  /** For those that hold references; compiled when first needed. */
  readonly unknown: () => ValidateFunction;
}

export function createValidators(): Validators {
  const metaSchemas = { '2020-12': new Ajv2020({ logger: false }), 'draft-07': new Ajv({ logger: false }) };
  const compiled = new LRUCache<string, Compiled | { readonly unusable: readonly SchemaProblem[] }>({
    ...remembered,
    sizeCalculation: (_value, text) => text.length + 1,
  });

  function prepare(text: string): Compiled {
    const schema: unknown = JSON.parse(text);
    if (typeof schema !== 'boolean' && !isObject(schema))
      throw unusable([], 'must be an object, true or false');
    const dialect = dialectOf(schema);
    const meta = metaSchemas[dialect];
    if (isObject(schema) && meta.validateSchema(inDialect(schema, dialect)) !== true)
      throw new Unusable(problemsOf(meta.errors ?? [], schema));
    if (isObject(schema) && '$async' in schema) throw unusable(['$async'], 'is no keyword of JSON Schema');
    refuseInherited(schema);
    const known = compileOne(dialect, schema, false);
    // One that calls itself for ever mostly does so for any value.
    known({});
    let unknown: ValidateFunction | null = null;
    return { known, unknown: () => (unknown ??= compileOne(dialect, schema, true)) };
  }

  function remember(text: string): Compiled | { readonly unusable: readonly SchemaProblem[] } {
    const before = compiled.get(text);
    if (before) return before;
    const found = attempt(() => prepare(text));
    compiled.set(text, found);
    return found;
  }

  return {
    inspect(text) {
      const found = remember(text);
      return 'unusable' in found ? { kind: 'unusable', problems: found.unusable } : { kind: 'holds' };
    },
    validate(text, configuration) {
      const found = remember(text);
      if ('unusable' in found) return { kind: 'unusable', problems: found.unusable };
      try {
        const hasReferences = secretReferences(configuration).length > 0;
        const validate = hasReferences ? found.unknown() : found.known;
        if (validate(configuration)) return { kind: 'holds' };
        return { kind: 'broken', problems: problemsOf(validate.errors ?? [], configuration) };
      } catch (error) {
        return { kind: 'unusable', problems: [{ path: [], message: reasonOf(error) }] };
      }
    },
  };
}

class Unusable extends Error {
  readonly problems: readonly SchemaProblem[];
  constructor(problems: readonly SchemaProblem[]) {
    super('the schema cannot be used');
    this.problems = problems;
  }
}

function unusable(path: SchemaProblem['path'], message: string): Unusable {
  return new Unusable([{ path, message }]);
}

/** Whatever goes wrong while a stranger's schema is compiled is the schema's fault. */
function attempt(prepare: () => Compiled): Compiled | { readonly unusable: readonly SchemaProblem[] } {
  try {
    return prepare();
  } catch (error) {
    return {
      unusable: error instanceof Unusable ? error.problems : [{ path: [], message: reasonOf(error) }],
    };
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof PatternRefused) return `holds a pattern that cannot be used: ${error.message}`;
  if (error instanceof Ajv.MissingRefError)
    return shortened(`refers to ${error.missingRef}, which is not in it: nothing is loaded from elsewhere`);
  if (error instanceof RangeError) return 'refers to itself without end';
  // Ajv's own sentences are plain errors; a TypeError is what it stumbled over.
  if (error instanceof Error && error.constructor === Error)
    return shortened(`cannot be used: ${error.message}`);
  return 'cannot be used';
}

/** Ajv finds what is referred to in plain objects, which have members that nobody put there. */
function refuseInherited(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [keyword, value] of Object.entries(schema)) {
    refuseInherited(value);
    if (!keyword.startsWith('$') || typeof value !== 'string') continue;
    const name = decoded(value).replace(/^#|#\/?$/g, '');
    if (name in Object.prototype) throw unusable([], `names ${name}, which is no name for a schema`);
  }
}

function decoded(reference: string): string {
  try {
    return decodeURIComponent(reference);
  } catch {
    return reference;
  }
}

function dialectOf(schema: unknown): Dialect {
  const named = isObject(schema) ? schema['$schema'] : undefined;
  if (named === undefined) return byDefault;
  const known = typeof named === 'string' ? named.replace(/#$/, '') : '';
  const dialect = Object.hasOwn(dialects, known) ? dialects[known] : undefined;
  if (dialect) return dialect;
  throw unusable(
    ['$schema'],
    'must be https://json-schema.org/draft/2020-12/schema (the default) or http://json-schema.org/draft-07/schema#',
  );
}

/** Ajv finds the meta-schema by this member, which may be spelled in more ways than it knows. */
function inDialect(schema: object, dialect: Dialect): object {
  const $schema =
    dialect === '2020-12'
      ? 'https://json-schema.org/draft/2020-12/schema'
      : 'http://json-schema.org/draft-07/schema';
  return { ...schema, $schema };
}

/** An instance of Ajv for each schema: their `$id`s must not meet. */
function compileOne(dialect: Dialect, schema: object | boolean, forgiving: boolean): ValidateFunction {
  const unknown = forgiving ? unknownStrings() : null;
  const regExp = Object.assign(
    (source: string) => {
      const pattern = linearPattern(source);
      // Ajv tells patterns apart by their text.
      return { test: unknown?.forgiving(pattern.test) ?? pattern.test, toString: () => `/${source}/u` };
    },
    { code: 'linearPattern' },
  );
  const options: Options = {
    // Unknown keywords and formats are ignored, as the specification wants it.
    strict: false,
    logger: false,
    allErrors: true,
    // `toString` is not there unless the configuration says so.
    ownProperties: true,
    // The meta-schema has been asked, and is nothing to refer to.
    meta: false,
    validateSchema: false,
    // Copies of what is referred to would grow without bound.
    inlineRefs: false,
    code: { regExp },
  };
  const ajv = dialect === '2020-12' ? new Ajv2020(options) : new Ajv(options);
  ajvFormats.default(ajv, { mode: 'full', keywords: false });
  unknown?.install(ajv);
  // Ajv looks for the meta-schema, which is not there.
  return ajv.compile(isObject(schema) ? withoutDialect(schema) : schema);
}

function withoutDialect(schema: object): object {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => keyword !== '$schema'));
}

/** Errors that only say that another keyword's branch has failed. */
const echoes: ReadonlySet<string> = new Set(['if']);

function problemsOf(errors: readonly ErrorObject[], value: unknown): readonly SchemaProblem[] {
  const problems = new Map<string, SchemaProblem>();
  for (const error of errors) {
    if (echoes.has(error.keyword)) continue;
    const problem = problemOf(error, value);
    problems.set(JSON.stringify(problem), problem);
    if (problems.size === mostProblems) break;
  }
  return problems.size > 0 ? [...problems.values()] : [{ path: [], message: 'does not match its schema' }];
}

function problemOf({ instancePath, keyword, params, message }: ErrorObject, value: unknown): SchemaProblem {
  const path = pathOf(instancePath, value);
  const member = (name: unknown) => [...path, String(name)];
  const given: Readonly<Record<string, unknown>> = params;
  switch (keyword) {
    case 'required':
      return { path: member(given['missingProperty']), message: 'is required' };
    case 'additionalProperties':
      return { path: member(given['additionalProperty']), message: 'is not allowed' };
    case 'unevaluatedProperties':
      return { path: member(given['unevaluatedProperty']), message: 'is not allowed' };
    case 'false schema':
      return { path, message: 'is not allowed' };
    case 'enum':
      return { path, message: shortened(`must be one of ${JSON.stringify(given['allowedValues'])}`) };
    case 'const':
      return { path, message: shortened(`must be ${JSON.stringify(given['allowedValue'])}`) };
    default:
      return { path, message: shortened(message ?? 'does not match its schema') };
  }
}

/** A JSON pointer as names and, where the value has lists, indexes. */
function pathOf(pointer: string, value: unknown): SchemaProblem['path'] {
  let at = value;
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      const step = Array.isArray(at) ? Number(name) : name;
      at = typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined;
      return step;
    });
}

function shortened(message: string): string {
  return message.length > longestMessage ? `${message.slice(0, longestMessage).toWellFormed()}…` : message;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
