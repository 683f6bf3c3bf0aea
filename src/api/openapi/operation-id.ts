/** What an operation is called in generated clients: `listPlugins`, `getPluginVersion`, `rollbackPluginDeployment`. */
import type { Route } from '../http/route.ts';

type Named = Pick<Route, 'operationId' | 'method' | 'path'>;

/** @param prefix of all names of the face, or empty */
export function operationId(route: Named, prefix: string): string {
  const name = route.operationId ?? nameOf(route);
  return prefix === '' ? name : prefix + capital(name);
}

function nameOf({ method, path }: Named): string {
  const segments = path.split('/').filter((segment) => segment !== '');
  const words = segments.flatMap((segment, at) => {
    if (segment.startsWith(':')) return [];
    const isOne = segments[at + 1]?.startsWith(':') ?? false;
    return [capital(camel(isOne ? singular(segment) : segment))];
  });
  const last = segments.at(-1) ?? '';
  const isMany = !last.startsWith(':') && singular(last) !== last;
  const all = words.join('');
  switch (method) {
    case 'GET':
      return `${isMany ? 'list' : 'get'}${all}`;
    case 'POST':
      // The last word is a list that something is added to, or what is done to the rest.
      return isMany ? `create${singular(all)}` : `${camel(last)}${words.slice(0, -1).join('')}`;
    case 'PUT':
      return `set${all}`;
    case 'PATCH':
      return `change${all}`;
    case 'DELETE':
      return `delete${all}`;
  }
}

function singular(word: string): string {
  return word.endsWith('ies') ? `${word.slice(0, -3)}y` : word.replace(/([^su])s$/, '$1');
}

function camel(segment: string): string {
  return segment.replaceAll(/[^A-Za-z0-9]+(.)/g, (_, letter: string) => letter.toUpperCase());
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
