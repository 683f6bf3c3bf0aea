/** The whole application under requests that nobody would send: "Nothing is lost", last row, and "Nobody gets in" 4, 14, 15. */
import { expect } from 'chai';
import fc from 'fast-check';
import { z } from 'zod';
import { CreatedApiKeyAnswer } from '../../../src/api/plugin-manager/user-schemas.ts';
import { Role } from '../../../src/domain/permissions.ts';
import { createRecordingEgress } from '../../support/recording-egress.ts';
import { openMatrixWorld, type MatrixWorld } from '../matrix/world.ts';
import type { Asker } from './arbitrary-requests.ts';
import { soundRequests, unsoundBytes, type Fuzzed } from './fuzz.ts';

const long = process.env['SLIPWAY_LONG'] === '1';
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const ms = 1_000;
/** On a busy machine there are fewer, not slower ones. */
const bounds = { includeErrorInReport: true, seed, ...(long ? {} : { interruptAfterTimeLimit: 12 * ms }) };

/** Mostly those who get furthest. */
const weights: Readonly<Record<Role, number>> = {
  PlatformAdmin: 14,
  TenantAdmin: 8,
  PluginDeveloper: 4,
  Viewer: 1,
};

async function askersOf({ server, people, programs }: MatrixWorld): Promise<readonly Asker[]> {
  const body = { name: 'Agent', scope: { environment: 'Production' } };
  const agent = CreatedApiKeyAnswer.parse((await server.ask('TenantAdmin', 'POST', '/api-keys', body)).body);
  return [
    ...Role.options.map((role) => ({ name: role, headers: people[role].headers, weight: weights[role] })),
    { name: 'program', headers: programs.TenantAdmin.headers, weight: 1 },
    { name: 'agent', headers: { 'X-API-Key': agent.key }, weight: 4 },
  ];
}

const Line = z.looseObject({ level: z.number() });

describe(`the application, asked anything (SEED=${seed})`, function () {
  this.timeout(long ? 6 * 3_600 * ms : 60 * ms);
  let world: MatrixWorld;
  let fuzzed: Fuzzed;

  before(async () => {
    const faults: string[] = [];
    const log = (line: string): void => {
      if (Line.parse(JSON.parse(line)).level >= 50) faults.push(line);
    };
    world = await openMatrixWorld({}, log, { egress: createRecordingEgress() });
    const { url } = world.server;
    fuzzed = {
      ...{ url, faults, seen: new Set(), things: world.things, askers: await askersOf(world) },
      // Who asks would be nobody from then on.
      operations: world.operations.filter(({ path }) => !path.endsWith('/logout')),
      document: await (await fetch(`${url}/api/openapi.json`)).text(),
    };
  });
  after(() => world.server.stop());

  async function servesOn(): Promise<void> {
    await world.server.settle();
    expect((await world.server.call('GET', '/ready')).status).to.equal(200);
    const { headers } = world.programs.PlatformAdmin;
    expect((await world.server.call('GET', '/api/v1/users/me', { headers })).status).to.equal(200);
  }

  it('answers whatever is put into requests', async () => {
    await fc.assert(soundRequests(fuzzed), { ...bounds, numRuns: long ? 100_000 : 2_000 });
    await servesOn();
    // Or it would have come no further than the door.
    expect([...fuzzed.seen]).to.include.members([200, 400, 401, 403, 404, 405]);
  });

  it('answers, or hangs up on, what is no HTTP', async () => {
    await fc.assert(unsoundBytes(fuzzed), { ...bounds, numRuns: long ? 5_000 : 60 });
    await servesOn();
  });
});
