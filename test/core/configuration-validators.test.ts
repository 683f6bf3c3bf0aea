/** What schemas say of configurations, and of secrets that nobody knows yet (decisions 26). */
import { expect } from 'chai';
import fc from 'fast-check';
import { createValidators } from '../../src/core/configuration-validators.ts';
import type { ConfigurationValue } from '../../src/domain/secret-reference.ts';

const validators = createValidators();
const runs = process.env['SLIPWAY_LONG'] === '1' ? 5_000 : 150;
const draft07 = 'http://json-schema.org/draft-07/schema#';
const draft2020 = 'https://json-schema.org/draft/2020-12/schema';
const secret = '${secret:stripe-api-key}';

const check = (schema: object | boolean, configuration: ConfigurationValue) =>
  validators.validate(JSON.stringify(schema), configuration);
const holds = (schema: object | boolean, configuration: ConfigurationValue): boolean => {
  const { kind } = check(schema, configuration);
  if (kind === 'unusable') throw new Error(`unusable: ${JSON.stringify(schema)}`);
  return kind === 'holds';
};

function brokenAt(schema: object | boolean, configuration: ConfigurationValue): readonly string[] {
  const verdict = check(schema, configuration);
  if (verdict.kind !== 'broken') throw new Error(`${verdict.kind}: ${JSON.stringify(schema)}`);
  for (const { message } of verdict.problems) expect(message).not.to.equal('');
  return verdict.problems.map(({ path }) => path.join('/'));
}

function unusable(schema: object): string {
  const verdict = validators.inspect(JSON.stringify(schema));
  expect(verdict.kind, JSON.stringify(schema)).to.equal('unusable');
  return JSON.stringify(verdict);
}

