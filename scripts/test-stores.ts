/**
 * `npm run test:stores`: the suites of production stores, against the servers that `EVENTSTORE_URL`, `MONGODB_URL` and `S3_ENDPOINT`
 * name. For those that are not named, docker-compose.dev.yml is brought up where a Docker engine answers, unless `--no-containers` is
 * said. What was not run is said at the end. All other arguments go to mocha; files among them replace the suites.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const suites = ['test/adapters/{eventstoredb,mongodb,s3}/**/*.test.ts', 'test/stores/**/*.test.ts'];

type Variables = Readonly<Record<string, string>>;

interface Store {
  readonly name: string;
  readonly variable: string;
  /** The services of docker-compose.dev.yml that make it up: the first is asked for its port. */
  readonly services: readonly [string, ...string[]];
  readonly port: number;
  readonly url: (address: string) => string;
}

const stores: readonly Store[] = [
  {
    ...{ name: 'EventStoreDB', variable: 'EVENTSTORE_URL', services: ['eventstore'], port: 2113 },
    url: (address) => `esdb://${address}?tls=false`,
  },
  {
    ...{ name: 'MongoDB', variable: 'MONGODB_URL', services: ['mongodb', 'mongodb-init'], port: 27017 },
    url: (address) => `mongodb://${address}/?directConnection=true`,
  },
  {
    ...{ name: 'S3', variable: 'S3_ENDPOINT', services: ['minio'], port: 9000 },
    url: (address) => `http://${address}`,
  },
];

interface Containers {
  readonly variables: Variables;
  stop(): Promise<void>;
}

/** Null: no engine answers. */
async function bringUp(missing: readonly Store[]): Promise<Containers | null> {
  const { DockerComposeEnvironment, getContainerRuntimeClient, Wait } = await import('testcontainers');
  const engine = await getContainerRuntimeClient().catch(() => null);
  if (engine === null) return null;
  const secrets = { S3_ACCESS_KEY: 'slipway', S3_SECRET_KEY: randomBytes(24).toString('base64url') };
  // Port 0: the engine chooses.
  const ports = { EVENTSTORE_PORT: '0', MONGODB_PORT: '0', MINIO_PORT: '0' };
  console.log(`Bringing up ${missing.map(({ name }) => name).join(', ')} from docker-compose.dev.yml …`);
  const environment = await new DockerComposeEnvironment(root, 'docker-compose.dev.yml')
    .withEnvironment({ ...ports, ...secrets })
    .withDefaultWaitStrategy(Wait.forHealthCheck())
    .withWaitStrategy('mongodb-init-1', Wait.forOneShotStartup())
    .up(missing.flatMap(({ services }) => services));
  const variables = missing.map(({ variable, services: [service], port, url }) => {
    const container = environment.getContainer(`${service}-1`);
    return [variable, url(`${container.getHost()}:${container.getMappedPort(port)}`)];
  });
  return {
    variables: { ...(Object.fromEntries(variables) as Variables), ...secrets },
    stop: async () => {
      await environment.down({ removeVolumes: true });
    },
  };
}

async function mocha(args: readonly string[], variables: Variables): Promise<number> {
  const files = args.some((arg) => arg.endsWith('.ts')) ? [] : suites;
  // One after the other: they share servers, and some of them kill, scavenge or fill what they are given.
  const child = spawn(
    process.execPath,
    ['node_modules/mocha/bin/mocha.js', '--no-parallel', ...args, ...files],
    {
      cwd: root,
      env: { ...process.env, ...variables },
      stdio: 'inherit',
    },
  );
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
}

const wanted = process.argv.slice(2);
const args = wanted.filter((arg) => arg !== '--no-containers');
const mayBringUp = args.length === wanted.length;
const missing = stores.filter(({ variable }) => !process.env[variable]);
const containers = missing.length > 0 && mayBringUp ? await bringUp(missing) : null;
try {
  process.exitCode = await mocha(args, containers?.variables ?? {});
} finally {
  await containers?.stop();
}
if (containers === null && missing.length > 0) {
  const line = '*'.repeat(100);
  console.log(`\n${line}`);
  for (const { name, variable } of missing)
    console.log(`NOT RUN against ${name}: ${variable} names no server.`);
  if (mayBringUp) console.log('No Docker engine answers either, so none of them could be brought up.');
  console.log(line);
}
