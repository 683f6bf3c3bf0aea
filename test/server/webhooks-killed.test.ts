/** The whole server, killed at every moment of a delivery: whatever was announced arrives at least once, always under its id. */
import type { ServerResponse } from 'node:http';
import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { openReceiver, type Received } from '../support/receiver.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { logInAsAdmin, spawnServer, type SpawnedServer } from '../support/spawned-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';
import { caller } from '../support/writing-client.ts';

const rounds = process.env['SLIPWAY_LONG'] === '1' ? 30 : 3;
const seed = Number(process.env['SEED'] ?? Date.now());
const secret = 'a-secret-of-sixteen-or-more';

/** When the server is killed, as its receiver sees it. */
const moments = ['before the answer', 'within the answer', 'after the answer'] as const;

const Payload = z.object({ id: z.string(), data: z.object({ slug: z.string() }) });
const Deliveries = z.object({
  deliveries: z.array(z.object({ id: z.string(), status: z.string() })),
});

describe(`a server killed while it sends webhooks (SEED=${seed})`, function () {
  this.timeout(60_000 + rounds * 40_000);

  it('delivers everything that was announced at least once, each under one id', async () => {
    const random = seededRandom(seed);
    const folder = await temporaryFolder();
    /** What was answered to the last byte. */
    const arrived: Received[] = [];
    let moment: (typeof moments)[number] | null = null;
    let kill = (): void => undefined;
    const whole = (response: ServerResponse, received: Received): void => {
      response.writeHead(204).end(() => arrived.push(received));
    };
    const receiver = await openReceiver((_request, response, received) => {
      if (moment === null || moment === 'after the answer') whole(response, received);
      if (moment === 'within the answer') response.writeHead(200, { 'Content-Length': '10' }).write('half');
      kill();
    });
    let server: SpawnedServer | null = null;
    const start = async (): Promise<SpawnedServer> => {
      server = await spawnServer(folder.path, { SLIPWAY_EGRESS_ALLOW: '127.0.0.0/8' });
      return server;
    };
    try {
      let running = await start();
      const token = await logInAsAdmin(running.client);
      const body = { url: receiver.url, events: ['plugin.registered'], secret };
      const made = await running.client.call('POST', '/api/webhooks', { token, body });
      expect(made.status).to.equal(201);
      const { id: webhookId } = z.object({ id: z.string() }).parse(made.body);

      let count = 0;
      const registered: string[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const killed = Promise.withResolvers<undefined>();
        const victim = running;
        const turns = random.between(0, 3);
        kill = () =>
          void Promise.resolve(afterTurns(turns))
            .then(() => victim.kill())
            .then(() => killed.resolve(undefined));
        moment = moments[round % moments.length] ?? null;
        const call = caller(running.client, token);
        for (let more = 0; more < 3; more += 1) {
          const pluginId = `plugin-${(count += 1)}`;
          const version = { semanticVersion: '1.0.0', state: 'Stable', runtime: { type: 'DotNet8' } };
          // Killed before it answered: whether it is there is asked below.
          const reply = await call('POST', '/plugins', { pluginId, name: pluginId, version }).catch(
            () => null,
          );
          if (reply?.status === 201) registered.push(pluginId);
        }
        await killed.promise;
        running = await start();
      }
      moment = null;
      kill = () => undefined;

      const list = await caller(running.client, token)('GET', '/plugins?limit=100');
      const { plugins } = z.object({ plugins: z.array(z.object({ pluginId: z.string() })) }).parse(list.body);
      const there = plugins.map(({ pluginId }) => pluginId);
      expect(there).to.include.members(registered);
      const payloadOf = ({ body: text }: Received) => Payload.parse(JSON.parse(text));
      const told = () => new Set(arrived.map((received) => payloadOf(received).data.slug));
      await until(`all of ${there.join()} have arrived`, 60_000, async () =>
        told().size === there.length ? true : null,
      );
      expect([...told()]).to.have.members(there);

      const ids = new Map<string, string>();
      for (const received of receiver.received) {
        new Webhook(secret, { format: 'raw' }).verify(received.body, headersOf(received));
        const { id, data } = payloadOf(received);
        expect(received.headers['webhook-id']).to.equal(id);
        expect(ids.get(data.slug) ?? id, 'one id for one event').to.equal(id);
        ids.set(data.slug, id);
      }
      expect(new Set(ids.values()).size).to.equal(there.length);
      // Whoever was killed before a whole answer came has sent again: else nothing of this was tried.
      expect(receiver.received.length).to.be.above(there.length);

      const shown = await until('it is recorded', 10_000, async () => {
        const path = `/api/webhooks/${webhookId}/deliveries?limit=100`;
        const page = Deliveries.parse((await running.client.call('GET', path, { token })).body);
        return page.deliveries.every(({ status }) => status === 'delivered') ? page.deliveries : null;
      });
      expect(shown.map(({ id }) => id)).to.have.members([...ids.values()]);
      expect(await running.stop()).to.equal(0);
    } finally {
      await (server as SpawnedServer | null)?.kill();
      await receiver.close();
      await folder.remove();
    }
  });
});

function headersOf({ headers }: Received) {
  const text = (name: string): string => String(headers[name]);
  return {
    'webhook-id': text('webhook-id'),
    'webhook-timestamp': text('webhook-timestamp'),
    'webhook-signature': text('webhook-signature'),
  };
}

async function afterTurns(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
