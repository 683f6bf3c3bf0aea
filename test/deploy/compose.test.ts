/**
 * The compose files, as far as they can be judged without an engine: against the schema of the compose specification, against
 * themselves, and against what Slipway's settings take. Whether they come up, only an engine tells.
 */
import { Ajv, type AnySchemaObject } from 'ajv';
import ajvFormats from 'ajv-formats';
import { expect } from 'chai';
import { z } from 'zod';
import { serverRoles } from '../../src/roles.ts';
import {
  exampleSecret,
  imageSettings,
  isPinned,
  isSecret,
  isSetting,
  problemsOfSettings,
  text,
  yaml,
} from './files.ts';

const Service = z.looseObject({
  image: z.string(),
  environment: z.record(z.string(), z.string()).default({}),
  command: z.union([z.string(), z.array(z.string())]).default([]),
  healthcheck: z.looseObject({ test: z.array(z.string()).optional(), disable: z.boolean().optional() }),
  deploy: z.object({
    resources: z.object({ limits: z.object({ cpus: z.string(), memory: z.string() }) }),
  }),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  networks: z.array(z.string()).default([]),
  secrets: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  restart: z.string().default(''),
  read_only: z.boolean().default(false),
});
const Compose = z.looseObject({
  services: z.record(z.string(), Service),
  networks: z.record(z.string(), z.unknown()).default({}),
  secrets: z.record(z.string(), z.unknown()).default({}),
  volumes: z.record(z.string(), z.unknown()),
});

/** Of the compose specification, as dclint brings it along. */
const schema = JSON.parse(text('node_modules/dclint/schemas/compose.schema.json')) as AnySchemaObject;

const files = ['docker-compose.yml', 'docker-compose.dev.yml'] as const;
const read = (file: string) => Compose.parse(yaml(file)[0]);
const isOurs = ({ image }: { readonly image: string }): boolean => image.startsWith('slipway:');

for (const file of files)
  describe(file, () => {
    const { services, networks, secrets, volumes } = read(file);
    const each = Object.entries(services);

    it('is what the compose specification says', () => {
      const ajv = new Ajv({ strict: false, allErrors: true, validateSchema: false });
      ajvFormats.default(ajv);
      ajv.addFormat('duration', /^(\d+(h|m|s|ms))+$/);
      const holds = ajv.compile(schema);
      expect(holds(yaml(file)[0]), ajv.errorsText(holds.errors)).to.be.true;
      expect(holds({ services: { a: { imagine: 'x' } } })).to.be.false;
    });

    it('pins every image, and takes our own by version', () => {
      for (const [name, service] of each)
        if (isOurs(service)) expect(service.image, name).to.match(/^slipway:\$\{SLIPWAY_VERSION:\?.+\}$/);
        else expect(isPinned(service.image), `${name}: ${service.image}`).to.be.true;
    });

    it('looks after every service, and bounds what it may take', () => {
      for (const [name, { healthcheck, restart }] of each)
        // What ends by itself is waited for instead.
        if (restart === 'no') expect(healthcheck.disable, name).to.be.true;
        else expect(healthcheck.test?.[0], name).to.equal('CMD');
    });

    it('knows every service, network, secret and volume that it names', () => {
      for (const [name, service] of each) {
        for (const [other, { condition }] of Object.entries(service.depends_on)) {
          expect(services, name).to.have.property(other);
          const ends = services[other]?.restart === 'no';
          expect(condition, `${name} on ${other}`).to.equal(
            ends ? 'service_completed_successfully' : 'service_healthy',
          );
        }
        expect(Object.keys(networks), name).to.include.members(service.networks);
        expect(Object.keys(secrets), name).to.include.members(service.secrets);
        const named = service.volumes.map((volume) => volume.split(':')[0] ?? '');
        const own = named.filter((volume) => !volume.startsWith('.'));
        expect(Object.keys(volumes), name).to.include.members(own);
      }
      const used = each.flatMap(([, service]) => service.volumes.map((volume) => volume.split(':')[0]));
      expect(used).to.include.members(Object.keys(volumes));
      // Two processes on one folder lock each other out.
      const own = used.filter((volume) => !volume?.startsWith('.'));
      expect(new Set(own).size).to.equal(own.length);
    });

    it('holds no secret, and no default for one', () => {
      for (const [, variable = '', rest = ''] of text(file).matchAll(/(?<!\$)\$\{(\w+)([^}]*)\}/g))
        if (isSecret(variable)) expect(rest, variable).to.match(/^:\?.+/);
      for (const [name, { environment }] of each)
        for (const [variable, value] of Object.entries(environment))
          if (/KEY|SECRET|PASSWORD/.test(variable))
            expect(value, `${name}: ${variable}`).to.match(/^\$\{\w+:\?/);
    });
  });

