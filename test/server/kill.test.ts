/** The whole server, killed at any moment while it is written to ("Nothing is lost"). */
import { expect } from 'chai';
import { seededRandom } from '../support/seeded-random.ts';
import { logInAsAdmin, spawnServer, type SpawnedServer } from '../support/spawned-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { autopsy, documentDifferences, logFaults } from '../support/whole-log.ts';
import { caller, createWritingClient, prefixFaults } from '../support/writing-client.ts';

const rounds = process.env['SLIPWAY_LONG'] === '1' ? 1_000 : 30;
/** Then another folder begins: the time that a start takes is not what is tested here. */
const roundsPerFolder = 50;
const seed = Number(process.env['SEED'] ?? Date.now());

describe(`a server killed under 8 writing clients (SEED=${seed})`, function () {
  this.timeout(rounds * 10_000);

  for (let done = 0; done < rounds; done += roundsPerFolder) {
    const count = Math.min(roundsPerFolder, rounds - done);
    it(`loses nothing that it acknowledged, ${count} times`, () => killRepeatedly(seed + done, count));
  }
});

async function killRepeatedly(startingSeed: number, count: number): Promise<void> {
  const random = seededRandom(startingSeed);
  const clientOf = (index: number) =>
    createWritingClient(`c${index}`, seededRandom(random.between(0, 2 ** 32)));
  const [data, scratch] = [await temporaryFolder(), await temporaryFolder()];
  const clients = Array.from({ length: 8 }, (_, index) => clientOf(index));
  let server: SpawnedServer | null = null;
  let token: string | null = null;
  try {
    for (let round = 1; round <= count; round += 1) {
      const running = (server = await spawnServer(data.path));
      token ??= await logInAsAdmin(running.client);
      const call = caller(running.client, token);
      const faults = await Promise.all(clients.map((client) => client.lookBack(call)));
      expect(faults.flat(), `round ${round}`).to.deep.equal([]);

      let answersLeft = random.between(1, 60);
      const turns = random.between(0, 40);
      const onAnswer = (): void => {
        answersLeft -= 1;
        if (answersLeft === 0) afterTurns(turns, () => void running.kill());
      };
      await Promise.all(clients.map((client) => client.write(call, onAnswer)));
      expect(answersLeft, 'it ended by itself').to.be.at.most(0);
      await running.kill();
      if (round % 15 === 0 || round === count) await examine(data.path, scratch.path);
    }

    server = await spawnServer(data.path);
    const call = caller(server.client, token ?? '');
    for (const client of clients) {
      expect(await client.lookBack(call)).to.deep.equal([]);
      const there = [];
      for (const { isThere } of client.commands) there.push(await isThere(call));
      expect(prefixFaults(client.commands, there)).to.deep.equal([]);
    }
    expect(await server.stop()).to.equal(0);
    await examine(data.path, scratch.path);
  } finally {
    await server?.kill();
    await data.remove();
    await scratch.remove();
  }
}

describe('what looks for losses', () => {
  const event = (id: string, stream: string, revision: number) => ({ id, stream, revision });
  const document = (data: object) => ({ id: 'a', tenant: 'acme', data: { ...data } });

  it('finds an event that is lost, and one that is there twice', () => {
    const log = [event('1', 'a', 0), event('2', 'a', 1), event('3', 'b', 0), event('4', 'a', 2)];
    expect(logFaults(log)).to.deep.equal([]);
    expect(logFaults(log.toSpliced(1, 1))).to.deep.equal(['a has revision 2 where 1 belongs']);
    expect(logFaults([...log, event('3', 'b', 1)])).to.deep.equal(['event 3 is there twice']);
  });

  it('finds a document that is missing, too much or another', () => {
    const kept = new Map([['tenants/a', document({ name: 'A', tier: 'Basic' })]]);
    expect(
      documentDifferences(kept, new Map([['tenants/a', document({ tier: 'Basic', name: 'A' })]])),
    ).to.deep.equal([]);
    expect(
      documentDifferences(kept, new Map([['tenants/a', document({ name: 'B', tier: 'Basic' })]])),
    ).to.deep.equal(['tenants/a']);
    expect(documentDifferences(kept, new Map())).to.deep.equal(['tenants/a']);
    expect(documentDifferences(new Map(), kept)).to.deep.equal(['tenants/a']);
  });

  it('finds what was acknowledged and lost, and a gap in what was not', () => {
    const commands = [
      { name: 'first', outcome: 'acknowledged' as const },
      { name: 'second', outcome: 'unknown' as const },
      { name: 'third', outcome: 'unknown' as const },
    ];
    expect(prefixFaults(commands, [true, false, false])).to.deep.equal([]);
    expect(prefixFaults(commands, [true, true, false])).to.deep.equal([]);
    expect(prefixFaults(commands, [false, false, false])).to.deep.equal([
      'first was acknowledged and is lost',
    ]);
    expect(prefixFaults(commands, [true, false, true])).to.deep.equal([
      'second is missing before what came after it',
    ]);
  });
});

async function examine(dataFolder: string, scratch: string): Promise<void> {
  const { events, kept, rebuilt } = await autopsy(dataFolder, scratch);
  expect(logFaults(events)).to.deep.equal([]);
  expect(documentDifferences(kept, rebuilt)).to.deep.equal([]);
  expect(rebuilt.size).to.be.greaterThan(0);
}

/** Calls back after so many turns of the event loop: in between, requests and answers travel. */
function afterTurns(turns: number, then: () => void): void {
  if (turns === 0) then();
  else setImmediate(() => afterTurns(turns - 1, then));
}
