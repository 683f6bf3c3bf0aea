/** Schemas of configurations when a version is published, and configurations against them when it is deployed (decisions 3, 26). */
import type { CheckOutcome, ConfigurationChecks } from '../core/configuration-checks.ts';
import { CommandRefused } from '../core/executor.ts';
import { fieldName } from '../domain/field-name.ts';
import type { PublishedVersion } from '../domain/plugin.ts';
import { refuse } from '../domain/refusal.ts';
import { malformedReferences, type ConfigurationValue } from '../domain/secret-reference.ts';

export interface ConfigurationDeps {
  readonly configurationChecks: Pick<ConfigurationChecks, 'schema' | 'configuration'>;
}

/** @param schema null: there is none. @throws {CommandRefused} Invalid, naming `version.configurationSchema`; {TooBusy} */
export async function refuseUnusableSchema(
  { configurationChecks }: ConfigurationDeps,
  schema: PublishedVersion['configurationSchema'],
): Promise<void> {
  if (schema === null) return;
  const outcome = await configurationChecks.schema(schema);
  if (outcome.kind === 'holds') return;
  const field = 'version.configurationSchema';
  const messages =
    outcome.kind === 'too costly'
      ? ['takes too long to read: make it smaller']
      : outcome.problems.map(({ path, message }) =>
          path.length === 0 ? message : `${pointer(path)} ${message}`,
        );
  const details = messages.map((message) => ({ field, message }));
  throw new CommandRefused(refuse('Invalid', `${field}: ${messages[0] ?? 'cannot be used'}`, ...details));
}

/**
 * Whether the configuration satisfies the version's schema; any does where there is none. A secret that it refers to satisfies what
 * the schema says of strings.
 * @throws {CommandRefused} Invalid, naming each field that does not (`configuration.apiKey`); {TooBusy}
 */
export async function refuseWrongConfiguration(
  { configurationChecks }: ConfigurationDeps,
  { configurationSchema: schema, semanticVersion }: PublishedVersion,
  configuration: ConfigurationValue,
): Promise<void> {
  const malformed = malformedReferences(configuration);
  if (malformed.length > 0)
    throw wrong(
      malformed.map((path) => ({
        path,
        message: 'holds a reference that names no secret: write it as ${secret:stripe-api-key}',
      })),
    );
  if (schema === null) return;
  const outcome = await configurationChecks.configuration(schema, configuration);
  if (outcome.kind === 'broken') throw wrong(outcome.problems);
  if (outcome.kind === 'holds') return;
  throw new CommandRefused(refuse('Invalid', ...unanswerable(outcome, semanticVersion)));
}

type Problems = readonly { readonly path: readonly (string | number)[]; readonly message: string }[];

const longestField = 200;

function wrong(problems: Problems): CommandRefused {
  const details = problems.map(({ path, message }) => ({
    field: fieldName(['configuration', ...path])
      .slice(0, longestField)
      .toWellFormed(),
    message,
  }));
  const first = details[0];
  const message = first ? `${first.field}: ${first.message}` : 'The configuration does not match its schema';
  return new CommandRefused(refuse('Invalid', message, ...details));
}

/** Not the fault of who deploys, who cannot do anything but take another version. */
function unanswerable(
  { kind }: CheckOutcome,
  version: string,
): [message: string, { readonly field: string; readonly message: string }] {
  const why =
    kind === 'too costly'
      ? 'takes too long to check this configuration'
      : 'cannot be used as it was published';
  const message = `The configuration schema of version ${version} ${why}: its publisher has to publish another version`;
  return [message, { field: 'pluginVersion', message }];
}

/** RFC 6901 */
function pointer(path: readonly (string | number)[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
