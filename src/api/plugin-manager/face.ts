/** The Plugin Manager API, `/api/v1`. */
import type { Face } from '../http/face.ts';
import type { FaceLimits } from '../http/rate-limiting.ts';
import type { Route } from '../http/route.ts';
import { ErrorBody, pluginManagerErrors } from './errors.ts';

export const prefix = '/api/v1';

/** "Rate Limits by Endpoint" of the document, for all its endpoints. */
export const pluginManagerLimits: FaceLimits = {
  reads: { points: 60, seconds: 60 },
  writes: { points: 10, seconds: 60 },
};

/** @param routes of all its resources, static paths before those with parameters */
export function pluginManagerFace(routes: readonly Route[]): Face {
  return {
    name: 'plugin-manager',
    prefix,
    routes,
    errors: pluginManagerErrors,
    errorBody: ErrorBody,
    limits: pluginManagerLimits,
  };
}
