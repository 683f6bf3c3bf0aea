/** Which sessions live: a record each in the vault, so that a logout holds at once, over restarts and for other processes. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { UserId } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Vault, VaultKey } from '../ports/vault.ts';
import { LRUCache } from 'lru-cache';
import { sleep } from './waiting.ts';

export interface Session {
  readonly userId: UserId;
  readonly sessionId: string;
}

export interface Sessions {
  /** Durable when it resolves. */
  open(userId: UserId, expiresAt: Date): Promise<Session>;
  isAlive(session: Session): Promise<boolean>;
  /** When it resolves, the session is refused, for ever. */
  end(session: Session): Promise<void>;
  /** @param except a session that lives on */
  endAllOf(userId: UserId, except?: string): Promise<void>;
  /**
   * Calls back with the id of each session that is ended, as soon as it is refused: at once when this process ends it, and while it
   * follows others, within about a second when another does. It may call back twice.
   */
  onEnd(callback: (sessionId: string) => void): void;
  /** Looks for what other processes end, until the signal aborts. */
  followOthers(follow: {
    readonly clock: Clock;
    readonly log: Log;
    readonly signal: AbortSignal;
  }): Promise<void>;
}

const kind = 'session';
/** Sessions that ended within the last minute, by their ids: how processes tell each other. */
const endedKind = 'ended-session';
const toldForMs = 60_000;
const lookEveryMs = 1_000;
const mostRemembered = 10_000;
const Record = z.object({ expiresAt: z.iso.datetime() });

/**
 * @param options.isShared whether other processes may end sessions too: then the vault is asked every time. Otherwise what lives is
 *   remembered in this process
 */
export function createSessions(
  vault: Vault,
  clock: Pick<Clock, 'now'>,
  { isShared }: { readonly isShared: boolean } = { isShared: false },
): Sessions {
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
    if (isShared)
      await vault.put({ kind: endedKind, name: sessionId }, new Uint8Array(), {
        expiresAt: new Date(clock.now() + toldForMs),
      });
    for (const callback of told) callback(sessionId);
  }

  async function expiryOf(name: string): Promise<number | null> {
    const endingsBefore = endings;
    const value = await vault.get({ kind, name });
    if (!value) return null;
    const record: unknown = JSON.parse(Buffer.from(value).toString());
    const expiry = Date.parse(Record.parse(record).expiresAt);
    if (!isShared && endings === endingsBefore) alive.set(name, expiry);
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
    async followOthers({ clock: time, log, signal }) {
      let known = new Set<string>();
      while (!signal.aborted) {
        try {
          const ended = new Set(await vault.names(endedKind));
          for (const sessionId of ended)
            if (!known.has(sessionId)) for (const callback of told) callback(sessionId);
          known = ended;
        } catch (error) {
          log.warn({ err: error }, 'sessions that ended could not be looked for; it is tried again');
        }
        await sleep(time, lookEveryMs, signal);
      }
    },
  };
}

/** The user's id comes first, so that all sessions of a user are found by name. */
function keyOf({ userId, sessionId }: Session): VaultKey {
  return { kind, name: prefixOf(userId) + sessionId };
}

function prefixOf(userId: UserId): string {
  return `${userId}.`;
}
