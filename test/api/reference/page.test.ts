/** `/docs` over HTTP: all of the API description is on it, and nothing else can be. */
import { expect } from 'chai';
import { z } from 'zod';
import type { Reply } from '../../support/http.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

const Described = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        operationId: z.string(),
        summary: z.string(),
        'x-permission': z.string().optional(),
        'x-roles': z.array(z.string()).default([]),
        parameters: z.array(z.object({ name: z.string().optional(), $ref: z.string().optional() })),
        responses: z.record(z.string(), z.unknown()),
      }),
    ),
  ),
  components: z.object({
    schemas: z.record(z.string(), z.unknown()),
    responses: z.record(z.string(), z.unknown()),
    headers: z.record(z.string(), z.object({ description: z.string() })),
  }),
});

/** As a reader sees it. */
function textOf(html: string): string {
  return html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}

const plain = (text: string): string => text.replaceAll('`', '');

describe('the API reference at /docs', () => {
  let server: TestServer;
  let page: Reply;
  let html: string;
  let document: z.output<typeof Described>;
  const article = (id: string): string => {
    const [, after] = html.split(`<article id="${id}">`);
    expect(after, `an article ${id}`).not.to.equal(undefined);
    return after!.split('</article>')[0]!;
  };
  before(async () => {
    server = await startTestServer();
    page = await server.call('GET', '/docs');
    html = String(page.body);
    document = Described.parse((await server.call('GET', '/api/openapi.json')).body);
  });
  after(() => server.stop());

  it('shows every operation: who may call it, what it takes, every status that it answers', () => {
    let shown = 0;
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, operation] of Object.entries(methods)) {
        const { operationId, summary, parameters, responses } = operation;
        const source = article(operationId);
        const text = textOf(source);
        expect(text).to.include(`${method.toUpperCase()} ${path}`).and.to.include(plain(summary));
        const permission = operation['x-permission'];
        expect(text).to.include(permission ? `permission ${permission}` : 'without logging in');
        for (const role of operation['x-roles']) expect(text).to.include(role);
        for (const { name, $ref } of parameters)
          expect(source).to.include(`<code class="name">${name ?? $ref?.split('/').at(-1)}</code>`);
        for (const status of Object.keys(responses))
          expect(source).to.match(new RegExp(`<dt[^>]*>${status}</dt>`));
        shown += 1;
      }
    expect(shown).to.be.greaterThan(60);
  });

  it('shows the document as it is asked for, itself included', () => {
    for (const id of ['getReferencePage', 'getReferenceStyle', 'getReferenceScript'])
      expect(article(id)).to.include('text/');
  });

  it('shows what bodies look like, with examples', () => {
    const login = textOf(article('logIn'));
    expect(login).to.include('username string').and.to.include('"username": "admin@example.com"');
    expect(login).to.include('LoggedIn');
    expect(textOf(article('createPlugin'))).to.include('"pluginId": "payment-stripe"');
    expect(textOf(article('schema-NewPlugin'))).to.include('versionConstraint string');
  });

  it('shows every schema, header and refusal once, with the codes of errors', () => {
    const { schemas, responses, headers } = document.components;
    for (const name of Object.keys(schemas)) expect(article(`schema-${name}`)).to.include(name);
    for (const name of Object.keys(responses)) expect(article(`answer-${name}`)).to.include(name);
    for (const [name, { description }] of Object.entries(headers)) {
      expect(html.split(`<li id="header-${name}">`)).to.have.length(2);
      expect(textOf(html)).to.include(plain(description));
    }
    expect(textOf(article('answer-InvalidOrDependencyConflict')))
      .to.include('"code": "VALIDATION_ERROR"')
      .and.to.include('"code": "DEPENDENCY_CONFLICT"');
    expect(textOf(article('answer-idp.Forbidden'))).to.include('"code": "PERMISSION_DENIED"');
  });

  it('has links that lead somewhere, each place once', () => {
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    const targets = [...html.matchAll(/ href="#([^"]*)"/g)].map(([, id]) => id);
    expect(targets.length).to.be.greaterThan(200);
    expect(targets.filter((id) => !ids.includes(id))).to.deep.equal([]);
  });

  it('lets nothing run, or be styled, that stands in the page, and loads nothing from elsewhere', async () => {
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy.split('; ')).to.include.members([
      "default-src 'none'",
      "style-src 'self'",
      "script-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
    expect(policy).not.to.match(/unsafe|\*|data:|http/);
    expect(html).not.to.match(/<style|<[^>]* style=|<[^>]* on\w+=|javascript:/i);
    expect(html.match(/<script[^]*?<\/script>/g)).to.deep.equal([
      '<script src="/docs/script.js" defer></script>',
    ]);
    const addresses = [...html.matchAll(/ (?:href|src|action|srcset|poster|data)="([^"]*)"/g)].map(
      ([, to]) => to!,
    );
    expect(addresses.filter((to) => !/^[#/](?!\/)/.test(to))).to.deep.equal([]);
    for (const path of ['/docs/style.css', '/docs/script.js'])
      expect(String((await server.call('GET', path)).body)).not.to.match(
        /https?:|url\(|@import|\bimport\b|fetch\(/,
      );
  });

  const types = { '/docs': 'text/html', '/docs/style.css': 'text/css', '/docs/script.js': 'text/javascript' };
  for (const [path, type] of Object.entries(types))
    it(`answers ${path} to everybody, and HEAD as GET`, async () => {
      const [whole, head] = [await server.call('GET', path), await server.call('HEAD', path)];
      expect([whole.status, head.status, head.body]).to.deep.equal([200, 200, null]);
      for (const { headers } of [whole, head]) {
        expect(headers.get('content-type')).to.equal(`${type}; charset=utf-8`);
        expect(headers.get('content-length')).to.equal(String(Buffer.byteLength(String(whole.body))));
        expect(headers.get('x-content-type-options')).to.equal('nosniff');
      }
      const ETag = whole.headers.get('etag') ?? '';
      const again = await server.call('GET', path, { headers: { 'If-None-Match': ETag } });
      expect([again.status, again.body]).to.deep.equal([304, null]);
      // What a browser takes over from this answer must not undo the page's own policy.
      for (const name of ['content-security-policy', 'cache-control', 'etag'])
        expect(again.headers.get(name)).to.equal(whole.headers.get(name));
      expect(whole.headers.get('cache-control')).to.equal('no-cache');
      expect((await server.call('POST', path)).status).to.equal(405);
      expect((await server.call('GET', `${path}?theme=dark`)).status).to.equal(400);
    });
});
