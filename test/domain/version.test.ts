import { expect } from 'chai';
import fc from 'fast-check';
import { latestVersion, parseConstraint, satisfies, SemanticVersion } from '../../src/domain/version.ts';

describe('A version number', () => {
  for (const good of ['0.0.1', '2.0.0', '2.1.0-beta.1', '1.0.0+build.5', '1.0.0-rc.1+a']) {
    it(`may be ${good}`, () => expect(SemanticVersion.safeParse(good).success).to.equal(true));
  }
  for (const bad of [
    '',
    '1',
    '1.0',
    'v1.0.0',
    '=1.0.0',
    ' 1.0.0',
    '01.0.0',
    '1.0.0-',
    '1.0.0\n',
    '9'.repeat(99),
  ]) {
    it(`may not be ${JSON.stringify(bad)}`, () =>
      expect(SemanticVersion.safeParse(bad).success).to.equal(false));
  }
});

describe('A version constraint', () => {
  const accepts = (text: string, version: string): boolean | null => {
    const constraint = parseConstraint(text);
    return constraint && satisfies(version, constraint);
  };

  it('means AND by a comma', () => {
    expect(accepts('>=1.0.0,<2.0.0', '1.9.9')).to.equal(true);
    expect(accepts('>=1.0.0,<2.0.0', '2.0.0')).to.equal(false);
    expect(accepts('>=1.0.0 , <2.0.0', '0.9.0')).to.equal(false);
  });

  it('may mix commas, alternatives and ranges of every form', () => {
    expect(accepts('1.0.0 - 1.5.0,<1.2.0 || ^3.1', '1.1.0')).to.equal(true);
    expect(accepts('1.0.0 - 1.5.0,<1.2.0 || ^3.1', '1.3.0')).to.equal(false);
    expect(accepts('1.0.0 - 1.5.0,<1.2.0 || ^3.1', '3.2.0')).to.equal(true);
    expect(accepts('*', '1.0.0')).to.equal(true);
    expect(accepts('*,<2', '3.0.0')).to.equal(false);
  });

  it('lets a prerelease in only where it names one of the same version', () => {
    expect(accepts('>=1.0.0,<2.0.0', '1.5.0-beta.1')).to.equal(false);
    expect(accepts('>=1.5.0-beta.0,<2.0.0', '1.5.0-beta.1')).to.equal(true);
  });

  for (const bad of [
    '',
    ' ',
    ',',
    '>=1.0.0,',
    '1 || ',
    'latest',
    '>=1.0.0,abc',
    '>=99999999999999999999.0.0',
  ]) {
    it(`cannot be ${JSON.stringify(bad)}`, () => expect(parseConstraint(bad)).to.equal(null));
  }

  it('answers any text, however hostile, and never matches what one of its parts refuses', () => {
    const piece = fc.constantFrom(
      '>=',
      '<',
      '^',
      '~',
      '1',
      '.',
      '0',
      'x',
      '*',
      ' ',
      ',',
      '||',
      '-',
      '2.0.0',
      'beta',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join('');
        const constraint = parseConstraint(text);
        if (!constraint || text.includes('||') || !satisfies('1.2.3', constraint)) return;
        for (const part of text.split(',')) expect(accepts(part, '1.2.3')).to.equal(true);
      }),
    );
    expect(parseConstraint('>=1.0.0 '.repeat(10_000))).to.equal(null);
  });
});

describe('The latest version', () => {
  it('is the highest Stable one', () =>
    expect(
      latestVersion([
        { semanticVersion: '1.9.0', state: 'Stable' },
        { semanticVersion: '1.10.0', state: 'Stable' },
        { semanticVersion: '2.0.0', state: 'Beta' },
      ]),
    ).to.equal('1.10.0'));
  it('else the highest that is not yanked', () =>
    expect(
      latestVersion([
        { semanticVersion: '1.0.0', state: 'Deprecated' },
        { semanticVersion: '1.1.0-beta.2', state: 'Beta' },
        { semanticVersion: '2.0.0', state: 'Yanked' },
      ]),
    ).to.equal('1.1.0-beta.2'));
  it('else none', () =>
    expect(latestVersion([{ semanticVersion: '1.0.0', state: 'Yanked' }])).to.equal(null));
});
