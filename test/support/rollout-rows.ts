/**
 * What rollouts owe, a row each, and the file whose tests show it: their titles begin with the row's name, see `shows`.
 * `rollout-rows.test.ts` finds a row that nobody shows.
 */
const rollout = 'test/domain/deployment/rollout.test.ts';
const approval = 'test/domain/deployment/approval.test.ts';
const analysis = 'test/domain/deployment/analysis.test.ts';
const asked = 'test/domain/deployment/asked.test.ts';
const paused = 'test/domain/deployment/paused.test.ts';
const agents = 'test/domain/deployment/agents.test.ts';
const evidence = 'test/domain/deployment/evidence.test.ts';
const desired = 'test/domain/deployment/desired.test.ts';
const properties = 'test/domain/deployment/properties.test.ts';
const slot = 'test/domain/slot.test.ts';
const api = 'test/api/plugin-manager';
const simulation = 'test/simulation';

export const rows = {
  'States: in order': rollout,
  'States: Approval': approval,
  'States: Paused': paused,
  'States: RolledBack': asked,
  'States: RollbackFailed': asked,
  'States: Failed': rollout,
  'States: Cancelled': rollout,
  'States: Superseded': asked,
  'States: Undeployed': rollout,
  'States: as they are shown': 'test/domain/deployment/requests.test.ts',
  'States: progress': 'test/domain/deployment/requests.test.ts',
  'States: one current, one in flight': slot,
  'States: a second is told the first': `${api}/deployment-rules.test.ts`,
  'States: cool-down': slot,
  'States: no rollback of a rollback': asked,
  'States: the slot turns first': rollout,
  'States: old instances stay': desired,
  'States: quota at the peak': `${api}/quotas.test.ts`,
  'States: a rollback is never refused for quota': `${api}/quotas.test.ts`,
  'States: three to return to': slot,
  'States: freeze': paused,
  'States: dry run': `${api}/dry-runs.test.ts`,
  'Evidence: repetitions and order': evidence,
  'Evidence: old epochs': evidence,
  'Evidence: errors say nothing': evidence,
  'Evidence: start-up': rollout,
  'Evidence 1: undeploy, then abort': rollout,
  'Evidence 2: blind, old and new alike': rollout,
  'Evidence 2: blind, no prober': rollout,
  'Evidence 2: blind, nothing to compare with': rollout,
  'Evidence 2: blind is never a rollback': agents,
  'Evidence 3: failed probes': rollout,
  'Evidence 3: died and replaced': rollout,
  'Evidence 3: replaced without a word': agents,
  'Evidence 3: stopped by the platform': rollout,
  'Evidence 3: a broken metric': analysis,
  'Evidence 3: a pause instead': rollout,
  'Evidence 3: only canaries': rollout,
  'Evidence 3: the old one is unhealthy': analysis,
  'Evidence 4: deadline': rollout,
  'Evidence 4: it stands still': rollout,
  'Evidence 4: ready again is no progress': rollout,
  'Evidence 5: stale': rollout,
  'Evidence 5: silent canaries': agents,
  'Evidence 6: expiry': approval,
  'Evidence 6: below the failure rule': approval,
  'Evidence 7: enough passes': rollout,
  'Evidence 7: inconclusive': analysis,
  'Evidence 7: no evidence is no success': properties,
  'Time: earned': desired,
  'Time: downtime earns nothing': properties,
  'Time: the clock steps': `${simulation}/clock.test.ts`,
  'Time: due times only ask': 'test/processes/rollout-process.test.ts',
  'Time: asked every second': 'test/core/process-runner.test.ts',
  'Time: killed anywhere': `${simulation}/steps.test.ts`,
  'Time: no stage shortened or twice': properties,
} as const;
export type Row = keyof typeof rows;

/** @returns the title of a test that shows a row */
export function shows(row: Row, title: string): string {
  return `${row}: ${title}`;
}
