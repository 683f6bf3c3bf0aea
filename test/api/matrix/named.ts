/** What parameters name: something of one's own, something of another tenant, something that does not exist. A new parameter needs its line. */

export type Whose = 'own' | 'other' | 'unknown';

export interface Named extends Readonly<Record<Whose, string>> {
  /** Whether all tenants see it: then the other's and the unknown may be told apart. */
  readonly visible: boolean;
}

/** By the beginning of a path up to the parameter. A tenant that stands in a query or in a body is the `tenantId` here. */
export type NamedThings = ReadonlyMap<string, Named>;

/** @returns the path with its parameters filled in, and what they named. @throws when nobody has said what a parameter names */
export function filledIn(path: string, whose: Whose, things: NamedThings): FilledIn {
  const named: Named[] = [];
  const filled = path.replaceAll(/\{\w+\}/g, (parameter, at: number) => {
    const start = path.slice(0, at) + parameter;
    const thing = things.get(start);
    if (!thing) throw new Error(`say in test/api/matrix/world.ts what ${start} names`);
    named.push(thing);
    return encodeURIComponent(thing[whose]);
  });
  return { path: filled, named };
}

export interface FilledIn {
  readonly path: string;
  readonly named: readonly Named[];
}
