import { expect } from 'chai';
import fc from 'fast-check';
import { route, type Method, type Route } from '../../../src/api/http/route.ts';
import { allowedAt, createRouting } from '../../../src/api/http/routing.ts';
import { pluginManagerFace } from '../../../src/api/plugin-manager/face.ts';

const at = (method: Method, path: `/${string}`): Route =>
  route({
    ...{ method, path, summary: path, policy: 'public', responses: {} },
    handler: async () => ({ status: 200 }),
  });

const face = pluginManagerFace([
  at('GET', '/things'),
  at('GET', '/things/:name'),
  at('PATCH', '/things/:name'),
  at('GET', '/things/best'),
  at('GET', '/things/:name/parts/:part'),
]);
const find = createRouting([face]);

function asked(target: string): unknown {
  const found = find(`/api/v1${target}`);
  if (found === null || found === 'malformed') return found;
  return [found.place.path, { ...found.params }];
}

describe('routing', () => {
  it('finds a path whatever the query, and with a slash at its end', () => {
    for (const target of ['/things', '/things/', '/things?a=%zz', '/things/?', '/th%69ngs'])
      expect(asked(target), target).to.deep.equal(['/things', {}]);
  });

  it('prefers a name to a parameter, whatever the method', () => {
    expect(asked('/things/best')).to.deep.equal(['/things/best', {}]);
    expect(asked('/things/bes')).to.deep.equal(['/things/:name', { name: 'bes' }]);
    const best = find('/api/v1/things/best');
    if (best === null || best === 'malformed') throw new Error('it is there');
    expect(allowedAt(best.place)).to.equal('GET, HEAD, OPTIONS');
  });

  it('finds nothing at other spellings, at no name, and beside the prefix', () => {
    for (const target of ['', '/', '/Things', '//things', '/things//', '/things//parts/a', '/things/a/parts'])
      expect(asked(target), target).to.equal(null);
    for (const target of ['/things', '/api/v2/things', '/api/v1things'])
      expect(find(target), target).to.equal(null);
  });

  it('decodes any parameter once', () => {
    const text = fc.oneof(fc.string({ minLength: 1 }), fc.string({ unit: 'grapheme', minLength: 1 }));
    const percents = fc.stringMatching(/^(%25|%2F|%|[a-z]|2|5|F|\/|\?|#|;|\+)+$/);
    const whole = fc
      .oneof(text, percents)
      .filter((one) => one.isWellFormed() && one !== 'best' && one !== '.' && one !== '..');
    fc.assert(
      fc.property(whole, whole, (name, part) => {
        const [first, second] = [encodeURIComponent(name), encodeURIComponent(part)];
        expect(asked(`/things/${first}`)).to.deep.equal(['/things/:name', { name }]);
        expect(asked(`/things/${first}/parts/${second}`)).to.deep.equal([
          '/things/:name/parts/:part',
          { name, part },
        ]);
      }),
    );
  });

  it('tells a malformed percent-encoding, and never throws', () => {
    for (const target of ['/things/%zz', '/things/%', '/things/%c3%28', '/%E0%A4%A'])
      expect(asked(target), target).to.equal('malformed');
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (rest) => void asked(`/things/${rest}`)));
  });

  it('is not fooled by a long path', () => {
    const name = 'a'.repeat(16_000);
    expect(asked(`/things/${name}`)).to.deep.equal(['/things/:name', { name }]);
  });
});
