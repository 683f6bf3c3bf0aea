/** Settings: environment variables, all read and judged here, once, at start. */
import { parseRange } from './adapters/egress/addresses.ts';
import type { S3Place } from './adapters/s3/connection.ts';
import { problemsOfSharing, roles, serverRoles } from './roles.ts';
import { scenarioNames, parseScenario } from './adapters/simulated/scenario.ts';
import { z } from 'zod';

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a port number')
  .transform(Number)
  .refine((number) => number <= 65_535, 'must be a port number, 0 to 65535');

const count = z
  .string()
  .regex(/^\d{1,6}$/, 'must be a whole number, 0 to 999999')
  .transform(Number);

const origin = z.string().refine((text) => {
  const url = URL.parse(text);
  return url !== null && url.origin === text && /^https?:$/.test(url.protocol);
}, 'must be origins such as https://console.example.com, separated by commas');

const ranges = z
  .string()
  .transform((list) => list.split(',').map((part) => parseRange(part.trim())))
  .transform((parsed, context) => {
    const known = parsed.filter((range) => range !== null);
    if (known.length < parsed.length)
      context.addIssue('must be ranges such as 10.0.0.0/8 or fd00::/8, separated by commas');
    return known;
  });

const address = z.string().refine((text) => {
  const url = URL.parse(text);
  return url !== null && [url.origin, `${url.origin}/`].includes(text) && /^https?:$/.test(url.protocol);
}, 'must be an address such as https://s3.example.com:9000, without a path');

/** How buckets may be named (AWS, bucket naming rules), without dots, which TLS does not take. */
const bucket = z.string().regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, {
  error: 'must have 3 to 63 lower-case letters, digits and hyphens, not beginning or ending with a hyphen',
});

/** Of blobs alone, so that a backup needs no other settings of the server. */
const s3 = z.object({
  S3_ENDPOINT: address.optional(),
  S3_ACCESS_KEY: z.string().optional(),
  S3_SECRET_KEY: z.string().optional(),
  S3_BUCKET: bucket.default('slipway'),
  S3_REGION: z.string().default('us-east-1'),
});

/** What is wrong with the rest of it, the driver says at start. */
const mongo = z.string().regex(/^mongodb(\+srv)?:\/\/[^/]/, {
  error: 'must be an address such as mongodb://user:password@db1.example.com,db2.example.com/slipway',
});

const drain = z
  .string()
  .regex(/^\d{1,3}$/, 'must be a whole number of seconds, 0 to 300')
  .transform(Number)
  .refine((seconds) => seconds <= 300, 'must be a whole number of seconds, 0 to 300');

/** Of the log alone, for commands that need no other settings of the server. What stands behind the scheme its client judges. */
const eventStoreUrl = z
  .string()
  .regex(/^esdb([+]discover)?:[/][/]\S+$/, 'must be a connection string such as esdb://host:2113?tls=true')
  .optional();

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** An empty variable counts as one that is not set, as shells and compose files leave them. */
const settings = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(3000),
  SLIPWAY_DATA_DIR: z.string().default('./data'),
  SLIPWAY_ADMIN_EMAIL: z.email('must be an e-mail address').default('admin@example.com'),
  SLIPWAY_ADMIN_PASSWORD: z.string().min(8, 'must have at least 8 characters').max(256).optional(),
  SLIPWAY_RUNTIME: z
    .enum(['simulated', 'agent'], { error: 'must be simulated or agent' })
    .default('simulated'),
  SLIPWAY_SIMULATE: z
    .string()
    .refine((text) => parseScenario(text) !== null, `must be one of ${scenarioNames.join(', ')}`)
    .optional(),
  SLIPWAY_ROLES: roles.default([...serverRoles]),
  SLIPWAY_DRAIN_SECONDS: drain.default(0),
  SLIPWAY_RATE_LIMITS: z.enum(['on', 'off'], { error: 'must be on or off' }).default('on'),
  SLIPWAY_MASTER_KEY: z.string().optional(),
  JWT_SECRET: z.string().optional(),
  CORS_ORIGINS: z
    .string()
    .transform((list) => list.split(',').map((part) => part.trim()))
    .pipe(z.array(origin))
    .default([]),
  SLIPWAY_EGRESS_ALLOW: ranges.default([]),
  SLIPWAY_BACKUP_DIR: z.string().optional(),
  SLIPWAY_SEAL_FILE: z.string().optional(),
  SLIPWAY_SEAL_URL: z.url('must be an address such as https://seals.example.com/heads').optional(),
  SLIPWAY_TRUSTED_PROXIES: ranges.default([]),
  SLIPWAY_MAX_SOCKETS: count.default(10_000),
  SLIPWAY_SOCKETS_PER_USER: count.default(50),
  EVENTSTORE_URL: eventStoreUrl,
  MONGODB_URL: mongo.optional(),
  ...s3.shape,
  LOG_LEVEL: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).default('info'),
  NODE_ENV: z.string().optional(),
});

