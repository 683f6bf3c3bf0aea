/** Webhooks of the whole platform over virtual days: receivers that fail by chance, a platform that is killed again and again. */
import { expect } from 'chai';
import { createWebhook } from '../../src/commands/create-webhook.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import { platformTenant, TenantId, UserId } from '../../src/domain/ids.ts';
import { allEvents } from '../../src/events.ts';
import { EgressFailed } from '../../src/ports/egress.ts';
import { createAnnouncer } from '../../src/projections/announcements/announcer.ts';
import { webhookType } from '../../src/projections/announcements/types.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { openWorld } from '../support/simulated-platform.ts';

const types = [
  'deployment.completed',
  'deployment.rolled_back',
  'deployment.failed',
  'plugin.installed',
  'plugin.updated',
];
const hourMs = 3_600_000;
const seeds = process.env['SLIPWAY_LONG'] ? 100 : 3;

describe('webhooks over virtual days', function () {
  this.timeout(600_000);

  for (let seed = 1; seed <= seeds; seed += 1)
    it(`deliver everything that was announced, to whom it concerns, over failures and crashes (seed ${seed})`, async () => {
      const chance = seededRandom(seed);
      const world = await openWorld({ seed: `webhooks-${seed}` });
      try {
        const healthCheck = { intervalSeconds: 3_600 };
        const delivered = new Map<string, Set<string>>();
        /** Which receivers asked to be left alone: from when until when, as far as that binds. */
        const asked = new Map<string, { readonly from: number; readonly until: number }>();
        const hurried: string[] = [];
        world.egress.answer = async ({ url, headers }) => {
          const now = world.clock.now();
          const quiet = asked.get(url);
          // What was under way at the moment of the asking could not know of it.
          if (quiet && now > quiet.from && now < quiet.until) hurried.push(`${url} at ${now}`);
          if (chance.chance(0.2)) throw new EgressFailed('Unreachable', 'No connection came about');
          const status = chance.chance(0.2) ? 503 : 200;
          if (status === 503 && chance.chance(0.5)) {
            const retryAfterMs = chance.between(1, 90) * 60_000;
            asked.set(url, {
              from: now,
              until: Math.max(quiet?.until ?? 0, now + Math.min(retryAfterMs, hourMs)),
            });
            return { status, retryAfterMs, body: new Uint8Array() };
          }
          const ids = delivered.get(url) ?? new Set();
          if (status === 200) delivered.set(url, ids.add(headers?.['webhook-id'] ?? ''));
          return { status, body: new Uint8Array() };
        };
        await world.register('mailer', '1.0.0');
        await world.register('mailer', '2.0.0');
        const listen = (tenantId: TenantId, url: string): Promise<unknown> =>
          world.run((has, context) =>
            createWebhook(has, context, {
              ...{ tenantId, url, types, active: true, secret: null },
              ...{ name: null, description: null, createdBy: UserId.parse('usr_1') },
            }),
          );
        await world.deploy('mailer', '1.0.0', {
          totalInstances: 2,
          strategyConfig: { bakeSeconds: '60' },
          healthCheck,
        });
        await world.pass(6 * 3_600);
        // What was announced before is not told.
        const from = await world.position();
        await listen(TenantId.parse('acme'), 'https://acme.example.com/');
        await listen(platformTenant, 'https://platform.example.com/');
        await listen(TenantId.parse('globex'), 'https://globex.example.com/');
        for (let day = 0; day < 4; day += 1) {
          const simulate = chance.pick(['healthy', 'sick-after:7200', 'sick-after:30000']);
          const pluginVersion = day % 2 === 0 ? '2.0.0' : '1.0.0';
          await world.deploy('mailer', pluginVersion, {
            ...{ totalInstances: 2, strategyConfig: { bakeSeconds: '7200' }, healthCheck, force: true },
            configuration: { simulate, day },
          });
          await world.pass(chance.between(1, 20) * 3_600);
          await world.crash(chance.between(1, 7_200));
          // What was asked in an answer that died with the platform is not known to it.
          asked.clear();
          await world.pass(chance.between(20, 30) * 3_600);
        }
        await world.pass(30 * 3_600);

        const announced: string[] = [];
        await world.run(async ({ store, executor, vault }) => {
          const announcer = createAnnouncer({ store, executor, vault, schemas: createSchemas(allEvents) });
          const { events } = await store.readAll({ after: from, limit: 10_000 });
          for (const event of events)
            for (const { id, type } of await announcer.announce(event))
              if (types.includes(webhookType(type))) announced.push(id);
        });
        expect(announced.length).to.be.at.least(4);
        expect(hurried).to.deep.equal([]);
        const told = (url: string): ReadonlySet<string> => delivered.get(url) ?? new Set();
        expect([...told('https://acme.example.com/')]).to.have.members(announced);
        expect([...told('https://platform.example.com/')]).to.have.members(announced);
        expect([...told('https://globex.example.com/')]).to.deep.equal([]);
        expect(world.parked).to.deep.equal([]);
      } finally {
        await world.close();
      }
    });
});
