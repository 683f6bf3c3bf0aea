/** The API reference as one page. It asks nothing of anybody but this server, and works without its script. */
import type { OpenApiDocument } from '../openapi/document.ts';
import { anchors } from './anchors.ts';
import { shellVariables } from './curl.ts';
import { type Markup, markup, sentence, sourceOf } from './markup.ts';
import { headerView, methodOf, operationView, responseView } from './operation-view.ts';
import { readDocument, type Reading } from './reading.ts';
import { schemaView } from './schema-view.ts';

/** Where the page finds what belongs to it. */
export interface PageLinks {
  readonly style: string;
  readonly script: string;
  /** The document that it shows. */
  readonly description: string;
}

/** @returns HTML. @throws when the document refers to what it does not hold */
export function referencePage(document: OpenApiDocument, links: PageLinks): string {
  const reading = readDocument(document);
  const { title, version } = reading.info;
  return sourceOf(markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} API ${version}</title>
<link rel="stylesheet" href="${links.style}">
<script src="${links.script}" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to the operations</a>
<nav aria-label="Operations">
${navigation(reading)}
</nav>
<main id="content" tabindex="-1">
${introduction(reading, links)}
${reading.groups.map(
  ({ name, description, operations }) => markup`<section aria-labelledby="${anchors.group(name)}">
<h2 id="${anchors.group(name)}">${name}</h2>
${description === '' ? null : markup`<p>${sentence(description)}</p>`}
${operations.map(operationView)}</section>
`,
)}
${shared(reading)}
</main>
</body>
</html>
`);
}

function navigation({ groups }: Reading): Markup {
  return markup`<details open>
<summary>Contents</summary>
<search hidden><label>Filter <input type="search" id="filter" autocomplete="off" spellcheck="false"></label>
<p role="status"></p></search>
${groups.map(
  ({ name, operations }) => markup`<section><h2><a href="#${anchors.group(name)}">${name}</a></h2>
<ul>${operations.map(
    ({ id, method, summary }) =>
      markup`<li><a href="#${anchors.operation(id)}">${methodOf(method)} ${sentence(summary)}</a></li>`,
  )}</ul></section>
`,
)}
<ul class="shared">
<li><a href="#answers">Refusals</a></li>
<li><a href="#headers">Headers</a></li>
<li><a href="#schemas">Schemas</a></li>
</ul>
</details>`;
}

function introduction({ info, security }: Reading, { description }: PageLinks): Markup {
  const { address, ...secrets } = shellVariables;
  const told = new Map(security);
  const lines = Object.entries(secrets).map(([way, variable]) => `${variable}=…   # ${told.get(way) ?? ''}`);
  return markup`<h1>${info.title} API <small>${info.version}</small></h1>
<p>${sentence(info.description)}</p>
<p>For programs, all of this is <a href="${description}"><code>${description}</code></a>. License: ${info.license.name}.</p>
<p>The lines to try are for a shell in which these are set, and the parameters of their paths under their own names:</p>
<pre class="shell"><code>${address}=<span id="address">http://127.0.0.1:3000</span>
${lines.join('\n')}</code></pre>`;
}

/** What many operations have in common. */
function shared({ responses, headers, schemas }: Reading): Markup {
  return markup`<section aria-labelledby="answers"><h2 id="answers">Refusals</h2>
${responses.map(
  ([
    name,
    response,
  ]) => markup`<article id="${anchors.answer(name)}"><h3><a href="#${anchors.answer(name)}">${name}</a></h3>
${responseView(response)}</article>
`,
)}</section>
<section aria-labelledby="headers"><h2 id="headers">Headers of answers</h2>
<ul class="members">${headers.map(([name, header]) => headerView(name, header, anchors.header(name)))}</ul></section>
<section aria-labelledby="schemas"><h2 id="schemas">Schemas</h2>
${schemas.map(
  ([
    name,
    schema,
  ]) => markup`<article id="${anchors.schema(name)}"><h3><a href="#${anchors.schema(name)}">${name}</a></h3>
${schemaView(schema)}</article>
`,
)}</section>`;
}
