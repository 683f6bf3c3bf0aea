/** Session tokens: signed, short-lived statements of who asks (RFC 8725, RFC 9068). That the session lives, sessions.ts knows. */
import { createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { TenantId, UserId } from '../domain/ids.ts';
import { Permission, permissionsOf, Role } from '../domain/permissions.ts';
import type { Clock } from '../ports/clock.ts';
import { LRUCache } from 'lru-cache';

export interface SessionClaims {
  readonly userId: UserId;
  readonly tenantId: TenantId;
  readonly role: Role;
  readonly permissions: readonly Permission[];
  readonly sessionId: string;
  /** From then on the token is refused. */
  readonly expiresAt: Date;
}

export interface Tokens {
  /** @param session.expiresAt whole seconds */
  sign(session: Omit<SessionClaims, 'permissions'>): Promise<string>;
  /** @throws {TokenRefused} */
  verify(token: string): Promise<SessionClaims>;
}

/** Not a token of ours that holds now. `reason` is for logs: who asked learns only that it was refused. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
  readonly reason: string;
  constructor(reason: string) {
    super('the token is not valid');
    this.reason = reason;
  }
}

const issuer = 'slipway';
const audience = 'slipway';
const algorithm = 'HS256';
const type = 'at+jwt';
/** A wall clock that was set back a little must not refuse what was just signed. */
const earlySeconds = 30;
/** Verifying takes over 100 µs, finding out that it was done before 3. */
const mostRemembered = 10_000;

const header = { alg: algorithm, typ: type };
const headerText = Buffer.from(JSON.stringify(header)).toString('base64url');
/**
 * The header that we write is the only one, to the byte. So nothing of what comes with a token is read before its signature has been
 * checked: no algorithm, no key (`jwk`, `jku`, `x5u`, `kid`), no member twice. The signature has one spelling: 43 characters carry two
 * bits that its 32 bytes do not need.
 */
const form = new RegExp(`^${headerText}\\.[\\w-]+\\.[\\w-]{42}[AEIMQUYcgkosw048]$`);

const Claims = z.object({
  sub: UserId,
  tenant: TenantId,
  sid: z.string().min(1),
  role: Role,
  permissions: z.array(Permission),
  use: z.literal('session'),
  exp: z.number(),
  nbf: z.number(),
  iat: z.number(),
});

/** @param secret at least 32 bytes */
export function createTokens(secret: KeyObject, clock: Pick<Clock, 'now'>): Tokens {
  const verified = new LRUCache<string, z.output<typeof Claims>>({ max: mostRemembered });

  async function check(token: string): Promise<z.output<typeof Claims>> {
    const { payload } = await jwtVerify(token, secret, {
      algorithms: [algorithm],
      issuer,
      audience,
      typ: type,
      currentDate: new Date(clock.now()),
    });
    return Claims.parse(payload);
  }

  return {
    sign({ userId, tenantId, role, sessionId, expiresAt }) {
      const now = Math.floor(clock.now() / 1000);
      const own = {
        tenant: tenantId,
        sid: sessionId,
        role,
        permissions: permissionsOf(role),
        use: 'session',
      };
      return new SignJWT(own)
        .setProtectedHeader(header)
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(userId)
        .setIssuedAt(now)
        .setNotBefore(now - earlySeconds)
        .setExpirationTime(Math.floor(expiresAt.getTime() / 1000))
        .sign(secret);
    },
    async verify(token) {
      if (!form.test(token)) throw new TokenRefused('it has another form than ours');
      const hash = createHash('sha256').update(token).digest('base64');
      let claims = verified.get(hash);
      if (!claims) {
        claims = await check(token).catch((error: unknown) => {
          throw new TokenRefused(error instanceof Error ? error.message : String(error));
        });
        verified.set(hash, claims);
      }
      const now = Math.floor(clock.now() / 1000);
      if (claims.exp <= now || claims.nbf > now || claims.iat - earlySeconds > now) {
        verified.delete(hash);
        throw new TokenRefused('it was valid before, and is not now');
      }
      return {
        userId: claims.sub,
        tenantId: claims.tenant,
        role: claims.role,
        permissions: claims.permissions,
        sessionId: claims.sid,
        expiresAt: new Date(claims.exp * 1000),
      };
    },
  };
}
