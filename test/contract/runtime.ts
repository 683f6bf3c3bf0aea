/** What every runtime owes; see src/ports/runtime.ts. */
import { expect } from 'chai';
import { DeploymentId, type SlotKey } from '../../src/domain/ids.ts';
import { type DesiredDeployment, type Runtime, StaleEpoch } from '../../src/ports/runtime.ts';

export function runtimeContract(name: string, open: () => Promise<Runtime>): void {
  describe(`Runtime contract: ${name}`, () => {
    const slot = 'acme.production.mailer' as SlotKey;
    let runtime: Runtime;
    beforeEach(async () => {
      runtime = await open();
    });
    afterEach(() => runtime.close());

    function desired(id: string, instances: number): DesiredDeployment {
      const deploymentId = DeploymentId.parse(`dep-${id}`);
      return { deploymentId, pluginVersion: '1.0.0', instances, configuration: {}, scenario: null };
    }
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

    it('refuses an older epoch and keeps what runs', async () => {
      await runtime.ensure(slot, 5, [desired('a', 2)]);
      const refused = await runtime.ensure(slot, 4, []).then(
        () => null,
        (error: unknown) => error,
      );
      expect(refused).to.be.instanceOf(StaleEpoch);
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
