/** Settings: environment variables, all read and judged here, once, at start. */
import { parseRange } from './adapters/egress/addresses.ts';
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

/** What a process of the platform does: answer requests, keep read models up with the log, decide what happens next. */
export const serverRoles = ['api', 'projector', 'processes'] as const;
export type ServerRole = (typeof serverRoles)[number];

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
  LOG_LEVEL: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).default('info'),
  NODE_ENV: z.string().optional(),
});

/** Every setting that there is. */
export const settingNames: readonly string[] = Object.keys(settings.shape);

export type Config = Readonly<z.output<typeof settings>>;

/** Settings of stores that this version cannot speak to: to ignore them would put data where nobody expects it. */
const notYet = ['EVENTSTORE_URL', 'MONGODB_URL', 'S3_ENDPOINT'];

/** A setting that is wrong. The message names the variable and the way out; it never shows a value. */
export class WrongSetting extends Error {
  override readonly name = 'WrongSetting';
}

/** @throws {WrongSetting} naming every variable that is wrong */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const problems: string[] = [];
  for (const name of Object.keys(given)) {
    if (notYet.includes(name)) problems.push(`${name}: this version has only its embedded stores; unset it`);
    else if (name.startsWith('SLIPWAY_') && !(name in settings.shape))
      problems.push(`${name}: no such setting; see docs/settings.md`);
  }
  const parsed = settings.safeParse(given);
  if (!parsed.success)
    problems.push(...parsed.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`));
  else if (parsed.data.NODE_ENV === 'production' && parsed.data.SLIPWAY_RUNTIME === 'simulated')
    problems.push(
      'SLIPWAY_RUNTIME: the simulated runtime runs nothing, so NODE_ENV=production refuses it; set agent',
    );
  if (!parsed.success || problems.length > 0) throw new WrongSetting(problems.join('\n'));
  return parsed.data;
}
