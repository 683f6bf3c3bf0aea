/** Which route a request asks for: the routes of all faces in one tree. */
import createRouter from 'find-my-way';
import type { Face } from './face.ts';
import type { Route } from './route.ts';

/** A path that is declared, and who answers there. */
export interface Place {
  readonly face: Face;
  /** Below the face's prefix, as it was declared: `/plugins/:pluginId`. */
  readonly path: string;
  /** By method. */
  readonly methods: ReadonlyMap<string, Route>;
}

export interface Found {
  readonly place: Place;
  /** Decoded. */
  readonly params: Readonly<Record<string, string | undefined>>;
}

/** @returns null where no route is; `malformed` for a percent-encoding that is none */
export type Routing = (target: string) => Found | 'malformed' | null;

/** No parameter is longer than the whole of a request's head may be. */
const maxParamLength = 65_536;

/**
 * Paths are compared as they are written, but for a slash at their end and for percent-encodings; names come before parameters.
 * @throws when a route has no policy, or two routes are the same: the server must not start
 */
export function createRouting(faces: readonly Face[]): Routing {
  const nothing = {};
  const router = createRouter({
    ignoreTrailingSlash: true,
    maxParamLength,
    // A query is read strictly, once the caller is known.
    querystringParser: () => nothing,
    onBadUrl: () => undefined,
  });
  const places = new Map<unknown, Place>();
  for (const face of faces)
    for (const [path, methods] of byPath(face)) {
      const handler = (): undefined => undefined;
      places.set(handler, { face, path, methods });
      // All methods are one place, so that what is not answered there can be told from what is nowhere.
      router.on('GET', face.prefix + path, handler);
    }
  return (target) => {
    const found = router.find('GET', target);
    if (!found) return null;
    const place = places.get(found.handler);
    if (!place) return 'malformed';
    const { params } = found;
    for (const name in params) if (params[name] === '') return null;
    return { place, params };
  };
}

/** What a place answers, as the header `Allow` names it. */
export function allowedAt({ methods }: Place): string {
  const names = [...methods.keys(), 'OPTIONS', ...(methods.has('GET') ? ['HEAD'] : [])];
  return names.sort().join(', ');
}

function byPath(face: Face): ReadonlyMap<string, ReadonlyMap<string, Route>> {
  const paths = new Map<string, Map<string, Route>>();
  for (const route of face.routes) {
    const name = `${route.method} ${face.prefix}${route.path}`;
    if (!hasPolicy(route)) throw new Error(`${name} has no policy: say who may call it`);
    const methods = paths.get(route.path) ?? new Map<string, Route>();
    if (methods.has(route.method)) throw new Error(`${name} is declared twice`);
    methods.set(route.method, route);
    paths.set(route.path, methods);
  }
  return paths;
}

/** The types ask for one already; what came past them must not be open to everybody. */
function hasPolicy({ policy }: { readonly policy: unknown }): boolean {
  if (policy === 'public') return true;
  if (typeof policy !== 'object' || policy === null || !('permission' in policy)) return false;
  return typeof policy.permission === 'string' && policy.permission !== '';
}
