/** How simulated instances behave. A scenario is a word and, after a colon, one number: `sick-after:60`. */

export interface Scenario {
  readonly kind: (typeof kinds)[number];
  /** Seconds, but for `partial`, where it is the share of instances that are sick, 0..1. */
  readonly amount: number;
}

const kinds = ['healthy', 'slow-start', 'crash-loop', 'sick-after', 'flapping', 'silent', 'partial'] as const;

/** What the word alone means. */
const defaults: Record<Scenario['kind'], number> = {
  healthy: 0,
  /** Passes its first probe after 60 s. */
  'slow-start': 60,
  /** Dies 25 s after every start. */
  'crash-loop': 25,
  /** Well for 60 s, then sick for good. */
  'sick-after': 60,
  /** Well for 45 s, sick for 45 s, and so on. */
  flapping: 45,
  /** Answers for 60 s, then nothing comes back at all. */
  silent: 60,
  /** Half of the instances are sick from the start of their second minute. */
  partial: 0.5,
};

export const scenarioNames: readonly string[] = kinds;

/** Null when the text is no scenario. */
export function parseScenario(text: string): Scenario | null {
  const [word, amount, ...rest] = text.split(':');
  const kind = kinds.find((known) => known === word);
  if (kind === undefined || rest.length > 0) return null;
  if (amount === undefined) return { kind, amount: defaults[kind] };
  if (!/^\d{1,7}(\.\d{1,4})?$/.test(amount)) return null;
  const number = Number(amount);
  return kind === 'partial' && number > 1 ? null : { kind, amount: number };
}

/** Every instance takes this long to its first pass, whatever the scenario. */
export const startUpSeconds = 2;
const partialAfterSeconds = 60;

export type Condition = 'starting' | 'well' | 'sick' | 'silent' | 'dead';

/**
 * What an instance does at an age.
 * @param lot the instance's own number in 0..1, drawn at its birth: decides who is among the sick of `partial`
 */
export function conditionAt(scenario: Scenario, ageSeconds: number, lot: number): Condition {
  if (scenario.kind === 'crash-loop' && ageSeconds >= scenario.amount) return 'dead';
  if (ageSeconds < startUpSeconds) return 'starting';
  switch (scenario.kind) {
    case 'healthy':
    case 'crash-loop':
      return 'well';
    case 'slow-start':
      return ageSeconds < scenario.amount ? 'starting' : 'well';
    case 'sick-after':
      return ageSeconds < scenario.amount ? 'well' : 'sick';
    case 'flapping':
      return scenario.amount > 0 && Math.floor(ageSeconds / scenario.amount) % 2 === 0 ? 'well' : 'sick';
    case 'silent':
      return ageSeconds < scenario.amount ? 'well' : 'silent';
    case 'partial':
      return lot < scenario.amount && ageSeconds >= partialAfterSeconds ? 'sick' : 'well';
  }
}
