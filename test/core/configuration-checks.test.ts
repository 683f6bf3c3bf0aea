/** Schemas of strangers cannot hang, crash or use the server (assurance: nobody gets in, 10). */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createConfigurationChecks, type ConfigurationChecks } from '../../src/core/configuration-checks.ts';
import { TooBusy } from '../../src/core/gate.ts';

/** Every level asks twice for the next: 2^40 answers. */
const doubling = {
  $ref: '#/$defs/d0',
  $defs: Object.fromEntries(
    Array.from({ length: 41 }, (_, level) => {
      const next = { $ref: `#/$defs/d${level + 1}` };
      return [`d${level}`, level === 40 ? { type: 'object' } : { allOf: [next, next] }];
    }),
  ),
};
const honest = { required: ['apiKey'] };

describe('checks of configurations', () => {
  let checks: ConfigurationChecks;
  beforeEach(() => (checks = createConfigurationChecks()));
  afterEach(() => checks.close());

  it('say what holds, what is broken and what cannot be used', async () => {
    expect(await checks.schema(honest)).to.deep.equal({ kind: 'holds' });
    expect(await checks.configuration(honest, { apiKey: 'x' })).to.deep.equal({ kind: 'holds' });
    const problems = [{ path: ['apiKey'], message: 'is required' }];
    expect(await checks.configuration(honest, {})).to.deep.equal({ kind: 'broken', problems });
    expect((await checks.schema({ type: 'strin' })).kind).to.equal('unusable');
  });

  it('end what takes too long, while the server goes on, and serve the next', async function () {
    this.timeout(60_000);
    let turns = 0;
    const beat = setInterval(() => (turns += 1), 10);
    const outcomes = [checks.schema(doubling), checks.configuration(honest, {}), checks.schema(true)];
    expect((await Promise.all(outcomes)).map(({ kind }) => kind)).to.deep.equal([
      ...['too costly', 'broken', 'holds'],
    ]);
    clearInterval(beat);
    expect(turns).to.be.greaterThan(20);
  });

  it('have room and time for an honest schema of the greatest size', async function () {
    this.timeout(60_000);
    const rule = { type: 'string', pattern: '^[a-z]+$' };
    const properties = Object.fromEntries(Array.from({ length: 1_300 }, (_, at) => [`p${at}`, rule]));
    expect(JSON.stringify({ properties }).length).to.be.within(60_000, 65_536);
    expect((await checks.configuration({ properties }, { p7: '${secret:a}' })).kind).to.equal('holds');
    expect((await checks.configuration({ properties }, { p7: '7' })).kind).to.equal('broken');
  });

  it('end what takes too much memory', async function () {
    this.timeout(60_000);
    const patient = createConfigurationChecks({ limitMs: 60_000 });
    const patterns = Array.from({ length: 3_500 }, (_, at) => [`.{1000}${at}`, true] as const);
    const outcome = await patient.schema({ patternProperties: Object.fromEntries(patterns) });
    expect(outcome.kind).to.equal('too costly');
    expect((await patient.schema(honest)).kind).to.equal('holds');
    await patient.close();
  });

  it('match patterns in linear time', async () => {
    const configuration = { a: `${'a'.repeat(50_000)}!` };
    for (const pattern of ['^(a+)+$', '^(a|a)*$', '^(a|aa)+$', '(.*a){12}b'])
      expect((await checks.configuration({ properties: { a: { pattern } } }, configuration)).kind).to.equal(
        'broken',
      );
  });

  it('ask nobody for anything', async () => {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked += 1;
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/schema`;
    for (const schema of [{ $ref: url }, { $schema: url }, { $dynamicRef: url }, { $id: url, $ref: 'other' }])
      expect((await checks.schema(schema)).kind).to.equal('unusable');
    server.close();
    expect(asked).to.equal(0);
  });

  it('let a bounded number wait; more are told to come back', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 110 }, () => checks.schema(honest)));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).to.have.length(9);
    for (const { reason } of refused) expect(reason).to.be.instanceOf(TooBusy);
  });

  it('answer at once for a schema that was looked at before, however many wait', async () => {
    await checks.schema(honest);
    await checks.schema({ type: 'strin' });
    const others = Array.from({ length: 101 }, (_, at) => checks.schema({ required: [`p${at}`] }));
    expect(await checks.schema(honest)).to.deep.equal({ kind: 'holds' });
    expect((await checks.schema({ type: 'strin' })).kind).to.equal('unusable');
    const refused = await checks.schema({ required: ['another'] }).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(TooBusy);
    await Promise.all(others);
  });

  it('refuse more once they are closed', async () => {
    await checks.schema(honest);
    await checks.close();
    expect(await checks.schema(honest).catch((error: unknown) => error)).to.be.instanceOf(TooBusy);
  });
});