describe('a configuration schema', () => {
  it('is draft-07 or 2020-12 by its $schema, and 2020-12 without one', () => {
    const array07 = { properties: { a: { items: [{ type: 'string' }], additionalItems: false } } };
    const array2020 = { properties: { a: { prefixItems: [{ type: 'string' }], items: false } } };
    expect(holds({ $schema: draft07, ...array07 }, { a: ['x', 'y'] })).to.be.false;
    expect(holds({ $schema: draft07.slice(0, -1), ...array07 }, { a: ['x'] })).to.be.true;
    for (const dialect of [{ $schema: draft2020 }, { $schema: `${draft2020}#` }, {}])
      expect(holds({ ...dialect, ...array2020 }, { a: ['x', 'y'] })).to.be.false;
    expect(unusable(array07)).to.include('items');
    for (const $schema of ['http://json-schema.org/draft-04/schema#', 'toString', '', 7])
      expect(unusable({ $schema })).to.include('$schema');
  });

  it('names every place that breaks it', () => {
    const schema = {
      type: 'object',
      required: ['apiKey', 'region'],
      additionalProperties: false,
      properties: {
        apiKey: { type: 'string' },
        region: { enum: ['eu', 'us'] },
        hosts: { type: 'array', items: { type: 'object', properties: { 'a/b~c': { type: 'integer' } } } },
      },
    };
    expect(brokenAt(schema, { region: 'moon', more: 1, hosts: [{}, { 'a/b~c': '1' }] })).to.have.members([
      ...['apiKey', 'region', 'more', 'hosts/1/a/b~c'],
    ]);
    expect(brokenAt({ type: 'array' }, {})).to.deep.equal(['']);
    expect(holds(schema, { apiKey: 'x', region: 'eu', hosts: [{ 'a/b~c': 1 }] })).to.be.true;
  });

  it('never repeats a value that may be secret', () => {
    const schema = {
      properties: { a: { type: 'integer', pattern: '^b', format: 'email', const: 1, maxLength: 1 } },
    };
    expect(JSON.stringify(check(schema, { a: 'hunter2' }))).not.to.include('hunter2');
  });

  it('is refused with the reason when it cannot be used', () => {
    const table: readonly (readonly [schema: object, said: string])[] = [
      [{ type: 'strin' }, 'string'],
      [{ properties: 5 }, 'properties'],
      [{ minLength: -1 }, 'minLength'],
      [{ $ref: 'https://schemas.example/x.json' }, 'nothing is loaded'],
      [{ $ref: 'file:///etc/passwd' }, 'nothing is loaded'],
      [{ $schema: draft07, $ref: draft07 }, 'nothing is loaded'],
      [{ $ref: '#/$defs/none' }, '#/$defs/none'],
      [{ $ref: '#' }, 'without end'],
      [{ allOf: [{ $ref: '#/$defs/a' }], $defs: { a: { allOf: [{ $ref: '#/$defs/a' }] } } }, 'without end'],
      [{ $ref: 'constructor' }, 'constructor'],
      [{ $ref: '%63onstructor#' }, 'constructor'],
      [{ $dynamicRef: '#toString' }, 'toString'],
      [{ $id: '__proto__' }, '__proto__'],
      [{ $async: true }, '$async'],
      [{ properties: { a: { $async: true, type: 'string' } } }, 'async'],
      [{ properties: { a: { pattern: '(' } } }, 'ECMA-262'],
      [{ properties: { a: { pattern: '\\-' } } }, 'ECMA-262'],
      [{ properties: { a: { pattern: '^(?=.*a)' } } }, 'linear'],
      [{ properties: { a: { pattern: '(a)\\1' } } }, 'linear'],
      [{ patternProperties: { '(?<!a)b': {} } }, 'linear'],
      [{ properties: { a: { pattern: '((a{100}){100}){100}' } } }, 'linear'],
    ];
    for (const [schema, said] of table) expect(unusable(schema)).to.include(said);
    // An older server has let it into the log.
    expect(check({ type: 'strin' }, {}).kind).to.equal('unusable');
  });

  it('may refer to its own parts, and to itself below', () => {
    const tree = { properties: { value: { type: 'integer' }, child: { $ref: '#' } } };
    expect(brokenAt(tree, { child: { child: { value: 'x' } } })).to.deep.equal(['child/child/value']);
    const named = {
      $id: 'https://acme.example/s',
      $defs: { k: { $id: 'key', type: 'string' } },
      properties: { k: { $ref: 'key' } },
    };
    expect(brokenAt(named, { k: 1 })).to.deep.equal(['k']);
  });

  it('shares nothing with a schema of the same $id', () => {
    const [one, other] = [
      { $id: 'x', type: 'object' },
      { $id: 'x', type: 'array' },
    ];
    expect([holds(one, {}), holds(other, {}), holds(one, {})]).to.deep.equal([true, false, true]);
  });

  it('finds only what a configuration has itself', () => {
    expect(brokenAt({ required: ['toString', '__proto__'] }, {})).to.deep.equal(['toString', '__proto__']);
    expect(holds({ additionalProperties: false }, { constructor: 1 })).to.be.false;
    const hostile = JSON.parse('{"__proto__":{"polluted":true}}') as ConfigurationValue;
    check({ properties: { a: { default: 1 } } }, hostile);
    expect({}).not.to.have.property('polluted');
  });

  it('ignores keywords and formats that it does not know, and $data', () => {
    for (const unknown of [{ format: 'nonsense' }, { 'x-order': 1 }, { const: 1, $data: '1/b' }])
      expect(holds({ properties: { a: unknown } }, { a: 1 })).to.be.true;
    expect(unusable({ minProperties: { $data: '1/b' } })).to.include('minProperties');
  });
});

