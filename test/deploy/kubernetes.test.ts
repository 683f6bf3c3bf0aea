/**
 * The manifests, as far as they can be judged without a cluster: by TypeScript, as literals of the types that kubernetes-types
 * makes of the API, so that what is misspelt is no member; against themselves; and against Slipway's settings and routes.
 */
import { expect } from 'chai';
import ts from 'typescript';
import { z } from 'zod';
import { healthFace } from '../../src/api/health.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { serverRoles } from '../../src/roles.ts';
import {
  exampleSecret,
  imageSettings,
  isPinned,
  isSetting,
  manifests,
  problemsOfSettings,
  root,
  yaml,
} from './files.ts';

const Labels = z.record(z.string(), z.string());
const Selector = z.object({ matchLabels: Labels.default({}) });
const Probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) });
const Container = z.looseObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  env: z.array(
    z.object({
      name: z.string(),
      value: z.string().optional(),
      valueFrom: z.object({ secretKeyRef: z.object({ name: z.string(), key: z.string() }) }).optional(),
    }),
  ),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
  ...{ startupProbe: Probe, livenessProbe: Probe, readinessProbe: Probe },
  resources: z.object({ requests: Labels, limits: z.object({ cpu: z.string(), memory: z.string() }) }),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
  }),
});
const Workload = z.looseObject({
  kind: z.enum(['Deployment', 'StatefulSet']),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    replicas: z.int().min(2),
    selector: Selector,
    template: z.object({
      metadata: z.object({ labels: Labels }),
      spec: z.looseObject({
        automountServiceAccountToken: z.literal(false),
        terminationGracePeriodSeconds: z.int(),
        securityContext: z.looseObject({ runAsNonRoot: z.literal(true), runAsUser: z.int().min(1) }),
        containers: z.array(Container),
      }),
    }),
  }),
});
type Workload = z.output<typeof Workload>;

const documents = manifests.flatMap((file) => yaml(file).map((document) => ({ file, document })));
const kinds = z.looseObject({ apiVersion: z.string(), kind: z.string() });
const ofKind = (...names: string[]): readonly unknown[] =>
  documents.map(({ document }) => document).filter((document) => names.includes(kinds.parse(document).kind));
const workloads: readonly Workload[] = ofKind('Deployment', 'StatefulSet').map((found) =>
  Workload.parse(found),
);
const containers = workloads.flatMap(({ spec }) => spec.template.spec.containers);
const settings = z.object({ data: Labels }).parse(ofKind('ConfigMap')[0]).data;

