/** What every runtime owes; see src/ports/runtime.ts. */
import { expect } from 'chai';
import { DeploymentId, type SlotKey } from '../../src/domain/ids.ts';
import {
  type DesiredDeployment,
  type ProbedRuntime,
  type Runtime,
  type RuntimeKind,
  StaleEpoch,
} from '../../src/ports/runtime.ts';

const slot = 'acme.production.mailer' as SlotKey;

function desiring(runtime: RuntimeKind): (id: string, instances: number) => DesiredDeployment {
  return (id, instances) => ({
    ...{ deploymentId: DeploymentId.parse(`dep-${id}`), pluginVersion: '1.0.0' },
    ...{ instances, runtime, configuration: {}, scenario: null },
  });
}

/** Of every runtime, wherever its instances are. */
export function runtimeContract(name: string, open: () => Promise<Runtime>): void {
  describe(`Runtime contract: ${name}`, () => {
    let runtime: Runtime;
    beforeEach(async () => {
      runtime = await open();
    });
    afterEach(() => runtime.close());

    const state = async (epoch: number, instances: number, of = slot): Promise<unknown> =>
      runtime.ensure(of, epoch, instances > 0 ? [desiring(runtime.kind)('a', instances)] : []).then(
        () => null,
        (error: unknown) => error,
      );

    it('takes the same statement again, and a newer one', async () => {
      for (const [epoch, instances] of [
        [1, 2],
        [1, 2],
        [2, 3],
        [7, 0],
      ] as const)
        expect(await state(epoch, instances)).to.equal(null);
    });

    it('refuses an older epoch, of the same slot alone', async () => {
      await state(5, 2);
      expect(await state(4, 0)).to.be.instanceOf(StaleEpoch);
      expect(await state(4, 1, 'acme.production.other' as SlotKey)).to.equal(null);
      expect(await state(5, 2)).to.equal(null);
    });
  });
}

/** Of runtimes whose instances the platform's own prober asks, as well. */
export function probedRuntimeContract(name: string, open: () => Promise<ProbedRuntime>): void {
  runtimeContract(name, open);

  describe(`Runtime contract: instances of ${name}`, () => {
    let runtime: ProbedRuntime;
    let desired: ReturnType<typeof desiring>;
    beforeEach(async () => {
      runtime = await open();
      desired = desiring(runtime.kind);
    });
    afterEach(() => runtime.close());

    async function idsOf(id: string): Promise<string[]> {
      const seen = await runtime.inspect(slot);
      return (seen?.instances ?? []).filter((one) => one.deploymentId === `dep-${id}`).map((one) => one.id);
    }

    it('knows nothing of a slot that was never stated', async () => {
      expect(await runtime.inspect(slot)).to.equal(null);
    });

    it('starts what is missing, and stating the same again changes nothing', async () => {
      await runtime.ensure(slot, 1, [desired('a', 3)]);
      const first = await idsOf('a');
      await runtime.ensure(slot, 1, [desired('a', 3)]);
      expect(first).to.have.length(3);
      expect(await idsOf('a')).to.deep.equal(first);
    });

    it('runs two versions at once and keeps those that stay', async () => {
      await runtime.ensure(slot, 1, [desired('old', 4)]);
      const old = await idsOf('old');
      await runtime.ensure(slot, 2, [desired('old', 4), desired('new', 1)]);
      expect(await idsOf('old')).to.deep.equal(old);
      expect(await idsOf('new')).to.have.length(1);
    });

    it('stops what is too much and what is not named', async () => {
      await runtime.ensure(slot, 1, [desired('old', 4), desired('new', 2)]);
      await runtime.ensure(slot, 2, [desired('new', 1)]);
      expect(await idsOf('old')).to.deep.equal([]);
      expect(await idsOf('new')).to.have.length(1);
    });

    it('keeps what runs when it refuses an older epoch', async () => {
      await runtime.ensure(slot, 5, [desired('a', 2)]);
      await runtime.ensure(slot, 4, []).catch(() => undefined);
      expect(await idsOf('a')).to.have.length(2);
    });

    it('gives a fresh id to every start', async () => {
      await runtime.ensure(slot, 1, [desired('a', 2)]);
      const first = await idsOf('a');
      await runtime.ensure(slot, 2, []);
      await runtime.ensure(slot, 3, [desired('a', 2)]);
      expect(await idsOf('a')).to.have.length(2);
      expect((await idsOf('a')).filter((id) => first.includes(id))).to.deep.equal([]);
    });

    it('answers nothing for an instance that does not exist', async () => {
      expect(await runtime.probe('inst-unknown', 1000)).to.equal(null);
    });
  });
}
