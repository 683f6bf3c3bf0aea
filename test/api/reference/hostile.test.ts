/** Whatever strings the API description holds, the page's HTML and its lines for a shell stay what they are. */
import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import type { OpenApiDocument } from '../../../src/api/openapi/document.ts';
import { curlLine } from '../../../src/api/reference/curl.ts';
import { referencePage } from '../../../src/api/reference/page.ts';
import { readDocument } from '../../../src/api/reference/reading.ts';
import { testInfo } from '../http/example.ts';

const links = { style: '/s.css', script: '/s.js', description: '/d.json' };

/** A document that says it wherever it can say something. */
function saying(word: string): OpenApiDocument {
  const schema = {
    type: 'object',
    description: word,
    pattern: word,
    format: word,
    default: word,
    examples: [word],
    required: [word],
    properties: {
      [word]: { type: word, description: word },
      list: { type: 'array', items: { $ref: `#/components/schemas/${word}` } },
      one: { enum: [word, { [word]: word }] },
      other: { anyOf: [{ const: word }, { type: 'null' }] },
      map: { type: 'object', additionalProperties: { type: word } },
    },
  };
  const content = {
    [word]: { schema, example: { [word]: word }, examples: { [word]: { summary: word, value: [word] } } },
  };
  const header = { description: word, schema, example: word };
  const response = {
    description: word,
    content,
    headers: { [word]: header, Shared: { $ref: '#/components/headers/Shared' } },
  };
  return {
    openapi: '3.1.0',
    info: {
      ...testInfo,
      title: word,
      version: word,
      description: word,
      license: { name: word, identifier: word },
    },
    servers: [{ url: word, description: word }],
    tags: [{ name: word, description: word }],
    paths: {
      [`/${word}/{id}`]: {
        post: {
          operationId: word,
          summary: word,
          tags: [word],
          security: [{ bearer: [] }],
          'x-permission': word,
          'x-roles': [word],
          parameters: [
            { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
            { name: word, in: 'query', required: true, description: word, example: word, schema },
          ],
          requestBody: { required: true, content },
          responses: { [word]: response, 400: { $ref: '#/components/responses/Shared' } },
        },
      },
    },
    components: {
      schemas: { [word]: schema },
      responses: { Shared: response, [word]: response },
      headers: { Shared: header, [word]: header },
      parameters: {},
      securitySchemes: { bearer: { description: word } },
    },
  };
}

/** Tags with the names of their attributes, as a browser would find them. */
function structureOf(html: string): readonly string[] {
  return [...html.matchAll(/<!?\/?[a-z0-9]+((?:[^">]|"[^"]*")*)>/gi)].map(([tag]) =>
    tag.replaceAll(/"[^"]*"/g, '""'),
  );
}

const attacks = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onclick='alert(1)",
  '</code></pre></details><style>*{display:none}</style>',
  '<!--',
  ']]>',
  '&lt;script&gt;&#60;',
  'javascript:alert(1)',
  '$(touch /tmp/x) $HOME \\" \' !!',
  'Ünï©ode \u2028\u0000\ud83d',
  'constructor',
];

/** Backticks mark code, where a sentence has two: their own test tells. Empty is said nowhere. */
const words = fc
  .oneof(
    fc.string({ minLength: 1, unit: 'binary' }),
    fc.constantFrom(...attacks),
    fc.string({
      minLength: 1,
      unit: fc.constantFrom('<', '>', '"', "'", '&', '/', '=', ' ', '{', '}', '$', '\\', '!', 'a'),
    }),
  )
  // Never a number: members whose names are numbers come first in objects.
  .map((word) => `${word}~`)
  .filter((word) => !word.includes('`'));

describe('a page about hostile strings', () => {
  const harmless = structureOf(referencePage(saying('harmless'), links));

  it('has the structure of any other', () => {
    expect(harmless.length).to.be.greaterThan(100);
    fc.assert(
      fc.property(words, (word) => {
        expect(structureOf(referencePage(saying(word), links))).to.deep.equal(harmless);
      }),
      { examples: attacks.map((attack) => [attack] as [string]), numRuns: 60 },
    );
  });

  it('shows them as they are', () => {
    const html = referencePage(saying('<b>&amp;"\''), links);
    expect(html).to.include('&#60;b&#62;&#38;amp;&#34;&#39;').and.not.to.include('<b>');
  });

  it('takes words between backticks as code, and a backtick alone as itself', () => {
    expect(referencePage(saying('see `<i>` and ` too'), links)).to.include(
      'see <code>&#60;i&#62;</code> and ` too',
    );
  });

  it('is not made when the document refers to what it does not hold', () => {
    const document = { ...saying('x'), components: { ...saying('x').components, responses: {} } };
    expect(() => referencePage(document, links)).to.throw('#/components/responses/Shared');
  });
});

describe('a line for a shell', () => {
  /** What the shell gives to curl. */
  function argumentsOf(document: OpenApiDocument): readonly string[] {
    const [operation] = readDocument(document).groups[0]!.operations;
    const script = `curl() { printf '%s\\0' "$@"; }\n${curlLine(operation!)}`;
    const { stdout, stderr, status } = spawnSync('/bin/sh', ['-c', script], {
      env: { PATH: '', SLIPWAY: 'http://here', TOKEN: 'to ken', id: 'thing-1' },
      encoding: 'utf8',
    });
    expect([stderr, status]).to.deep.equal(['', 0]);
    return stdout.split('\0').slice(0, -1);
  }

  it('is no call while a parameter of its path is not set', () => {
    const [operation] = readDocument(saying('x')).groups[0]!.operations;
    const script = `curl() { echo called; }\n${curlLine(operation!)}`;
    const { stdout, stderr } = spawnSync('/bin/sh', ['-c', script], { env: { PATH: '' }, encoding: 'utf8' });
    expect(stdout).to.equal('');
    expect(stderr).to.match(/\bid: /);
  });

  it('is one call with the address, the token, and the example, whatever they hold', () => {
    fc.assert(
      // A shell has no zero byte, a path no query, and what is no text (half a pair) has no bytes.
      fc.property(
        words.filter((word) => !/[\0?{}]/.test(word) && word.isWellFormed()),
        (word) => {
          const query = `${encodeURIComponent(word)}=${encodeURIComponent(word)}`;
          const [, method, address, , token, , type, , body, ...more] = argumentsOf(saying(word));
          expect([method, token, type, more]).to.deep.equal([
            'POST',
            'Authorization: Bearer to ken',
            `Content-Type: ${word}`,
            [],
          ]);
          expect(JSON.parse(body!)).to.deep.equal(JSON.parse(JSON.stringify({ [word]: word })));
          const [path, sent] = address!.split('?');
          expect(path).to.equal(`http://here/${word}/thing-1`);
          expect(decodeURIComponent(sent!)).to.equal(decodeURIComponent(query));
        },
      ),
      { numRuns: 40 },
    );
  });
});
