/** Instances that only behave as if they were some: by the scenarios of the simulated runtime. */
import { type Condition, conditionAt, type Scenario } from '../adapters/simulated/scenario.ts';
import type { HealthReport } from './protocol.ts';

interface Instance {
  readonly id: string;
  readonly replaces: string | null;
  readonly bornAt: number;
  /** Its own number in 0..1, for scenarios that fall on some and not on others. */
  readonly lot: number;
  sequence: number;
  passed: boolean;
}

/** The instances of one deployment. Times are monotonic milliseconds. */
export interface Instances {
  /** Starts what is missing and stops what is too much, the newest first. */
  resize(wanted: number, now: number): void;
  /** How each is, the dead replaced: those that say nothing are left out. Every call counts their sequences up. */
  ask(now: number): readonly HealthReport[];
  /** The platform's count of an instance's reports is another. */
  goOnWith(instance: string, sequence: number): void;
  readonly count: number;
  /** Whether some have yet to pass for the first time. */
  readonly starting: boolean;
}

export function simulateInstances(options: {
  readonly scenario: Scenario;
  /** Never the same twice, on any agent. */
  readonly newId: () => string;
  readonly random: () => number;
}): Instances {
  const { scenario, newId, random } = options;
  let running: readonly Instance[] = [];

  const start = (now: number, replaces: string | null): Instance => ({
    ...{ id: newId(), replaces, bornAt: now, lot: random(), sequence: 0, passed: false },
  });
  const condition = ({ bornAt, lot }: Instance, now: number): Condition =>
    conditionAt(scenario, (now - bornAt) / 1000, lot);

  function reportOf(instance: Instance, now: number): HealthReport | null {
    const is = condition(instance, now);
    if (is === 'silent' || is === 'dead') return null;
    if (is === 'well') instance.passed = true;
    const { id, replaces, sequence } = instance;
    instance.sequence += 1;
    const latencyMs = 5 + Math.floor(random() * 40);
    return { instance: id, sequence, outcome: is === 'well' ? 'pass' : 'fail', latencyMs, replaces };
  }

  return {
    resize: (wanted, now) => {
      const more = Array.from({ length: Math.max(0, wanted - running.length) }, () => start(now, null));
      running = [...running, ...more].slice(0, wanted);
    },
    ask: (now) => {
      running = running.map((one) => (condition(one, now) === 'dead' ? start(now, one.id) : one));
      return running.map((one) => reportOf(one, now)).filter((report) => report !== null);
    },
    goOnWith: (instance, sequence) => {
      for (const one of running) if (one.id === instance) one.sequence = sequence;
    },
    get count() {
      return running.length;
    },
    get starting() {
      return running.some(({ passed }) => !passed);
    },
  };
}
