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

const tags = {
  Authentication: 'Sessions: a token for a day, and its end.',
  Plugins: 'What publishers register: plugins, their versions, and what is said of them.',
  Marketplace: 'What is on offer, to be browsed and searched.',
  Capabilities: 'What plugins are capable of, and which of them.',
  'Plugin Deployments': 'Plugins that run for tenants: rollouts that watch themselves, and their end.',
  'Plugin Health': 'How deployments are doing, and how they did.',
  Secrets: 'Values that instances get and nobody else: they go in, and never come out.',
  Agents: 'What agents ask and tell: they run instances elsewhere, and watch them.',
  Tenants: 'Who runs plugins, within which bounds.',
  Users: 'Who may log in, and as what.',
  Audit: 'What happened: who did it, why, and what it changed.',
  Projections: 'Read models as those see them who run the platform.',
  'API keys': 'For programs: with permissions of their own, until a day of their own.',
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
    tags,
  };
}
