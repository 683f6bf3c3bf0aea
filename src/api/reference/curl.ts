/** An operation as a line for a shell. Whatever the document holds, the shell takes it as text. */
import type { OperationView } from './reading.ts';

/** Variables that the lines use, set once. */
export const shellVariables = { address: 'SLIPWAY', bearer: 'TOKEN', apiKey: 'KEY' } as const;

/** Parameters of the path are variables of the shell with their names, which it asks for; required ones of the query are examples. */
export function curlLine({ method, path, parameters, security, body }: OperationView): string {
  const inPath = quoted(path).replaceAll(/\{(\w+)\}/g, (_, name: string) => `\${${name}:?}`);
  const query = parameters.flatMap(({ in: place, required, name, schema, example }) => {
    if (place !== 'query' || !required) return [];
    return [`${encoded(name)}=${encoded(textOf(example ?? schema.examples[0] ?? ''))}`];
  });
  const [type, content] = Object.entries(body?.content ?? {})[0] ?? [];
  const sent = content && (content.example ?? Object.values(content.examples)[0]?.value);
  const words = [
    'curl',
    ...(method === 'GET' ? [] : [`-X ${method}`]),
    `"$${shellVariables.address}${inPath}${query.length === 0 ? '' : `?${query.join('&')}`}"`,
    ...proof(security),
    ...(type === undefined ? [] : [`-H ${literal(`Content-Type: ${type}`)}`]),
    ...(sent === undefined ? [] : [`-d ${literal(JSON.stringify(sent))}`]),
  ];
  return words.join(' ');
}

function proof(security: readonly string[]): readonly string[] {
  if (security.includes('bearer')) return [`-H "Authorization: Bearer $${shellVariables.bearer}"`];
  if (security.includes('apiKey')) return [`-H "X-API-Key: $${shellVariables.apiKey}"`];
  return [];
}

/** For double quotes. */
function quoted(text: string): string {
  return text.replaceAll(/[\\"$`]/g, (letter) => `\\${letter}`);
}

function literal(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A part of a query that means nothing to a shell either. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll(
    /[!'()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16)}`,
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
