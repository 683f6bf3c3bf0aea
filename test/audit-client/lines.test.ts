import { expect } from 'chai';
import type { z } from 'zod';
import type { LogAnswer } from '../../src/api/audit/schemas.ts';
import { type Entry, lines, type LogPage } from '../../src/audit-client/entry.ts';
import { parseTime } from '../../src/audit-client/time.ts';

/** What the API answers is what is read of it: this does not compile otherwise. */
export const readsTheAnswer = (answer: z.output<typeof LogAnswer>): LogPage => answer;

const entry: Entry = {
  ...{ position: 'log:7', id: 'e', type: 'TenantEdited', stream: 'tenant-acme', revision: 3 },
  ...{ at: '2030-01-01T03:10:00.000Z', tenantId: 'acme', correlationId: 'c', causationId: 'k' },
  actor: { id: 'usr_1', face: 'plugin-manager', email: 'ada@example.com' },
  ...{ summary: 'Tenant edited', reason: null, evidence: [] },
  changes: [
    { field: 'name', before: 'Acme', after: 'Acme Inc' },
    { field: 'quotas.maxCpu', before: 8 },
    { field: 'description', after: null },
  ],
  data: { name: 'Acme Inc' },
};

describe('an entry of the log', () => {
  it('is told in lines: what, who, and from what to what', () => {
    expect(lines(entry)).to.eql([
      '2030-01-01T03:10:00.000Z  Tenant edited  [TenantEdited, tenant-acme@3]',
      '    by ada@example.com (usr_1) through plugin-manager; of acme; correlation c; at log:7',
      '    name: Acme → Acme Inc',
      '    quotas.maxCpu: 8 → (gone)',
    ]);
  });

  it('is told with its reason and evidence, by who decides by himself', () => {
    const decided = { ...entry, reason: 'too slow', evidence: ['p99 was 900 ms'], changes: [] };
    const actor = { id: 'process:rollouts', face: 'process', email: null };
    expect(lines({ ...decided, actor, tenantId: null }).slice(1)).to.eql([
      '    by process:rollouts; of the platform; correlation c; at log:7',
      '    reason: too slow',
      '    because: p99 was 900 ms',
    ]);
  });

  it('shows the data where nobody knows what changed', () => {
    expect(lines({ ...entry, changes: null }).at(-1)).to.equal('    name: Acme Inc');
  });

  it('moves no cursor and begins no line of its own, whatever somebody wrote', () => {
    const hostile = { ...entry, reason: 'a\u001b[2J\nroot did it', changes: null, data: { x: '\r\u202ey' } };
    const told = lines(hostile).join('');
    expect(told).not.to.match(/[\p{Cc}\p{Cf}]/u);
  });

  it('is short, however long a value is', () => {
    const long = {
      ...entry,
      changes: [{ field: 'a', before: 'x'.repeat(10_000), after: { b: 'y'.repeat(10_000) } }],
    };
    expect(lines(long).at(-1)?.length).to.be.lessThan(300);
  });
});

describe('a time that a person types', () => {
  const now = Date.parse('2030-01-02T00:00:00.000Z');
  for (const [text, time] of [
    ['2029-12-31T03:10:00Z', '2029-12-31T03:10:00.000Z'],
    ['2029-12-31T03:10:00+02:00', '2029-12-31T01:10:00.000Z'],
    ['2029-12-31T03:10', '2029-12-31T03:10:00.000Z'],
    ['2029-12-31 03:10:05.5', '2029-12-31T03:10:05.500Z'],
    ['2029-12-31', '2029-12-31T00:00:00.000Z'],
    ['90s', '2030-01-01T23:58:30.000Z'],
    ['12h', '2030-01-01T12:00:00.000Z'],
    ['7d', '2029-12-26T00:00:00.000Z'],
  ] as const)
    it(`is ${text}`, () => expect(parseTime(text, now)).to.equal(time));

  for (const text of ['', 'yesterday', '7', '7w', '2029-13-01', '2029-12-31T25:00Z', '03:10', '-1d'])
    it(`is not ${text || 'nothing'}`, () => expect(() => parseTime(text, now)).to.throw(/such as/));
});