describe('docker-compose.yml and docker-compose.dev.yml', () => {
  it('have the same versions', () => {
    const [whole, dev] = files.map(read);
    for (const [name, { image }] of Object.entries(dev?.services ?? {}))
      expect(whole?.services[name]?.image, name).to.equal(image);
  });

  it('publish no store but on the loopback, and in production none at all', () => {
    for (const { ports } of Object.values(read('docker-compose.dev.yml').services))
      for (const port of ports) expect(port).to.match(/^127\.0\.0\.1:/);
    const published = Object.entries(read('docker-compose.yml').services).filter(
      ([, { ports }]) => ports.length,
    );
    expect(published.map(([name]) => name)).to.deep.equal(['proxy']);
  });
});

describe('Slipway in docker-compose.yml', () => {
  const ours = Object.entries(read('docker-compose.yml').services).filter(([, service]) => isOurs(service));

  /** What the process would be given: the image's own settings, those of the file, and `--roles`. */
  function settingsOf(service: z.output<typeof Service>): Record<string, string> {
    const filled = Object.entries(service.environment).map(([name, value]) => [
      name,
      value.replaceAll(/\$\{(\w+)(?::[?-]([^}]*))?\}/g, (_all, variable: string) => example(variable)),
    ]);
    const [, , SLIPWAY_ROLES = ''] = service.command;
    return { ...imageSettings(), ...(Object.fromEntries(filled) as Record<string, string>), SLIPWAY_ROLES };
  }

  it('is given settings that there are, and that go together', () => {
    expect(ours).to.have.length(4);
    for (const [name, service] of ours) {
      for (const variable of Object.keys(service.environment))
        expect(isSetting(variable), variable).to.be.true;
      expect(service.command.slice(0, 2), name).to.deep.equal(['serve', '--roles']);
      expect(problemsOfSettings(settingsOf(service)), name).to.deep.equal([]);
    }
    const [first] = ours;
    expect(problemsOfSettings({ ...settingsOf(first![1]), SLIPWAY_ROLES: 'apis' })).to.have.length(1);
  });

  it('does everything twice', () => {
    const roles = ours
      .flatMap(([, service]) => settingsOf(service)['SLIPWAY_ROLES']?.split(',') ?? [])
      .sort();
    expect(roles).to.deep.equal([...serverRoles, ...serverRoles].sort());
  });

  it('is asked by the proxy where it answers', () => {
    const servers = [...text('deploy/haproxy.cfg').matchAll(/^ {2}server (\S+) (\S+):(\d+)$/gm)];
    const answering = ours.filter(([, service]) => settingsOf(service)['SLIPWAY_ROLES'] === 'api');
    expect(servers.map(([, , host, port]) => `${host}:${port}`)).to.deep.equal(
      answering.map(([name, service]) => `${name}:${settingsOf(service)['PORT']}`),
    );
  });

  it('runs with a root file system that is read alone, on folders of its own', () => {
    for (const [name, service] of ours) {
      expect(service.read_only, name).to.be.true;
      expect(service.volumes, name).to.deep.equal([`${name}:/data`]);
    }
  });
});

function example(variable: string): string {
  if (variable === 'SLIPWAY_ADMIN_EMAIL') return 'admin@example.com';
  if (variable === 'LOG_LEVEL') return 'info';
  if (variable === 'CORS_ORIGINS') return '';
  return exampleSecret(variable);
}
