import { expect } from 'chai';
import fc from 'fast-check';
import type { z } from 'zod';
import type { DeploymentAnswer } from '../../src/api/plugin-manager/deployment-schemas.ts';
import type { HistoryAnswer } from '../../src/api/plugin-manager/rollouts.ts';
import type { HistoryPage } from '../../src/watch/history.ts';
import { columns } from '../../src/client/text.ts';
import { duration, hasEnded, line, picture, type Watched } from '../../src/watch/picture.ts';

const now = Date.parse('2030-01-01T00:10:00.000Z');
const canary: Watched = {
  deploymentId: 'dep-1',
  pluginId: 'payment-stripe',
  pluginVersion: '2.0.0',
  tenantId: 'tenant-acme-corp',
  environment: 'Production',
  strategy: 'Canary',
  runtime: 'simulated',
  status: 'InProgress',
  phase: 'Baking',
  stage: 2,
  progress: 30,
  totalInstances: 10,
  healthyInstances: 3,
  unhealthyInstances: 1,
  reason: null,
  previousDeploymentId: null,
  lastHealthCheck: '2030-01-01T00:09:56.000Z',
  estimatedCompletionAt: '2030-01-01T00:15:05.000Z',
  plan: {
    stages: [10, 30, 50, 100].map((percent) => ({
      ...{ percent, instances: percent / 10, bakeMs: 300_000, approval: percent === 50 },
    })),
  },
};

/** What the API answers is what is read of it: this does not compile otherwise. */
export const readsTheAnswer = (answer: z.output<typeof DeploymentAnswer>): Watched => answer;
export const readsTheHistory = (answer: z.output<typeof HistoryAnswer>): z.output<typeof HistoryPage> =>
  answer;

describe('the picture of a deployment', () => {
  it('shows what is done, where it is, and what comes', () => {
    expect(picture(canary, now, 90)).to.eql([
      'payment-stripe 2.0.0 → tenant-acme-corp / Production',
      'dep-1, Canary, simulated instances',
      'InProgress (Baking)  30 %, about 5 min 5 s to go',
      '',
      '✔  10 %  1 instance, bakes 5 min',
      '▶  30 %  3 instances, bakes 5 min',
      '·  50 %  5 instances, bakes 5 min, then a person approves',
      '· 100 %  10 instances, bakes 5 min',
      '',
      '●●●✘○○○○○○  3 healthy, 1 unhealthy, of 10',
      'last heard of 4 s ago',
    ]);
  });

  it('ends with the reason, and marks where it ended', () => {
    const back = {
      ...canary,
      status: 'RolledBack',
      phase: 'RolledBack',
      reason: 'Instance a failed 3 probes',
    };
    const shown = picture(back, now, 90);
    expect(shown[2]).to.match(/^RolledBack {2}30 %/);
    expect(shown[5]).to.match(/^✘ {2}30 %/);
    expect(shown.at(-1)).to.equal('Instance a failed 3 probes');
  });

  it('marks every stage of what is completed', () => {
    const done = { ...canary, status: 'Completed', phase: 'Completed', stage: 4 };
    expect(picture(done, now, 90).filter((text) => text.startsWith('✔'))).to.have.length(4);
  });

  it('fits any terminal', () => {
    const views = fc.record({
      width: fc.integer({ min: 20, max: 200 }),
      total: fc.integer({ min: 1, max: 1_000 }),
      healthy: fc.integer({ min: 0, max: 1_000 }),
      reason: fc.option(fc.string({ maxLength: 1_000 })),
    });
    fc.assert(
      fc.property(views, ({ width, total, healthy, reason }) => {
        const view = { ...canary, totalInstances: total, healthyInstances: Math.min(healthy, total), reason };
        for (const text of picture({ ...view, unhealthyInstances: 0 }, now, width))
          expect(columns(text)).to.be.at.most(width);
      }),
    );
  });

  it('in one line says what changes, and why', () => {
    expect(line(canary)).to.equal('InProgress, Baking; stage 2 of 4; 3 of 10 healthy; 1 unhealthy');
    expect(line({ ...canary, reason: 'sick' })).to.match(/: sick$/);
  });

  it('knows an end from a pause', () => {
    const statuses = ['Pending', 'InProgress', 'Paused', 'RollingBack', 'RolledBack', 'Failed', 'Undeployed'];
    const ended = statuses.filter((status) => hasEnded({ ...canary, status }));
    expect(ended).to.eql(['RolledBack', 'Failed', 'Undeployed']);
  });

  it('tells lengths of time as people do', () => {
    expect([0, 59_400, 60_000, 125_000, 7_200_000, 11_400_000].map(duration)).to.eql([
      ...['0 s', '59 s', '1 min', '2 min 5 s', '2 h', '3 h 10 min'],
    ]);
  });
});
