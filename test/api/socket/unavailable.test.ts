/** What a socket does when what it needs cannot be asked: nobody is let in unasked, and whoever was promised everything is sent back for it. */
import { expect } from 'chai';
import { pino } from 'pino';
import type { Authenticated } from '../../../src/api/authentication.ts';
import { createHttpServer } from '../../../src/api/http/server.ts';
import { openSockets } from '../../../src/api/socket/sockets.ts';
import { StoreUnavailable } from '../../../src/ports/event-store.ts';
import { openMemoryEventStore } from '../../support/memory-event-store.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';
import { openSocket } from './client.ts';
import { append } from './facts.ts';

const anybody: Authenticated = {
  ...{ userId: 'usr_1', tenant: 'acme', role: 'Viewer', permissions: new Set(['plugins:read']) },
  ...{ sessionId: 'ses_1', scope: null, apiKeyId: null, expiresAt: new Date('2031-01-01T00:00:00.000Z') },
};

describe('a socket whose server cannot ask', () => {
  const away = async () => {
    throw new StoreUnavailable('the disk is away');
  };

  /** @param broken what cannot be asked */
  async function connect(broken: 'session' | 'past' | 'end of the log') {
    const clock = createVirtualClock();
    const store = openMemoryEventStore({ clock });
    // Before the feed begins: it does not hold what was told then.
    await append(store, [{ channel: 'plugins', frames: 1 }]);
    const authenticate = async () => anybody;
    const holds = broken === 'session' ? away : async () => true;
    let opened = false;
    const sockets = await openSockets({
      ...{ clock, logger: pino({ level: 'silent' }), isReady: () => true, origins: [] },
      store: {
        ...store,
        readAll: (question) => (broken === 'past' ? away() : store.readAll(question)),
        head: () => (opened && broken === 'end of the log' ? away() : store.head()),
      },
      announcer: { announce: async () => [] },
      authentication: { authenticate, authenticateKey: authenticate, holds },
      sessions: { onEnd: () => undefined },
      isTrustedProxy: () => false,
      limits: { all: 10, perUser: 10 },
    });
    opened = true;
    const http = await createHttpServer({
      app: () => undefined,
      upgrades: sockets,
      host: '127.0.0.1',
      port: 0,
    });
    const client = await openSocket(http.url);
    client.send({ type: 'auth', token: 'x' });
    client.send({ type: 'subscribe', channels: ['plugins'], since: `${store.logId}:0` });
    const { code } = await client.closed;
    await Promise.all([http.stop(), sockets.stop()]);
    return { code, said: client.frames.map(({ type, error }) => error?.code ?? type) };
  }

  it('closes with 1013 before anything is told when it cannot find out whether one may listen', async () => {
    expect(await connect('session')).to.deep.equal({ code: 1013, said: ['SERVICE_UNAVAILABLE'] });
  });

  it('closes with 1013 when the past, or the place asked for, cannot be read', async () => {
    const said = ['authenticated', 'subscribed', 'SERVICE_UNAVAILABLE'];
    expect(await connect('past')).to.deep.equal({ code: 1013, said });
    expect(await connect('end of the log')).to.deep.equal({
      code: 1013,
      said: ['authenticated', 'SERVICE_UNAVAILABLE'],
    });
  });
});
