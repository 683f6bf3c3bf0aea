/** One operation on the page: who may call it, what it takes, what it answers. */
import { anchors } from './anchors.ts';
import { curlLine } from './curl.ts';
import { joined, type Markup, markup, sentence } from './markup.ts';
import type { AnswerView, ContentByType, HeaderView, OperationView, ResponseView } from './reading.ts';
import { named, schemaView } from './schema-view.ts';

export function operationView(operation: OperationView): Markup {
  const { id, method, path, summary, parameters, body, answers } = operation;
  return markup`<article id="${anchors.operation(id)}">
<header>
<h3><a href="#${anchors.operation(id)}">${methodOf(method)} <code>${path}</code></a></h3>
<p class="summary">${sentence(summary)} <code class="id">${id}</code></p>
<p class="who">${whoMay(operation)}</p>
</header>
${
  parameters.length === 0
    ? null
    : markup`<h4>Parameters</h4>
<ul class="members">${parameters.map((parameter) =>
        named(parameter.name, {
          ...parameter,
          facts: [`in ${parameter.in}`, ...(parameter.required ? ['required'] : [])],
        }),
      )}</ul>`
}
${
  body &&
  markup`<h4>Body${body.required ? null : ' (may be left out)'}</h4>
${contentView(body.content)}`
}
<h4>Try it</h4>
<pre class="shell"><code>${curlLine(operation)}</code></pre>
<h4>Answers</h4>
<dl class="answers">${answers.map(answerView)}</dl>
</article>
`;
}

export function methodOf(method: string): Markup {
  return markup`<span class="method ${method.toLowerCase()}">${method}</span>`;
}

function whoMay({ permission, roles, security }: OperationView): Markup {
  if (permission === null) return markup`Everybody may call it, without logging in.`;
  const by = security.includes('bearer') ? '' : ' by an API key that is scoped to an environment, alone';
  const who = joined(
    roles.map((role) => markup`<strong>${role}</strong>`),
    ', ',
  );
  return markup`For ${who}${by}: permission <code>${permission}</code>.`;
}

function answerView({ status, response, sharedAs }: AnswerView): Markup {
  const body =
    sharedAs === null
      ? responseView(response)
      : markup`<p><a href="#${anchors.answer(sharedAs)}">${sharedAs}</a>: ${sentence(response.description)}</p>`;
  return markup`<div><dt class="status s${status.slice(0, 1)}">${status}</dt><dd>${body}</dd></div>
`;
}

/** Description, body and headers. */
export function responseView({ description, content, shared, own }: ResponseView): Markup {
  const links = shared.map((name) => markup`<a href="#${anchors.header(name)}">${name}</a>`);
  return markup`<p>${sentence(description)}</p>
${contentView(content)}
${own.length === 0 ? null : markup`<ul class="members">${own.map(([name, header]) => headerView(name, header))}</ul>`}
${links.length === 0 ? null : markup`<p class="headers">Headers: ${joined(links, ', ')}</p>`}`;
}

export function headerView(name: string, header: HeaderView, anchor?: string): Markup {
  return named(name, {
    ...header,
    ...(anchor === undefined ? {} : { anchor }),
    facts: ['header', ...(header.required ? ['always'] : [])],
  });
}

/** Nothing where there is no body. */
function contentView(content: ContentByType): readonly Markup[] {
  return Object.entries(content).map(([type, { schema, example, examples }]) => {
    const all = [
      ...(example === undefined ? [] : [{ title: 'Example', value: example }]),
      ...Object.entries(examples).map(([name, { summary, value }]) => ({
        title: `Example ${name}: ${summary}`,
        value,
      })),
    ];
    return markup`<p class="media"><code>${type}</code></p>
${schemaView(schema)}${all.map(
      ({ title, value }) =>
        markup`<details><summary>${sentence(title)}</summary><pre><code>${JSON.stringify(value, null, 2)}</code></pre></details>`,
    )}`;
  });
}
