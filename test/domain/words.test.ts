import { expect } from 'chai';
import fc from 'fast-check';
import { allowsTypo, isOneTypoApart, words } from '../../src/domain/words.ts';

describe('words', () => {
  it('are the same when taken apart again', () => {
    const anything = fc.array(fc.nat(0x10ffff)).map((points) => String.fromCodePoint(...points));
    fc.assert(
      fc.property(anything, (text) => {
        const found = words(text);
        expect(words(found.join(' '))).to.deep.equal(found);
      }),
    );
  });

  it('may be mistyped from four letters on, once', () => {
    expect(allowsTypo('cat')).to.equal(false);
    expect(allowsTypo('cart')).to.equal(true);
    expect(isOneTypoApart('paymnet', 'payment')).to.equal(true);
    expect(isOneTypoApart('paymnte', 'payment')).to.equal(false);
  });

  it('are one typo apart after any single edit', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(letters, fc.nat(6), fc.constantFrom('a', 'x'), (word, place, letter) => {
        const at = place % (word.length - 1);
        const [before, after] = [word.slice(0, at), word.slice(at)];
        const edits = [
          before + letter + after,
          before + after.slice(1),
          before + letter + after.slice(1),
          before + after.charAt(1) + after.charAt(0) + after.slice(2),
        ];
        for (const edit of edits) {
          expect(isOneTypoApart(word, edit)).to.equal(true);
          expect(isOneTypoApart(edit, word)).to.equal(true);
        }
        expect(isOneTypoApart(`${word}xy`, word)).to.equal(false);
      }),
    );
  });
});
