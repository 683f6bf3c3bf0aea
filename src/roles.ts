/** What a process of the platform does, and what several of them need to be one platform. */
import { z } from 'zod';

/** Answer requests, keep read models up with the log, decide what happens next. */
export const serverRoles = ['api', 'projector', 'processes'] as const;
export type ServerRole = (typeof serverRoles)[number];

export const roles = z
  .string()
  .transform((list) => list.split(',').map((part) => part.trim()))
  .pipe(
    z.array(z.enum(serverRoles, { error: `must be some of ${serverRoles.join(', ')}, separated by commas` })),
  )
  .transform((named) => serverRoles.filter((role) => named.includes(role)));

type Environment = Readonly<Record<string, unknown>>;

/** Whether other processes may serve the same platform: the log and everything that follows from it are where all find them. */
export function isShared(given: Environment): boolean {
  return given['EVENTSTORE_URL'] !== undefined && given['MONGODB_URL'] !== undefined;
}

export function problemsOfSharing(given: Environment, asked: readonly ServerRole[]): readonly string[] {
  if (!isShared(given)) {
    if (asked.length === serverRoles.length) return [];
    return [
      'SLIPWAY_ROLES: several processes are one platform only where they share its stores: set EVENTSTORE_URL and MONGODB_URL, or let one process do everything',
    ];
  }
  return ['SLIPWAY_MASTER_KEY', 'JWT_SECRET']
    .filter((name) => given[name] === undefined)
    .map(
      (name) =>
        `${name}: must be given with EVENTSTORE_URL and MONGODB_URL, the same to every process; openssl rand -base64 32 makes one`,
    );
}