describe('deploy/kubernetes', function () {
  this.timeout(60_000);

  it('is what the API of Kubernetes takes', () => {
    const judged = documents.filter(({ file }) => !file.endsWith('kustomization.yaml'));
    expect(problemsOf(judged.map(({ document }) => document))).to.deep.equal([]);
    const misspelt = { apiVersion: 'v1', kind: 'Namespace', metadata: { nam: 'slipway' } };
    expect(problemsOf([misspelt]).join()).to.match(/known properties.*nam/);
  });

  it('is applied as a whole', () => {
    const { resources } = z.looseObject({ resources: z.array(z.string()) }).parse(ofKind('Kustomization')[0]);
    const others = manifests.filter((file) => !file.endsWith('kustomization.yaml'));
    expect(resources.map((name) => `deploy/kubernetes/${name}`)).to.have.members(others);
  });

  it('pins every image', () => {
    for (const { image } of containers) expect(isPinned(image), image).to.be.true;
  });

  it('gives settings that there are and that go together, secrets by reference alone', () => {
    expect(
      Object.keys(settings).filter((name) => !isSetting(name) || /KEY|SECRET|PASSWORD/.test(name)),
    ).to.deep.equal([]);
    for (const { env, args } of containers) {
      for (const { name, value, valueFrom } of env) {
        expect(isSetting(name), name).to.be.true;
        expect(valueFrom?.secretKeyRef, name).to.deep.equal({ name: 'slipway', key: name });
        expect(value, name).to.be.undefined;
      }
      const secrets = env.map(({ name }) => [name, exampleSecret(name)]);
      const given = {
        ...imageSettings(),
        ...settings,
        ...(Object.fromEntries(secrets) as Record<string, string>),
      };
      expect(args.slice(0, 2)).to.deep.equal(['serve', '--roles']);
      expect(problemsOfSettings({ ...given, SLIPWAY_ROLES: args[2] ?? '' })).to.deep.equal([]);
    }
  });

  it('does everything, and twice', () => {
    const roles = containers.flatMap(({ args }) => args[2]?.split(',') ?? []).sort();
    expect(roles).to.deep.equal([...serverRoles].sort());
  });

  it('probes routes that there are, at the port that is listened on', () => {
    const readiness = () => ({ ready: true, stopping: false, projections: [] });
    const { routes } = healthFace({
      clock: createSystemClock(),
      readiness,
      isLogWhole: () => true,
    });
    const paths = routes.map(({ path }) => path);
    for (const { ports, startupProbe, livenessProbe, readinessProbe } of containers) {
      expect(ports).to.deep.equal([{ name: 'http', containerPort: 3000 }]);
      for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
        expect(paths).to.include(httpGet.path);
        expect(httpGet.port).to.equal('http');
      }
      expect([livenessProbe.httpGet.path, readinessProbe.httpGet.path]).to.deep.equal(['/health', '/ready']);
    }
  });

  it('waits with the end for who drains', () => {
    for (const { spec } of workloads)
      expect(spec.template.spec.terminationGracePeriodSeconds).to.be.at.least(
        Number(settings['SLIPWAY_DRAIN_SECONDS']) + 30,
      );
  });

  it('selects pods that there are', () => {
    const pods = workloads.map(({ spec }) => spec.template.metadata.labels);
    const found = ofKind('Deployment', 'StatefulSet', 'Service', 'PodDisruptionBudget', 'NetworkPolicy');
    expect(found).to.have.length(2 + 2 + 2 + 3);
    const ofService = z.object({ selector: Labels }).transform(({ selector }) => selector);
    const ofOthers = z
      .union([
        z.object({ selector: Selector }).transform(({ selector }) => selector),
        z.object({ podSelector: Selector }).transform(({ podSelector }) => podSelector),
      ])
      .transform(({ matchLabels }) => matchLabels);
    for (const document of found) {
      const { kind, spec } = z.looseObject({ kind: z.string(), spec: z.unknown() }).parse(document);
      const labels = (kind === 'Service' ? ofService : ofOthers).parse(spec);
      const matching = pods.filter((pod) =>
        Object.entries(labels).every(([name, value]) => pod[name] === value),
      );
      expect(matching, JSON.stringify(document)).to.not.be.empty;
    }
  });

  it('reaches and is reached by nothing that is not named', () => {
    const Policy = z.looseObject({
      spec: z.looseObject({ podSelector: Selector, policyTypes: z.array(z.string()) }),
    });
    const closed = ofKind('NetworkPolicy').filter((document) => {
      const { spec } = Policy.parse(document);
      return (
        Object.keys(spec.podSelector.matchLabels).length === 0 && !('ingress' in spec) && !('egress' in spec)
      );
    });
    expect(closed).to.have.length(1);
    expect(Policy.parse(closed[0]).spec.policyTypes).to.have.members(['Ingress', 'Egress']);
  });
});

/** Each document as a literal of its type. */
function problemsOf(judged: readonly unknown[]): readonly string[] {
  const lines = judged.map((document, index) => {
    const { apiVersion, kind } = kinds.parse(document);
    const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion];
    const type = `import('kubernetes-types/${group?.split('.')[0] ?? ''}/${version ?? ''}').${kind}`;
    return `export const document${index}: ${type} = ${JSON.stringify(document)};`;
  });
  const file = `${root}/test/deploy/judged.ts`;
  const options: ts.CompilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: true, types: [], lib: ['lib.es2023.d.ts'] },
    ...{ module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler },
  };
  const disk = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (name) => name === file || disk.fileExists(name),
    getSourceFile: (name, language, ...rest) =>
      name === file
        ? ts.createSourceFile(name, lines.join('\n'), language)
        : disk.getSourceFile(name, language, ...rest),
  };
  const program = ts.createProgram([file], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}
