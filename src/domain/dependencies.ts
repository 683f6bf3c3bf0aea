/** What versions need of other plugins: when they may be published, and when they may be deployed (decisions 20). */
import { PluginId } from './ids.ts';
import { refuse, type Refusal } from './refusal.ts';
import { parseConstraint, satisfies } from './version.ts';

export interface Dependency {
  readonly dependencyId: string;
  /** Only `Plugin` is resolved; everything else is stored as it is. */
  readonly type: string;
  readonly versionConstraint: string;
  readonly required: boolean;
}

/** A version that may satisfy a dependency, and what it needs itself. */
export interface Candidate {
  readonly semanticVersion: string;
  readonly dependencies: readonly Dependency[];
}

/**
 * Candidates by plugin, as far as they have been looked up. For publishing: its versions that are not yanked, null for a plugin
 * that does not exist. For deploying: the one version that is current in the tenant and environment, none if it is not there.
 */
export type Candidates = ReadonlyMap<PluginId, readonly Candidate[] | null>;

export interface UnmetDependency {
  /** The plugin that needs it: the one deployed, or one that it requires. */
  readonly requiredBy: PluginId;
  readonly dependencyId: PluginId;
  readonly versionConstraint: string;
  /** What is there and does not match; null when nothing is. */
  readonly found: string | null;
}

interface Edge {
  readonly requiredBy: PluginId;
  readonly to: PluginId;
  readonly dependency: Dependency;
  /** Undefined: not looked up. */
  readonly candidates: readonly Candidate[] | null | undefined;
}

/**
 * The constraint on a plugin that was kept, and is broken by what will be there instead.
 * @param before the plugin's version that is there @param after that which will be; null: none
 */
export function brokenBy(
  dependencies: readonly Dependency[],
  {
    pluginId,
    before,
    after,
  }: { readonly pluginId: PluginId; readonly before: string; readonly after: string | null },
): string | null {
  const broken = dependencies.find((dependency) => {
    if (!dependency.required || pluginOf(dependency) !== pluginId) return false;
    const constraint = parseConstraint(dependency.versionConstraint);
    if (!constraint || !satisfies(before, constraint)) return false;
    return after === null || !satisfies(after, constraint);
  });
  return broken?.versionConstraint ?? null;
}

/** What a version requires directly, of what is resolved at all. */
export function requiredOf(dependencies: readonly Dependency[]): readonly Required[] {
  return dependencies.flatMap((dependency) => {
    const pluginId = dependency.required ? pluginOf(dependency) : null;
    return pluginId === null ? [] : [{ pluginId, versionConstraint: dependency.versionConstraint }];
  });
}

export interface Required {
  readonly pluginId: PluginId;
  readonly versionConstraint: string;
}

/** Plugins that have a say in whether these dependencies hold and that nobody has looked up yet: at first the dependencies themselves. */
export function stillToLookUp(
  pluginId: PluginId,
  dependencies: readonly Dependency[],
  candidates: Candidates,
): readonly PluginId[] {
  const direct = dependencies.flatMap((dependency) => pluginOf(dependency) ?? []);
  const reached = edges(pluginId, dependencies, candidates).map(({ to }) => to);
  return [...new Set([...direct, ...reached])].filter((id) => id !== pluginId && !candidates.has(id));
}

/**
 * Why a version with these dependencies cannot be published, or null. A dependency that is not registered yet is fine.
 * Versions of a plugin exclude each other where they run, so any way back to the plugin itself is a cycle, whatever version it asks for.
 */
export function publicationConflict(
  pluginId: PluginId,
  dependencies: readonly Dependency[],
  candidates: Candidates,
): Refusal | null {
  const problems = dependencies.flatMap((dependency, index) => {
    const problem = directProblem(pluginId, dependency, candidates);
    return problem === null
      ? []
      : [{ field: `version.dependencies[${index}].${problem[0]}`, message: problem[1] }];
  });
  if (problems.length === 0) {
    for (const [index, dependency] of dependencies.entries()) {
      const back = edges(pluginId, [dependency], candidates).find(({ to }) => to === pluginId);
      if (!back) continue;
      const field = `version.dependencies[${index}].dependencyId`;
      problems.push({
        field,
        message: `${back.requiredBy} requires ${pluginId} in turn: a cycle of required dependencies`,
      });
    }
  }
  return problems.length === 0
    ? null
    : refuse('DependencyConflict', 'Plugin dependency conflict', ...problems);
}

function directProblem(
  pluginId: PluginId,
  dependency: Dependency,
  candidates: Candidates,
): readonly [field: string, message: string] | null {
  const constraint = parseConstraint(dependency.versionConstraint);
  if (!constraint) {
    return ['versionConstraint', 'VersionConstraint must be a version range such as >=1.0.0,<2.0.0'];
  }
  const to = pluginOf(dependency);
  if (to === pluginId) return ['dependencyId', 'A plugin cannot depend on itself'];
  const versions = to === null ? null : candidates.get(to);
  if (versions && !versions.some(({ semanticVersion }) => satisfies(semanticVersion, constraint))) {
    return [
      'versionConstraint',
      `No version of ${dependency.dependencyId} matches ${dependency.versionConstraint}`,
    ];
  }
  return null;
}

/** The required plugins, transitively, that are not among the candidates in a version that matches. None: it may be deployed. */
export function unmetDependencies(
  pluginId: PluginId,
  dependencies: readonly Dependency[],
  current: Candidates,
): readonly UnmetDependency[] {
  return edges(pluginId, dependencies, current)
    .filter(
      ({ to, dependency, candidates }) => to !== pluginId && matching(dependency, candidates).length === 0,
    )
    .map(({ requiredBy, to, dependency, candidates }) => ({
      requiredBy,
      dependencyId: to,
      versionConstraint: dependency.versionConstraint,
      found: candidates?.[0]?.semanticVersion ?? null,
    }));
}

/** Every required dependency that can be reached through versions that match. Each version is entered once: cycles end. */
function edges(from: PluginId, dependencies: readonly Dependency[], candidates: Candidates): readonly Edge[] {
  const found: Edge[] = [];
  const entered = new Set<Candidate>();
  const open: (readonly [PluginId, readonly Dependency[]])[] = [[from, dependencies]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [requiredBy, needed] = next;
    for (const dependency of needed) {
      const to = dependency.required ? pluginOf(dependency) : null;
      if (to === null) continue;
      const edge = { requiredBy, to, dependency, candidates: candidates.get(to) };
      found.push(edge);
      if (to === from) continue;
      for (const candidate of matching(dependency, edge.candidates)) {
        if (entered.has(candidate)) continue;
        entered.add(candidate);
        open.push([to, candidate.dependencies]);
      }
    }
  }
  return found;
}

function matching(dependency: Dependency, candidates: Edge['candidates']): readonly Candidate[] {
  if (!candidates || candidates.length === 0) return [];
  const constraint = parseConstraint(dependency.versionConstraint);
  return constraint ? candidates.filter(({ semanticVersion }) => satisfies(semanticVersion, constraint)) : [];
}

function pluginOf(dependency: Dependency): PluginId | null {
  return dependency.type === 'Plugin' ? (PluginId.safeParse(dependency.dependencyId).data ?? null) : null;
}
