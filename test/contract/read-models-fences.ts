/** The part of the ReadModels contract about who may write: of several processes, the one that was given the last lease. */
import { expect } from 'chai';
import { StaleFence, type ReadModels } from '../../src/ports/read-models.ts';
import { checkpoint, failure, first, ids, plugins, put, second } from './read-models-support.ts';

export function fencesContract(models: () => ReadModels): void {
  describe('fences', () => {
    const commit = (fence: number | undefined, id: string, at: number) =>
      models().commit(first, [put('plugins', id, null, { n: at })], checkpoint(at), fence);
    const kept = async () => {
      const [generation] = await models().generations();
      const documents = await models().load(first, 'plugins', ['p1', 'p2', 'p3']);
      return { at: generation?.checkpoint, ids: ids(documents).toSorted(), active: generation?.active };
    };

    beforeEach(() => models().declare(first, [plugins]));

    it('let the same writer write on, and refuse whoever comes after a higher one', async () => {
      await commit(3, 'p1', 1);
      await commit(3, 'p2', 2);
      await commit(7, 'p3', 3);
      const before = await kept();
      expect(await failure(commit(6, 'p1', 4))).to.be.instanceOf(StaleFence);
      expect(await failure(models().reset(first, 3))).to.be.instanceOf(StaleFence);
      expect(await failure(models().activate(first, 6))).to.be.instanceOf(StaleFence);
      expect(await kept()).to.deep.equal(before);
      expect(before).to.deep.equal({ at: checkpoint(3), ids: ['p1', 'p2', 'p3'], active: false });
      await models().activate(first, 7);
      await models().reset(first, 8);
      expect(await failure(commit(7, 'p1', 1))).to.be.instanceOf(StaleFence);
      expect(await kept()).to.deep.equal({ at: null, ids: [], active: true });
    });

    it('are shown before anything is read, so that what is read is the last word of who came before', async () => {
      await commit(1, 'p1', 1);
      await models().fence(first, 2);
      expect(await kept()).to.deep.include({ at: checkpoint(1), ids: ['p1'] });
      expect(await failure(commit(1, 'p2', 2))).to.be.instanceOf(StaleFence);
      expect(await failure(models().fence(first, 1))).to.be.instanceOf(StaleFence);
      await models().fence(first, 2);
      await commit(2, 'p2', 2);
      expect(await kept()).to.deep.include({ at: checkpoint(2), ids: ['p1', 'p2'] });
    });

    it('stay with a generation when it is declared again, emptied or activated', async () => {
      await models().fence(first, 5);
      await models().declare(first, [plugins]);
      await models().reset(first, 5);
      await models().activate(first, 5);
      expect(await failure(commit(4, 'p1', 1))).to.be.instanceOf(StaleFence);
    });

    it('of two generations have nothing to do with each other', async () => {
      await models().declare(second, [plugins]);
      await models().fence(second, 9);
      await commit(1, 'p1', 1);
      expect(await kept()).to.deep.include({ ids: ['p1'] });
    });

    it('are not asked of who is alone', async () => {
      await models().fence(first, 5);
      await commit(undefined, 'p1', 1);
      await models().activate(first);
      await models().reset(first);
      expect(await kept()).to.deep.equal({ at: null, ids: [], active: true });
    });

    it('are unknown to what nobody declared', async () => {
      await failure(models().fence(second, 1));
      await failure(models().commit(second, [], checkpoint(1), 1));
    });

    it('let one of many that race write last: the highest', async () => {
      const fences = Array.from({ length: 20 }, (_, index) => index + 1);
      const all = fences.map((fence) => commit(fence, `p${(fence % 3) + 1}`, fence));
      await Promise.allSettled(all);
      expect((await kept()).at).to.deep.equal(checkpoint(20));
    });
  });
}
