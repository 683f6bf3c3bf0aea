/** `${secret:name}` in a configuration: a secret of the tenant that only an instance gets to see, when it starts (decisions 26). */
import { z } from 'zod';

/** As environments and key stores spell them: `stripe-api-key`, `STRIPE_API_KEY`, `smtp.password`. Case matters. */
export const SecretName = z
  .string()
  .max(100)
  .regex(
    /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/,
    'SecretName must consist of letters and numbers, with dots, dashes or underscores between them',
  )
  .brand('SecretName');
export type SecretName = z.output<typeof SecretName>;

/** A value of a configuration, at any depth. */
export type ConfigurationValue =
  | string
  | number
  | boolean
  | null
  | readonly ConfigurationValue[]
  | { readonly [member: string]: ConfigurationValue };

export interface FoundReference {
  /** Where in the configuration: member names and indexes. */
  readonly path: readonly (string | number)[];
  /** As it was written. */
  readonly name: string;
}

const opening = '${secret:';
const reference = /\$\{secret:([^{}]*)\}/g;

/** Whether a text holds a reference, alone or among other characters: what it will be, nobody knows yet. */
export function holdsReference(text: string): boolean {
  return text.includes(opening);
}

/** Every reference in the values of a configuration, in order; names of members are never references. */
export function secretReferences(configuration: ConfigurationValue): readonly FoundReference[] {
  return textsOf(configuration, []).flatMap(({ path, text }) =>
    Array.from(text.matchAll(reference), ([, name = '']) => ({ path, name })),
  );
}

/** Where a text begins a reference that names no possible secret, which is a slip of the pen. */
export function malformedReferences(configuration: ConfigurationValue): readonly FoundReference['path'][] {
  return textsOf(configuration, []).flatMap(({ path, text }) => {
    const begun = text.split(opening).length - 1;
    const whole = Array.from(text.matchAll(reference), ([, name]) => SecretName.safeParse(name).success);
    return begun === whole.filter(Boolean).length ? [] : [path];
  });
}

/**
 * The configuration with values in place of references, for the start of an instance. A reference without a value stays as it is.
 * Values are put in as they are: what looks like a reference in one of them is none.
 */
export function withSecrets(
  configuration: ConfigurationValue,
  values: ReadonlyMap<string, string>,
): ConfigurationValue {
  if (typeof configuration === 'string')
    return configuration.replaceAll(reference, (written, name: string) => values.get(name) ?? written);
  if (typeof configuration !== 'object' || configuration === null) return configuration;
  if (isList(configuration)) return configuration.map((item) => withSecrets(item, values));
  return Object.fromEntries(
    Object.entries(configuration).map(([name, item]) => [name, withSecrets(item, values)]),
  );
}

interface Text {
  readonly path: FoundReference['path'];
  readonly text: string;
}

function textsOf(value: ConfigurationValue, path: Text['path']): readonly Text[] {
  if (typeof value === 'string') return holdsReference(value) ? [{ path, text: value }] : [];
  if (typeof value !== 'object' || value === null) return [];
  if (isList(value)) return value.flatMap((item, index) => textsOf(item, [...path, index]));
  return Object.entries(value).flatMap(([name, item]) => textsOf(item, [...path, name]));
}

function isList(value: object): value is readonly ConfigurationValue[] {
  return Array.isArray(value);
}
