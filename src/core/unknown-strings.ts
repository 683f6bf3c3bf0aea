/**
 * What Ajv has to be told of strings that nobody knows yet: one that holds `${secret:name}` satisfies every keyword that judges a
 * string by its content (decisions 26). Below `not`, and where `oneOf` counts its matches, that would mean to be refused: there the
 * question is turned round, and such a string satisfies none of them. So nothing is refused for what a secret might be.
 */
import { _, Name, type AnySchema, type CodeKeywordDefinition, type MacroKeywordDefinition } from 'ajv';
import type { Ajv2020 } from 'ajv/dist/2020.js';
import { canonical } from '../domain/plugin-data.ts';
import { holdsReference } from '../domain/secret-reference.ts';

type Test = (text: string) => boolean;
type Keywords = Pick<Ajv2020, 'getKeyword' | 'removeKeyword' | 'addKeyword' | 'formats' | 'addFormat'>;

export interface UnknownStrings {
  /** The test, with an answer for strings that are not known. */
  forgiving(test: Test): Test;
  /** Replaces the keywords and formats that look at strings, before anything is compiled. */
  install(ajv: Keywords): void;
}

export function unknownStrings(): UnknownStrings {
  /** Whether an unknown string satisfies what is asked at the moment. */
  let satisfied = true;
  const turn = (): void => void (satisfied = !satisfied);
  const forgiving: UnknownStrings['forgiving'] = (test) => (text) =>
    holdsReference(text) ? satisfied : test(text);

  /** @param test of a keyword's value; what it answers is asked about values */
  function replace(
    ajv: Keywords,
    keyword: string,
    test: (schema: unknown) => (value: unknown) => boolean,
  ): void {
    const standard = ajv.getKeyword(keyword);
    if (typeof standard !== 'object') throw new Error(`Ajv does not know ${keyword}`);
    const { type, schemaType, error } = standard;
    ajv.removeKeyword(keyword);
    ajv.addKeyword({ keyword, type, schemaType, errors: false, compile: test, ...(error && { error }) });
  }

  const isUnknown = (value: unknown): boolean => typeof value === 'string' && holdsReference(value);

  const not: CodeKeywordDefinition = {
    keyword: 'not',
    schemaType: ['object', 'boolean'],
    trackErrors: true,
    error: { message: 'must NOT be valid' },
    code: (cxt) => {
      const { gen } = cxt;
      const valid = gen.name('valid');
      const call = gen.scopeValue('func', { ref: turn });
      gen.code(_`${call}()`);
      cxt.subschema({ keyword: 'not', compositeRule: true, createErrors: false, allErrors: false }, valid);
      gen.code(_`${call}()`);
      cxt.failResult(
        valid,
        () => cxt.reset(),
        () => cxt.error(),
      );
    },
  };

  /** One matches, perhaps, and no two match for certain: asked once as things are and once turned round. */
  const oneOf: CodeKeywordDefinition = {
    keyword: 'oneOf',
    schemaType: 'array',
    trackErrors: true,
    error: { message: 'must match exactly one schema in oneOf' },
    code: (cxt) => {
      const { gen } = cxt;
      const alternatives: readonly unknown[] = Array.isArray(cxt.schema) ? cxt.schema : [];
      const valid = gen.name('valid');
      const matches = [gen.let('matches', 0), gen.let('matches', 0)] as const;
      gen.forRange('round', 0, 2, (round) => {
        for (const schemaProp of alternatives.keys()) {
          const alternative = cxt.subschema({ keyword: 'oneOf', schemaProp, compositeRule: true }, valid);
          gen.if(valid, () => {
            gen.code(_`${round} === 0 ? ${matches[0]}++ : ${matches[1]}++`);
            cxt.mergeEvaluated(alternative, Name);
          });
        }
        gen.code(_`${gen.scopeValue('func', { ref: turn })}()`);
      });
      cxt.result(
        _`${matches[0]} > 0 && ${matches[1]} < 2`,
        () => cxt.reset(),
        () => cxt.error(true),
      );
    },
  };

  /** Not even which branch it takes is known: none of them counts then. */
  const conditional: MacroKeywordDefinition = {
    keyword: 'if',
    schemaType: ['object', 'boolean'],
    error: { message: 'must match the branch that "if" leads to' },
    macro: (condition: AnySchema, { then: consequence = true, else: alternative = true }) => ({
      allOf: [{ anyOf: [{ not: condition }, consequence] }, { anyOf: [condition, alternative] }],
    }),
  };

  return {
    forgiving,
    install(ajv) {
      const judged = (text: unknown, bound: unknown, within: (length: number, bound: number) => boolean) =>
        isUnknown(text) ? satisfied : within(Array.from(String(text)).length, Number(bound));
      replace(ajv, 'minLength', (least) => (text) => judged(text, least, (length, bound) => length >= bound));
      replace(ajv, 'maxLength', (most) => (text) => judged(text, most, (length, bound) => length <= bound));
      replace(ajv, 'const', (wanted) => amongst([wanted]));
      replace(ajv, 'enum', (allowed) => amongst(Array.isArray(allowed) ? allowed : []));
      for (const keyword of [not, oneOf]) {
        ajv.removeKeyword(String(keyword.keyword));
        ajv.addKeyword(keyword);
      }
      ajv.removeKeyword('if');
      ajv.addKeyword(conditional);
      for (const [name, format] of Object.entries(ajv.formats)) {
        const test = stringTest(format);
        if (test) ajv.addFormat(name, { type: 'string', validate: forgiving(test) });
      }
    },
  };

  /** An unknown string may be any string that is allowed, but never a number. */
  function amongst(allowed: readonly unknown[]): (value: unknown) => boolean {
    const known = new Set(allowed.map(canonical));
    const hasText = allowed.some((value) => typeof value === 'string');
    return (value) => (isUnknown(value) ? hasText && satisfied : known.has(canonical(value)));
  }
}

/** Null for formats of numbers, and those that let everything through. */
function stringTest(format: Keywords['formats'][string]): Test | null {
  if (format instanceof RegExp) return (text) => format.test(text);
  if (typeof format === 'function') return format;
  if (typeof format !== 'object' || format.type === 'number' || format.async === true) return null;
  const { validate } = format;
  if (validate instanceof RegExp) return (text) => validate.test(text);
  return typeof validate === 'function' ? (text) => Reflect.apply(validate, null, [text]) === true : null;
}