describe('a secret in a configuration', () => {
  const a = (schema: object | boolean, value: ConfigurationValue = secret) =>
    holds({ properties: { a: schema } }, { a: value });

  it('satisfies every keyword for strings, alone or inside of a text', () => {
    const keywords = [
      ...[{ pattern: '^sk_' }, { format: 'email' }, { format: 'uuid' }, { format: 'date-time' }],
      ...[{ minLength: 500 }, { maxLength: 1 }, { enum: ['a', 'b'] }, { const: 'a' }, { type: 'string' }],
      { type: ['string', 'null'], pattern: '^x$', minLength: 100, maxLength: 3 },
    ];
    for (const $schema of [draft07, draft2020])
      for (const keyword of keywords) {
        const schema = { $schema, properties: { a: { items: keyword } } };
        expect(holds(schema, { a: [secret, `https://user:${secret}@host`] }), JSON.stringify(keyword)).to.be
          .true;
      }
  });

  it('is a string for all that', () => {
    for (const schema of [
      { type: 'integer' },
      { const: 5 },
      { enum: [1, null] },
      false,
      { type: ['object'] },
    ])
      expect(a(schema), JSON.stringify(schema)).to.be.false;
  });

  it('leaves everything else to be judged', () => {
    const schema = { properties: { a: { pattern: '^x' }, b: { pattern: '^x' } }, not: { required: ['c'] } };
    expect(brokenAt(schema, { a: secret, b: 'y' })).to.deep.equal(['b']);
    expect(brokenAt(schema, { a: secret, c: 1 })).to.deep.equal(['']);
  });

  it('is not refused where satisfying would mean that: not, oneOf, if', () => {
    expect(a({ not: { enum: ['changeme', ''] } })).to.be.true;
    expect(a({ oneOf: [{ pattern: '^sk_live' }, { pattern: '^sk_test' }] })).to.be.true;
    expect(a({ if: { const: 'x' }, then: false })).to.be.true;
    expect(a({ not: { type: 'string' } })).to.be.false;
    expect(a({ oneOf: [{ type: 'string' }, { type: ['string', 'null'] }] })).to.be.false;
    expect(a({ oneOf: [{ type: 'integer' }, { type: 'null' }] })).to.be.false;
  });

  const text = fc.constantFrom('', 'a', 'ab', 'abc', 'b@c.de', 'x'.repeat(9));
  const leaf = fc.oneof(
    fc.record({ const: text }),
    fc.record({ enum: fc.array(fc.oneof(text, fc.constant(1)), { minLength: 1, maxLength: 3 }) }),
    fc.record({ pattern: fc.constantFrom('^a', 'b$', '^.{3}$', '@') }),
    fc.record({ minLength: fc.nat(4) }),
    fc.record({ maxLength: fc.nat(4) }),
    fc.constant({ format: 'email' }),
    fc.constantFrom({ type: 'string' }, { type: ['integer', 'string'] }, { type: 'null' }),
    fc.boolean(),
  );
  const { schema } = fc.letrec<{ schema: object | boolean }>((tie) => {
    const several = fc.array(tie('schema'), { minLength: 1, maxLength: 3 });
    return {
      schema: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        leaf,
        fc.record({ not: tie('schema') }),
        fc.record({ allOf: several }),
        fc.record({ anyOf: several }),
        fc.record({ oneOf: several }),
        fc.record({ if: tie('schema'), then: tie('schema'), else: tie('schema') }, { requiredKeys: ['if'] }),
      ),
    };
  });

  it('is refused only where no string would do', function () {
    this.timeout(runs * 100 + 20_000);
    fc.assert(
      fc.property(schema, text, (generated, value) => {
        if (a(generated, value)) expect(a(generated)).to.be.true;
      }),
      { numRuns: runs },
    );
  });

  it('changes nothing of what is said about its neighbours', function () {
    this.timeout(runs * 100 + 20_000);
    fc.assert(
      fc.property(schema, fc.oneof(text, fc.constant(1)), (generated, value) => {
        const both = { properties: { a: generated } };
        expect(holds(both, { a: value, other: secret })).to.equal(holds(both, { a: value, other: 'known' }));
      }),
      { numRuns: runs },
    );
  });
});
