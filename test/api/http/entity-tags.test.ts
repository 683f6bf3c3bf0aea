import { expect } from 'chai';
import fc from 'fast-check';
import { digestOf, entityTagOf, parseEntityTags, versionIn } from '../../../src/api/http/entity-tags.ts';
import { Problem } from '../../../src/api/http/problem.ts';

const parsed = (text: string) => parseEntityTags('If-Match', text);
const strong = (opaque: string) => ({ weak: false, opaque });

describe('entity tags', () => {
  for (const [text, tags] of [
    ['*', '*'],
    ['"a"', [strong('a')]],
    ['""', [strong('')]],
    ['W/"a"', [{ weak: true, opaque: 'a' }]],
    ['"a","b"', [strong('a'), strong('b')]],
    [' "a" ,\t"b,c" , W/"d"', [strong('a'), strong('b,c'), { weak: true, opaque: 'd' }]],
    [',, "a",,', [strong('a')]],
    ['"*"', [strong('*')]],
    ['"\\"', [strong('\\')]],
    ['"caf\xe9"', [strong('caf\xe9')]],
  ] as const)
    it(`are read from ${JSON.stringify(text)}`, () => expect(parsed(text)).to.deep.equal(tags));

  for (const text of [
    ...[
      '',
      ' ',
      ',',
      'a',
      '"a',
      'a"',
      '"a" "b"',
      '"a"b',
      'w/"a"',
      'W/a',
      'W/ "a"',
      "'a'",
      '*, "a"',
      '"a", *',
    ],
    ...['**', '"a\nb"', '"a\x7f"', '"a";"b"', 'W/*', '"a",b', '\u201ca\u201d', '"a"\u00a0'],
  ])
    it(`are not read from ${JSON.stringify(text)}`, () => {
      expect(() => parsed(text)).to.throw(Problem, /^If-Match must be an ETag as it was answered/);
    });

  it('are read from a long header as fast as it is long', () => {
    for (const long of [',', ' ', '"', '"a"', '"a",', 'W/', 'W/"'].map((part) => part.repeat(200_000))) {
      const started = performance.now();
      try {
        parsed(long);
      } catch (error) {
        expect(error).to.be.an.instanceOf(Problem);
      }
      expect(performance.now() - started, long.slice(0, 8)).to.be.lessThan(5_000);
    }
  });

  it('that are made hold the version, and change with every byte', () => {
    const text = fc.string({ unit: 'binary' });
    const version = fc.oneof(fc.nat(), fc.constantFrom('none', 'ver_0a-1', 'ver_0a-10'));
    const one = fc.tuple(text, fc.option(version));
    fc.assert(
      fc.property(one, one, ([some, of], [other, ofOther]) => {
        const tag = entityTagOf(digestOf(some), of);
        const [read] = parsed(tag);
        expect(read && typeof read === 'object' && versionIn(read)).to.equal(of === null ? null : String(of));
        const isSame = some === other && String(of) === String(ofOther);
        expect(tag === entityTagOf(digestOf(other), ofOther)).to.equal(isSame);
      }),
    );
  });

  it('of others, and weak ones, name no version', () => {
    for (const opaque of ['', '12', '12.', '12.abc', 'a b.1234567890123456789012', '.1234567890123456789012'])
      expect(versionIn(strong(opaque)), opaque).to.equal(null);
    const [made] = parsed(`W/${entityTagOf(digestOf('text'), 12)}`);
    expect(made && typeof made === 'object' && versionIn(made)).to.equal(null);
  });
});
