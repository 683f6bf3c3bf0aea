/** A deletion that a crash left half done blocks its plugin for half a minute, not for ever. */
import { expect } from 'chai';
import { PluginId } from '../../src/domain/ids.ts';
import { plugin } from '../../src/domain/plugin.ts';
import { startDeletion } from '../../src/domain/plugin-deletion.ts';
import { refusalOf } from '../commands/support.ts';
import { openWorld, type World } from '../support/simulated-platform.ts';

describe('a deletion that was left half done', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld({ seed: 'deletions' });
    await world.register('mailer', '1.0.0');
  });
  afterEach(() => world.close());

  const mark = () =>
    world.run(({ executor, clock }, context) =>
      executor.execute({
        ...{ aggregate: plugin, id: 'mailer', tenant: 'platform', context },
        decide: (state) =>
          startDeletion(state, {
            deletionId: context.commandId,
            at: new Date(clock.now()).toISOString(),
          }),
      }),
    );
  const lastType = async () => (await world.eventsOf('plugin-mailer')).at(-1)?.type;

  it('is ended after a while, though nobody asks', async () => {
    await mark();
    expect((await refusalOf(world.deploy('mailer', '1.0.0'))).message).to.match(/being deleted/);
    expect(await lastType()).to.equal('PluginDeletionStarted');
    await world.pass(120);
    expect(await lastType()).to.equal('PluginDeleted');
    expect((await refusalOf(world.deploy('mailer', '1.0.0'))).refused).to.equal('NotFound');
  });

  it('is ended after a crash, and leaves be what is deployed', async () => {
    await world.deploy('mailer', '1.0.0');
    await mark();
    await world.crash(3_600);
    await world.pass(120);
    expect(await lastType()).to.equal('PluginDeletionRefused');
    const { state } = await world.run(({ executor }) => executor.load(plugin, PluginId.parse('mailer')));
    expect(state).to.have.property('deletion', null);
  });
});
