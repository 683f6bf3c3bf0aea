import { rolesWith } from '../../domain/permissions.ts';
import type { Principal } from './principal.ts';
import { Problem } from './problem.ts';

/** Who may not do something is told who may: the roles of a permission are no secret, the API reference names them as well. */
export function lacking({ role, sessionId }: Principal, permission: string): Problem {
  const roles: readonly string[] = rolesWith(permission);
  const needed = `This needs the permission ${permission}`;
  if (sessionId === null && roles.includes(role))
    return new Problem('Forbidden', `${needed}, which this API key was not given`);
  const who = roles.length === 0 ? '' : `, which ${role} does not have: ask ${either(roles)}`;
  return new Problem('Forbidden', needed + who);
}

/** `a PlatformAdmin or TenantAdmin` */
function either(roles: readonly string[]): string {
  return `a ${roles.join(', ').replace(/, ([^,]*)$/, ' or $1')}`;
}
