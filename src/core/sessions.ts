/** Which sessions live: a record each in the vault, so that a logout holds at once and over restarts. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { UserId } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Vault, VaultKey } from '../ports/vault.ts';
import { LRUCache } from 'lru-cache';

export interface Session {
  readonly userId: UserId;
  readonly sessionId: string;
}

/** What lives is remembered in this process: a session that another process ended may live on here. */
export interface Sessions {
  /** Durable when it resolves. */
  open(userId: UserId, expiresAt: Date): Promise<Session>;
  isAlive(session: Session): Promise<boolean>;
  /** When it resolves, the session is refused, for ever. */
  end(session: Session): Promise<void>;
  /** @param except a session that lives on */
  endAllOf(userId: UserId, except?: string): Promise<void>;
  /** Calls back with the id of each session that this process ends, as soon as it is refused. */
  onEnd(callback: (sessionId: string) => void): void;
}

const kind = 'session';
const mostRemembered = 10_000;
const Record = z.object({ expiresAt: z.iso.datetime() });

export function createSessions(vault: Vault, clock: Pick<Clock, 'now'>): Sessions {
  /** When each ends, in milliseconds since 1970. */
  const alive = new LRUCache<string, number>({ max: mostRemembered });
  /** Counts endings: what was read before one must not be remembered after it. */
  let endings = 0;
  const told: ((sessionId: string) => void)[] = [];

  async function endByName(name: string): Promise<void> {
    await vault.delete({ kind, name });
    endings += 1;
    alive.delete(name);
    const sessionId = name.slice(name.lastIndexOf('.') + 1);
    for (const callback of told) callback(sessionId);
  }

  async function expiryOf(name: string): Promise<number | null> {
    const endingsBefore = endings;
    const value = await vault.get({ kind, name });
    if (!value) return null;
    const record: unknown = JSON.parse(Buffer.from(value).toString());
    const expiry = Date.parse(Record.parse(record).expiresAt);
    if (endings === endingsBefore) alive.set(name, expiry);
    return expiry;
  }

  return {
    async open(userId, expiresAt) {
      const session = { userId, sessionId: `ses_${randomBytes(16).toString('hex')}` };
      const record = JSON.stringify({ expiresAt: expiresAt.toISOString() });
      await vault.put(keyOf(session), Buffer.from(record), { expiresAt });
      return session;
    },
    async isAlive(session) {
      const { name } = keyOf(session);
      const expiry = alive.get(name) ?? (await expiryOf(name));
      return expiry !== null && clock.now() < expiry;
    },
    end: (session) => endByName(keyOf(session).name),
    async endAllOf(userId, except) {
      const kept = except === undefined ? null : keyOf({ userId, sessionId: except }).name;
      for (const name of await vault.names(kind, prefixOf(userId))) if (name !== kept) await endByName(name);
    },
    onEnd: (callback) => void told.push(callback),
  };
}

/** The user's id comes first, so that all sessions of a user are found by name. */
function keyOf({ userId, sessionId }: Session): VaultKey {
  return { kind, name: prefixOf(userId) + sessionId };
}

function prefixOf(userId: UserId): string {
  return `${userId}.`;
}
