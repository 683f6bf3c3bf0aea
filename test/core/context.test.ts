import { expect } from 'chai';
import fc from 'fast-check';
import { v5 } from 'uuid';
import { derivedId, eventId, processContext, step } from '../../src/core/context.ts';
import { uuidV5 } from '../../src/core/uuid-v5.ts';

describe('command contexts', () => {
  const command = { process: 'rollouts', key: 'dep-1', purpose: 'advance @3', correlationId: 'c1' };

  it('of steps follow from the command and their names', () => {
    const context = processContext(command);
    expect(step(context, 'release')).to.deep.equal(step(context, 'release'));
    expect(step(context, 'release').commandId).not.to.equal(step(context, 'claim').commandId);
    expect(step({ ...context, mayRepeat: true }, 'release').mayRepeat).to.be.true;
  });

  it('of processes follow from process, key and purpose', () => {
    const { commandId } = processContext(command);
    expect(processContext({ ...command, correlationId: 'c2' }).commandId).to.equal(commandId);
    for (const other of [{ process: 'x' }, { key: 'x' }, { purpose: 'x' }])
      expect(processContext({ ...command, ...other }).commandId).not.to.equal(commandId);
  });

  it('derive ids that no choice of words can confuse', () => {
    expect(derivedId('a', 'b,c')).not.to.equal(derivedId('a,b', 'c'));
    expect(derivedId('a')).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(eventId(derivedId('a'), 's', 0)).not.to.equal(eventId(derivedId('a'), 's', 1));
  });

  it('are UUIDs of version 5 as others make them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.uuid(), (name, namespace) => {
        expect(uuidV5(name, namespace)).to.equal(v5(name, namespace));
      }),
    );
  });
});
