/** The Plugin Manager API, `/api/v1`. */
import type { Face } from '../http/face.ts';
import type { Route } from '../http/route.ts';
import { ErrorBody, pluginManagerErrors } from './errors.ts';

/** @param routes of all its resources, static paths before those with parameters */
export function pluginManagerFace(routes: readonly Route[]): Face {
  return {
    name: 'plugin-manager',
    prefix: '/api/v1',
    routes,
    errors: pluginManagerErrors,
    errorBody: ErrorBody,
  };
}
