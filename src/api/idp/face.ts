/** The IDP's API, `/api`: webhooks, for now. */
import type { Face } from '../http/face.ts';
import type { FaceLimits } from '../http/rate-limiting.ts';
import type { Route } from '../http/route.ts';
import { IdpErrorBody, idpErrors } from './errors.ts';

/** "Rate Limiting" of the document: a thousand an hour. */
const limit = { points: 1_000, seconds: 3_600 };
export const idpLimits: FaceLimits = { reads: limit, writes: limit };

/** @param routes of all its resources, static paths before those with parameters */
export function idpFace(routes: readonly Route[]): Face {
  return {
    name: 'idp',
    prefix: '/api',
    operationPrefix: 'idp',
    tags: { Webhooks: 'Where to tell what happened: addresses, what they are told, and how it went.' },
    routes,
    errors: idpErrors,
    errorBody: IdpErrorBody,
    limits: idpLimits,
  };
}
