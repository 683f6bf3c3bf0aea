import { expect } from 'chai';
import {
  publicationConflict,
  stillToLookUp,
  unmetDependencies,
  type Candidate,
  type Dependency,
} from '../../src/domain/dependencies.ts';
import { PluginId } from '../../src/domain/ids.ts';

const id = (slug: string): PluginId => PluginId.parse(slug);
const on = (dependencyId: string, versionConstraint = '*', more: Partial<Dependency> = {}): Dependency => ({
  dependencyId,
  type: 'Plugin',
  versionConstraint,
  required: true,
  ...more,
});
const at = (semanticVersion: string, ...dependencies: Dependency[]): Candidate => ({
  semanticVersion,
  dependencies,
});
const known = (plugins: Record<string, readonly Candidate[] | null>) =>
  new Map(Object.entries(plugins).map(([slug, candidates]) => [id(slug), candidates]));
const fields = (dependencies: readonly Dependency[], plugins: Parameters<typeof known>[0] = {}) =>
  publicationConflict(id('a'), dependencies, known(plugins))?.details.map(({ field }) => field) ?? null;

describe('Dependencies of a version that is published', () => {
  it('may be on what is not known, and of types that are not resolved', () => {
    expect(
      fields([on('b', '>=1.0.0,<2.0.0'), on('Redis 7', '>=7', { type: 'Service' })], { b: null }),
    ).to.equal(null);
  });
  it('must have a constraint that is a range', () => {
    expect(fields([on('b'), on('c', 'abc')])).to.deep.equal(['version.dependencies[1].versionConstraint']);
  });
  it('are never on the plugin itself', () => {
    expect(fields([on('a')])).to.deep.equal(['version.dependencies[0].dependencyId']);
  });
  it('must match a version of a plugin that is known, required or not', () => {
    expect(fields([on('b', '^2')], { b: [at('1.0.0'), at('2.1.0')] })).to.equal(null);
    expect(fields([on('b', '^2', { required: false })], { b: [at('1.0.0')] })).to.deep.equal([
      'version.dependencies[0].versionConstraint',
    ]);
    expect(fields([on('b')], { b: [] })).to.have.length(1);
  });
  it('close no cycle, however long, through versions that match', () => {
    const plugins = { b: [at('1.0.0', on('c')), at('2.0.0')], c: [at('1.0.0', on('a', '^7'))] };
    expect(fields([on('z'), on('b', '^1')], plugins)).to.deep.equal(['version.dependencies[1].dependencyId']);
    expect(fields([on('b', '^2')], plugins)).to.equal(null);
    expect(fields([on('b', '^1', { required: false })], plugins)).to.equal(null);
  });
  it('end the walk where others run in circles', () => {
    expect(fields([on('b')], { b: [at('1.0.0', on('c'))], c: [at('1.0.0', on('b'))] })).to.equal(null);
  });
  it('are looked up step by step, each plugin once', () => {
    const dependencies = [on('b'), on('c', '*', { required: false }), on('x', '*', { type: 'Library' })];
    expect(stillToLookUp(id('a'), dependencies, known({}))).to.deep.equal(['b', 'c']);
    const plugins = {
      b: [at('1.0.0', on('d'), on('a'), on('e', '*', { required: false }))],
      c: [at('1.0.0', on('f'))],
    };
    expect(stillToLookUp(id('a'), dependencies, known(plugins))).to.deep.equal(['d']);
    expect(stillToLookUp(id('a'), dependencies, known({ ...plugins, d: null }))).to.deep.equal([]);
  });
});

describe('Dependencies of a version that is deployed', () => {
  it('are met when every required plugin is current in a version that matches, transitively', () => {
    const dependencies = [on('b', '^1'), on('c', '*', { required: false })];
    expect(
      unmetDependencies(id('a'), dependencies, known({ b: [at('1.2.0', on('d'))], d: [at('1.0.0')] })),
    ).to.deep.equal([]);
  });
  it('are named with who requires them and what is there instead', () => {
    expect(
      unmetDependencies(
        id('a'),
        [on('b', '^1'), on('c')],
        known({ b: [at('2.0.0')], c: [at('1.0.0', on('d'))] }),
      ),
    ).to.deep.equal([
      { requiredBy: 'a', dependencyId: 'b', versionConstraint: '^1', found: '2.0.0' },
      { requiredBy: 'c', dependencyId: 'd', versionConstraint: '*', found: null },
    ]);
  });
});
