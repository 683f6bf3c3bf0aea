import { expect } from 'chai';
import fc from 'fast-check';
import {
  malformedReferences,
  SecretName,
  secretReferences,
  withSecrets,
} from '../../src/domain/secret-reference.ts';

describe('references to secrets', () => {
  it('are found in every value at every depth, several in a text, and never in the name of a member', () => {
    const configuration = {
      apiKey: '${secret:stripe-api-key}',
      list: [1, null, { url: 'https://${secret:user}:${secret:pass.word}@host' }],
      '${secret:no}': 'plain',
    };
    expect(secretReferences(configuration)).to.deep.equal([
      { path: ['apiKey'], name: 'stripe-api-key' },
      { path: ['list', 2, 'url'], name: 'user' },
      { path: ['list', 2, 'url'], name: 'pass.word' },
    ]);
    expect(malformedReferences(configuration)).to.deep.equal([]);
  });

  it('are malformed when what follows is no name', () => {
    for (const text of [
      '${secret:',
      '${secret:}',
      '${secret:a b}',
      '${secret:-a}',
      '${secret:a}${secret:${secret:b}',
    ])
      expect(malformedReferences({ a: ['x', text] }), text).to.deep.equal([['a', 1]]);
    for (const text of ['$secret:a}', '${SECRET:a}', '{secret:a}', '${env:HOME}', '', '$', '${secret:a}}'])
      expect(malformedReferences({ a: text }), text).to.deep.equal([]);
  });

  it('name what a secret may be called', () => {
    for (const good of [
      'a',
      'stripe-api-key',
      'STRIPE_API_KEY',
      'smtp.password',
      '0',
      'a__b',
      'x'.repeat(100),
    ])
      expect(SecretName.safeParse(good).success, good).to.be.true;
    for (const bad of ['', '-a', 'a-', '.', '..', 'a/b', 'ä', 'a b', 'x'.repeat(101), '__proto__'])
      expect(SecretName.safeParse(bad).success, bad).to.be.false;
  });

  it('give way to values, and stay where there is none; a value is never read again', () => {
    const values = new Map([
      ['a', '${secret:b}'],
      ['b', '$& $1'],
    ]);
    const configuration = {
      x: ['${secret:a}', '<${secret:b}>', 7, null],
      '${secret:a}': '${secret:c}${secret:b}',
    };
    expect(withSecrets(configuration, values)).to.deep.equal({
      x: ['${secret:b}', '<$& $1>', 7, null],
      '${secret:a}': '${secret:c}$& $1',
    });
  });

  it('are all found again by their names', () => {
    const name = fc.constantFrom('a', 'api-key', 'SMTP_PASSWORD', 'x.y', '0');
    const between = fc.string({ unit: 'binary' }).filter((text) => !text.includes('$'));
    fc.assert(
      fc.property(fc.array(fc.tuple(between, name)), between, (parts, end) => {
        const text = parts.map(([before, named]) => `${before}\${secret:${named}}`).join('') + end;
        expect(secretReferences(text).map((found) => found.name)).to.deep.equal(
          parts.map(([, named]) => named),
        );
        expect(malformedReferences(text)).to.deep.equal([]);
      }),
    );
  });
});
