/** Version numbers and the constraints on them: semver (https://semver.org), with npm's ranges and a comma that means AND. */
import semver from 'semver';
import { z } from 'zod';

/** A version number in its canonical spelling: no `v`, no blanks, no leading zeros. Build metadata is kept, and never compared. */
export const SemanticVersion = z
  .string()
  .max(100)
  .refine(isSemanticVersion, 'SemanticVersion must be a semantic version such as 2.0.0 or 2.1.0-beta.1');

export const versionStates = ['Beta', 'Stable', 'Deprecated', 'Yanked'] as const;
export type VersionState = (typeof versionStates)[number];

/** What a version has to have for a constraint to choose it. */
export interface Release {
  readonly semanticVersion: string;
  readonly state: VersionState;
}

/** A constraint that has been understood. */
export type Constraint = semver.Range;

function isSemanticVersion(text: string): boolean {
  const parsed = semver.parse(text);
  if (!parsed) return false;
  const build = parsed.build.length > 0 ? `+${parsed.build.join('.')}` : '';
  return `${parsed.version}${build}` === text;
}

/** Two spellings of one version: they differ in build metadata at most. */
export function sameVersion(a: string, b: string): boolean {
  return a === b || (semver.valid(a) !== null && semver.valid(b) !== null && semver.eq(a, b));
}

/**
 * Reads `>=1.0.0,<2.0.0 || ^3.1`: a comma joins what must all hold (decisions 19), `||` alternatives, each an npm range.
 * @returns null when it is no range
 */
export function parseConstraint(text: string): Constraint | null {
  if (text.length > 256) return null;
  const alternatives: string[] = [];
  for (const alternative of text.split('||')) {
    const ranges = alternative.split(',').map(readRange);
    if (ranges.includes(null)) return null;
    alternatives.push(ranges.join(' ').trim() || '*');
  }
  return readWhole(alternatives.join(' || '));
}

/** One range in comparators, so that it can stand beside others: `1.0.0 - 2.0.0` as it is written could not. */
function readRange(text: string): string | null {
  return text.trim() === '' ? null : (readWhole(text)?.range ?? null);
}

function readWhole(text: string): semver.Range | null {
  try {
    return new semver.Range(text);
  } catch {
    return null; // node-semver throws a TypeError for what is no range
  }
}

/** As npm has it: a prerelease satisfies only a constraint that names a prerelease of the same version. */
export function satisfies(version: string, constraint: Constraint): boolean {
  return constraint.test(version);
}

/** The highest Stable version, else the highest that is not yanked (decisions 4), else null. */
export function latestVersion(releases: readonly Release[]): string | null {
  return (
    highest(releases.filter(({ state }) => state === 'Stable')) ??
    highest(releases.filter(({ state }) => state !== 'Yanked'))
  );
}

function highest(releases: readonly Release[]): string | null {
  return releases.map(({ semanticVersion }) => semanticVersion).sort(semver.rcompare)[0] ?? null;
}

/** Highest first; for lists that people read. */
export function byVersionDescending(a: Release, b: Release): number {
  return semver.rcompare(a.semanticVersion, b.semanticVersion);
}
