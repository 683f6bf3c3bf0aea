import { expect } from 'chai';
import { InvalidArgumentError } from 'commander';
import { parseChoice, parseSimulation, scenarioOf } from '../../src/agent/command.ts';

describe('options of slipway agent', () => {
  it('simulate all, a plugin or a version, and the most particular word counts', () => {
    const simulate = ['payment-stripe@2.1.0=sick-after:30', 'payment-stripe=flapping', 'slow-start:5'];
    const of = scenarioOf({ simulate: simulate.map(parseSimulation) });
    const kind = (pluginId: string, version: string) => of({ pluginId, version })?.kind;
    expect(kind('payment-stripe', '2.1.0')).to.equal('sick-after');
    expect(kind('payment-stripe', '2.0.0')).to.equal('flapping');
    expect(kind('core-payments', '2.1.0')).to.equal('slow-start');
    const twice = scenarioOf({ simulate: ['silent', 'flapping'].map(parseSimulation) });
    expect(twice({ pluginId: 'a', version: '1.0.0' })?.kind).to.equal('flapping');
    const none = scenarioOf({ simulate: [parseSimulation('b=silent')] });
    expect(none({ pluginId: 'a', version: '1.0.0' })?.kind).to.equal('healthy');
  });

  it('leave to others what is not named by --only', () => {
    const of = scenarioOf({
      simulate: [parseSimulation('healthy')],
      only: ['payment-stripe@2.1.0', 'core-payments'].map(parseChoice),
    });
    expect(of({ pluginId: 'payment-stripe', version: '2.0.0' })).to.equal(null);
    expect(of({ pluginId: 'payment-stripe', version: '2.1.0' })).not.to.equal(null);
    expect(of({ pluginId: 'core-payments', version: '1.0.0' })).not.to.equal(null);
  });

  it('are refused by name when they are wrong', () => {
    for (const wrong of ['', 'well', 'a=', '=healthy', 'a@=healthy', 'a@1@2=healthy', 'sick-after:x'])
      expect(() => parseSimulation(wrong), wrong).to.throw(InvalidArgumentError);
    for (const wrong of ['', '@1.0.0', 'a@'])
      expect(() => parseChoice(wrong), wrong).to.throw(InvalidArgumentError);
  });
});