/** Every setting that there is. */
export const settingNames: readonly string[] = Object.keys(settings.shape);

export type Config = Readonly<z.output<typeof settings>>;

/** A setting that is wrong. The message names the variable and the way out; it never shows a value. */
export class WrongSetting extends Error {
  override readonly name = 'WrongSetting';
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Where blobs are; null: in the data folder. @throws {WrongSetting} as {@link readConfig}, of these settings alone */
export function readS3Place(environment: Environment): S3Place | null {
  const given = setIn(environment);
  const { success, data, error } = s3.safeParse(given);
  const problems = [...(success ? [] : sentencesOf(error)), ...problemsOfS3(given)];
  if (!success || problems.length > 0) throw new WrongSetting(problems.join('\n'));
  return s3PlaceOf(data);
}

/** Where the log is; null: in the data folder. @throws {WrongSetting} as {@link readConfig}, of this setting alone */
export function readEventStoreUrl(environment: Environment): string | null {
  const { success, data, error } = eventStoreUrl.safeParse(setIn(environment)['EVENTSTORE_URL']);
  if (!success) throw new WrongSetting(`EVENTSTORE_URL: ${error.issues[0]?.message}`);
  return data ?? null;
}

/** Where the settings say that blobs are; null: in the data folder. */
export function s3PlaceOf(config: z.output<typeof s3>): S3Place | null {
  const { S3_ENDPOINT: endpoint, S3_ACCESS_KEY: accessKey = '', S3_SECRET_KEY: secretKey = '' } = config;
  if (endpoint === undefined) return null;
  return { endpoint, accessKey, secretKey, bucket: config.S3_BUCKET, region: config.S3_REGION };
}

/** With an address go its keys; keys without it were meant for something. */
function problemsOfS3(given: Environment): readonly string[] {
  const keys = ['S3_ACCESS_KEY', 'S3_SECRET_KEY'];
  if (given['S3_ENDPOINT'] !== undefined)
    return keys.filter((name) => given[name] === undefined).map((name) => `${name}: S3_ENDPOINT needs it`);
  return [...keys, 'S3_BUCKET', 'S3_REGION']
    .filter((name) => given[name] !== undefined)
    .map((name) => `${name}: does nothing without S3_ENDPOINT; set both or neither`);
}

/** An empty variable is one that is not set. */
function setIn(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
}

function sentencesOf({ issues }: z.ZodError): readonly string[] {
  return issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`);
}

/** @throws {WrongSetting} naming every variable that is wrong */
export function readConfig(environment: Environment): Config {
  const given = setIn(environment);
  const problems: string[] = [];
  for (const name of Object.keys(given)) {
    if (name.startsWith('SLIPWAY_') && !(name in settings.shape))
      problems.push(`${name}: no such setting; see docs/settings.md`);
  }
  const parsed = settings.safeParse(given);
  if (!parsed.success) problems.push(...sentencesOf(parsed.error));
  else if (parsed.data.NODE_ENV === 'production' && parsed.data.SLIPWAY_RUNTIME === 'simulated')
    problems.push(
      'SLIPWAY_RUNTIME: the simulated runtime runs nothing, so NODE_ENV=production refuses it; set agent',
    );
  problems.push(...problemsOfS3(given));
  if (given['MONGODB_URL'] !== undefined && given['SLIPWAY_BACKUP_DIR'] !== undefined)
    problems.push(
      'SLIPWAY_BACKUP_DIR: holds backups of data folders, and with MONGODB_URL the vault is in none; back MongoDB up instead, and unset it',
    );
  problems.push(...problemsOfSharing(given, parsed.data?.SLIPWAY_ROLES ?? serverRoles));
  if (!parsed.success || problems.length > 0) throw new WrongSetting(problems.join('\n'));
  return parsed.data;
}
