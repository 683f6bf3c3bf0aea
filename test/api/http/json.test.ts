import { expect } from 'chai';
import fc from 'fast-check';
import { NotJson, parseJson } from '../../../src/api/http/json.ts';
import { Problem } from '../../../src/api/http/problem.ts';
import { parseQuery } from '../../../src/api/http/query.ts';

/** Undefined when it was refused; anything but a refusal is a defect. */
function refusedOr<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof NotJson) return undefined;
    if (error instanceof Problem && error.kind === 'Invalid') return undefined;
    throw error;
  }
}

describe('parsing JSON strictly', () => {
  it('takes every harmless value as JSON.parse does', () => {
    const value = fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' }).filter((json) => {
      const text = JSON.stringify(json);
      return !text.includes('"__proto__":') && !/\d(e\+|\d{15})/.test(text);
    });
    fc.assert(
      fc.property(value, fc.nat(4), (json, indent) => {
        const text = JSON.stringify(json, null, indent);
        expect(parseJson(Buffer.from(text))).to.deep.equal(JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });

  it('refuses every object that names a member twice', () => {
    const member = fc.tuple(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      fc.property(fc.array(member, { minLength: 1, maxLength: 5 }), fc.nat(), (members, pick) => {
        const twice = [...members, members[pick % members.length]!];
        const text = twice.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join();
        expect(() => parseJson(Buffer.from(`[{${text}}]`))).to.throw(NotJson);
      }),
      { numRuns: 500 },
    );
  });

  it('says what is wrong with anything else, and never fails', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"',
      '\\',
      '"a"',
      '1',
      '-',
      'e9',
      'null',
      '\\u12',
      '\u0000',
    );
    const texts = fc.array(token, { maxLength: 30 }).map((tokens) => Buffer.from(tokens.join('')));
    const bytes = fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(fc.oneof(texts, bytes), (input) => {
        const parsed = refusedOr(() => ({ value: parseJson(input) }));
        if (parsed) expect(parsed.value).to.deep.equal(JSON.parse(input.toString()));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('parsing a query string strictly', () => {
  it('reads what URLSearchParams writes', () => {
    const parameters = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(parameters, (written) => {
        const read = parseQuery(`/path?${new URLSearchParams(written).toString()}`);
        expect(Object.entries(read)).to.deep.equal(Object.entries(written));
      }),
    );
  });

  it('never fails', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('%', '&', '=', '+', 'a', '2', 'f', '?', '[', ']') }),
        (text) => {
          refusedOr(() => parseQuery(`/path?${text}`));
        },
      ),
    );
  });
});
