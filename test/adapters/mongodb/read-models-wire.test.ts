/** What read models in MongoDB hold when the wire does not. */
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import { StoreUnavailable } from '../../../src/ports/event-store.ts';
import type { ReadModels } from '../../../src/ports/read-models.ts';
import {
  checkpoint,
  deployments,
  failure,
  first,
  platform,
  plugins,
  put,
} from '../../contract/read-models-support.ts';
import {
  openOwnReadModels,
  testDatabase,
  throughProxy,
  type TestDatabase,
} from '../../support/mongo-database.ts';
import { withStore } from '../../support/stores.ts';
import { openWireProxy, type Fault, type WireProxy } from '../../support/wire-proxy.ts';

withStore('MONGODB_URL', 'read models in MongoDB, over a wire with faults', (server) => {
  let database: TestDatabase;
  let proxy: WireProxy;
  let models: ReadModels;
  /** The same database, over a wire of its own. */
  let beside: ReadModels;

  beforeEach(async () => {
    database = testDatabase(server);
    beside = await openOwnReadModels({ url: database.url });
    await beside.declare(first, [plugins, deployments]);
    await beside.commit(first, [put('plugins', 'p', null, { n: 0 })], checkpoint(0));
    await beside.activate(first);
    const { url, target } = throughProxy(database.url);
    proxy = await openWireProxy(target);
    models = await openOwnReadModels({ url: url(proxy), answerWithin: 500, serverWithin: 2_000 });
  });
  afterEach(async () => {
    await models.close();
    await beside.close();
    await proxy.close();
    await database.drop();
  });

  /** What is there: of the same commit everywhere, or the test fails. */
  async function kept(): Promise<number> {
    const [generation] = await beside.generations();
    const [document] = await beside.load(first, 'plugins', ['p']);
    const [other] = await beside.load(first, 'deployments', ['d']);
    const n = Number(document?.data['n']);
    expect(generation?.checkpoint).to.deep.equal(checkpoint(n));
    expect(other?.data['n'] ?? 0).to.equal(n);
    return n;
  }

  const commit = (n: number): Promise<void> =>
    models.commit(
      first,
      [put('plugins', 'p', null, { n, name: 'Payment' }), put('deployments', 'd', null, { n })],
      checkpoint(n),
    );

  /** As a projector does: a transaction that was cut off keeps others out until the server lets go of it. */
  async function repeated(attempt: () => Promise<void>): Promise<void> {
    for (;;)
      try {
        await attempt();
        return;
      } catch (error) {
        expect(error).to.be.instanceOf(StoreUnavailable);
      }
  }

  it('make a commit once, wherever its connection is cut', async () => {
    let made = 0;
    const cuts = [0, 1, 40, 200, 400, 700, 1_000, 1_300, 1_600, 2_000];
    const faults: readonly Fault[] = [
      ...cuts.map((after): Fault => ({ kind: 'reset', direction: 'up', after })),
      ...cuts.map((after): Fault => ({ kind: 'reset', direction: 'down', after })),
      { kind: 'reset', direction: 'up', after: 'commitTransaction' },
    ];
    for (const fault of faults) {
      proxy.fault(fault);
      made += 1;
      await commit(made);
      expect(await kept(), JSON.stringify(fault)).to.equal(made);
      proxy.heal();
    }
  });

  it('make a commit wholly or not at all when the server is away for longer than they wait, and go on once it is back', async function () {
    // A server lets go of a transaction that nobody ends after a minute.
    this.timeout(240_000);
    for (const [round, direction] of (['up', 'down'] as const).entries()) {
      proxy.fault({ kind: 'swallow', direction });
      const attempt = commit(2 * round + 1);
      expect(await failure(attempt)).to.be.instanceOf(StoreUnavailable);
      expect(await kept()).to.be.oneOf([2 * round, 2 * round + 1]);
      proxy.heal();
      await repeated(() => commit(2 * round + 2));
      expect(await kept()).to.equal(2 * round + 2);
    }
  });

  it('say that they cannot be asked, and answer again', async () => {
    const ask = () => models.get<{ readonly n: number }>('plugins', 'p', platform);
    await ask();
    proxy.fault({ kind: 'refuse' });
    proxy.cut();
    expect(await failure(ask())).to.be.instanceOf(StoreUnavailable);
    proxy.heal();
    expect((await ask())?.data.n).to.equal(0);
  });

  it('wait for a commit whose end nobody knows before they say where to go on', async () => {
    const client = new MongoClient(database.url);
    try {
      const session = client.startSession();
      session.startTransaction();
      await client
        .db()
        .collection<{ readonly _id: string }>('read_models')
        .updateOne(
          { _id: first.projection },
          { $set: { 'generations.v1.checkpoint': checkpoint(7) } },
          { session },
        );
      let isDeclared = false;
      const declared = beside.declare(first, [plugins, deployments]).then(() => (isDeclared = true));
      for (let asked = 0; asked < 20; asked += 1) await models.generations();
      expect(isDeclared).to.equal(false);
      await session.commitTransaction();
      await session.endSession();
      await declared;
      expect((await beside.generations())[0]?.checkpoint).to.deep.equal(checkpoint(7));
    } finally {
      await client.close();
    }
  });
});
