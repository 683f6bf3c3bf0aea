/** The API reference for people, `/docs`: a page of our own, with nothing in it from elsewhere (docs/decisions/0013). */
import { readFileSync } from 'node:fs';
import type { Answer } from '../http/answer.ts';
import { route, type Route } from '../http/route.ts';
import type { OpenApiDocument } from '../openapi/document.ts';
import { referencePage } from './page.ts';

const style = '/docs/style.css';
const script = '/docs/script.js';

/** Of the page: what it loads comes from this server, and nothing runs or is styled that stands in the page itself. */
const policy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Browsers keep it, and ask by its tag whether it is still so: after an update they show the new one at once. */
const asked = { 'Cache-Control': 'no-cache' };

/** @param document asked for once all routes are known, these among them @param description where programs read it */
export function referenceRoutes(document: () => OpenApiDocument, description: string): readonly Route[] {
  let page: string | null = null;
  return [
    route({
      ...{ method: 'GET', tag: 'Reference', policy: 'public', path: '/docs', etag: 'content' },
      operationId: 'getReferencePage',
      summary: 'This document as a page',
      responses: { 200: { mediaType: 'text/html' } },
      handler: async () => ({
        ...{ status: 200, mediaType: 'text/html' },
        headers: { 'Content-Security-Policy': policy, ...asked },
        text: (page ??= referencePage(document(), { style, script, description })),
      }),
    }),
    asset(style, 'text/css', 'getReferenceStyle', 'How the page looks'),
    asset(
      script,
      'text/javascript',
      'getReferenceScript',
      'What the page does: its filter, and buttons that copy',
    ),
  ];
}

function asset(
  path: typeof style | typeof script,
  mediaType: string,
  operationId: string,
  summary: string,
): Route {
  const text = readFileSync(new URL(`./assets/${path.replace('/docs/', '')}`, import.meta.url), 'utf8');
  const answer: Answer = { status: 200, mediaType, text, headers: asked };
  return route({
    ...{ method: 'GET', tag: 'Reference', policy: 'public', path, operationId, summary, etag: 'content' },
    responses: { 200: { mediaType } },
    handler: async () => answer,
  });
}
