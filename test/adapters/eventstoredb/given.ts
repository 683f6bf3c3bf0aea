/** Words that the tests against a real server are written in. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { StoreUnavailable, type EventStore, type NewEvent } from '../../../src/ports/event-store.ts';
import { openWireProxy, type WireProxy } from '../../support/wire-proxy.ts';
import { given } from '../../support/stores.ts';

/** Finds out soon that nobody answers. The client warns of keepalives below ten seconds, which tests cannot wait for. */
export const impatient = '&keepAliveInterval=1000&keepAliveTimeout=500';

/** The same server behind a proxy. @param url of one node, so that the client asks nobody where another is */
export async function behindProxy(url: string): Promise<{ readonly proxy: WireProxy; readonly url: string }> {
  const { hostname, port } = new URL(url.replace(/^esdb:/, 'http:'));
  if (hostname.includes(',')) throw new Error('faults at the wire need EVENTSTORE_URL to name one node');
  const proxy = await openWireProxy({ host: hostname, port: Number(port || 2113) });
  const proxied = url.replace(/^(esdb:[/][/](?:[^@/]*@)?)[^/?]+[/]?/, `$1${proxy.host}:${proxy.port}`);
  return { proxy, url: `${proxied}${impatient}` };
}

/**
 * As a caller does who was told that it is safe: the same events again, until the store has answered.
 * @returns false when it was given up before
 */
export async function appendedAtLast(
  store: EventStore,
  stream: string,
  expected: number | 'none',
  events: readonly NewEvent[],
  isOver: () => boolean,
): Promise<boolean> {
  for (;;) {
    try {
      await store.append(stream, expected, events);
      return true;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      if (isOver()) return false;
    }
  }
}

/** Ends the server as a power cut does, and starts it again. */
export async function restartServer(): Promise<void> {
  // The server takes every variable that begins with its name for a setting.
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('EVENTSTORE_'));
  await promisify(execFile)('sh', ['-c', given('EVENTSTORE_RESTART') ?? ''], {
    env: Object.fromEntries(others),
  });
}
