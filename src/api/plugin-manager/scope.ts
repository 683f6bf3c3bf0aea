/** Whom a principal of this face is, and whose data it may name and see: the one place where tenants are kept apart (decisions 8). */
import type { z } from 'zod';
import type { Session } from '../../core/sessions.ts';
import { Environment, TenantId, UserId } from '../../domain/ids.ts';
import { Role } from '../../domain/permissions.ts';
import { noSuchTenant } from '../../domain/tenant.ts';
import type { UserManager } from '../../domain/user-changes.ts';
import type { Scope } from '../../ports/read-models.ts';
import type { Principal } from '../http/principal.ts';
import { Problem } from '../http/problem.ts';

export interface Caller {
  readonly userId: UserId;
  readonly tenant: TenantId;
  readonly role: Role;
}

/** The principal in the domain's words. */
export function callerOf({ userId, tenant, role }: Principal): Caller {
  return { userId: UserId.parse(userId), tenant: TenantId.parse(tenant), role: Role.parse(role) };
}

/** The only tenant whose data exists for the principal; null: all do. */
export function tenantOf(principal: Principal): TenantId | null {
  const { role, tenant } = callerOf(principal);
  return role === 'PlatformAdmin' ? null : tenant;
}

/** The principal as one who decides about users. */
export function managerOf(principal: Principal): UserManager {
  return { tenant: tenantOf(principal), permissions: principal.permissions };
}

/**
 * The session of a person, for what no program may do on behalf of one.
 * @throws {Problem} Forbidden, when an API key asks
 */
export function sessionOf(principal: Principal): Session {
  const { sessionId } = principal;
  if (sessionId === null) throw new Problem('Forbidden', 'This needs a session, not an API key: log in');
  return { userId: callerOf(principal).userId, sessionId };
}

/** Where an agent works: all that exists for it. */
export interface AgentPlace {
  readonly tenant: TenantId;
  readonly environment: Environment;
}

/**
 * First thing in every handler of what only agents may do.
 * @throws {Problem} Forbidden for everybody whose key is not scoped to an environment
 */
export function agentPlaceOf({ scope }: Principal): AgentPlace {
  if (!scope) throw new Problem('Forbidden', "This needs an agent's API key: make one with a scope");
  return { tenant: TenantId.parse(scope.tenant), environment: Environment.parse(scope.environment) };
}

/** What the principal's questions may see. */
export function scopeOf(principal: Principal): Scope {
  const tenant = tenantOf(principal);
  return tenant === null ? { kind: 'platform' } : { kind: 'tenant', tenant };
}

/**
 * First thing in every handler whose path, query or body names a tenant.
 * @throws {Problem} Forbidden for every tenant but one's own, in the same words whether it exists or not
 */
export function refuseOtherTenant(principal: Principal, named: string): void {
  const own = tenantOf(principal);
  if (own !== null && own !== named) throw new Problem('Forbidden', 'Only your own tenant is open to you');
}

/**
 * An id that stands in a path. One that breaks the rules of ids does not exist, like any other that nobody has.
 * @throws {Problem} NotFound
 */
export function idInPath<S extends z.ZodType>(schema: S, text: string, what: string): z.output<S> {
  const id = schema.safeParse(text);
  if (!id.success) throw notFound(what, text);
  return id.data;
}

export function noTenant(tenantId: string): Problem {
  return new Problem('NotFound', noSuchTenant(tenantId));
}

/** @param what is missing, `plugin` */
export function notFound(what: string, name: string): Problem {
  return new Problem('NotFound', `There is no ${what} ${name}`);
}
