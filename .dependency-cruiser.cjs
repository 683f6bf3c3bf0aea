/** The layers of docs/architecture.md: arrows point inward. A folder may import what its row names, and itself. */
const may = {
  domain: [],
  ports: ['domain'],
  core: ['domain', 'ports'],
  commands: ['domain', 'ports', 'core'],
  projections: ['domain', 'ports', 'core'],
  processes: ['domain', 'ports', 'core', 'commands', 'projections'],
  audit: ['domain', 'ports', 'core', 'commands', 'projections'],
  api: ['domain', 'ports', 'core', 'commands', 'projections', 'audit'],
  adapters: ['domain', 'ports'],
  client: [],
  watch: ['ports', 'client'],
  'audit-client': ['ports', 'client'],
  custody: ['domain', 'ports', 'core', 'adapters', 'client', 'audit', 'audit-client'],
};
const layers = Object.entries(may).map(([layer, inner]) => ({
  name: `${layer}-imports-inward`,
  severity: 'error',
  comment: `src/${layer} may import only itself${inner.map((name) => `, src/${name}`).join('')}`,
  from: { path: `^src/${layer}/` },
  to: { path: '^src/', pathNot: [layer, ...inner].map((name) => `^src/${name}/`) },
}));

module.exports = {
  forbidden: [
    ...layers,
    {
      name: 'agent-knows-the-protocol-alone',
      severity: 'error',
      comment:
        'src/agent is a program of its own that speaks HTTP: of the server it shares scenarios and waiting, of other clients their options',
      from: { path: '^src/agent/' },
      to: {
        path: '^src/',
        pathNot: [
          '^src/agent/',
          '^src/client/',
          '^src/ports/clock[.]ts$',
          '^src/core/waiting[.]ts$',
          '^src/adapters/simulated/scenario[.]ts$',
        ],
      },
    },
    {
      name: 'demo-is-a-client',
      severity: 'error',
      comment:
        'src/demo shows what anybody can do over HTTP: of the server it shares examples of requests alone',
      from: { path: '^src/demo/' },
      to: {
        path: '^src/',
        pathNot: ['^src/(demo|watch|client|ports)/', '^src/api/plugin-manager/request-examples[.]ts$'],
      },
    },
    {
      name: 'domain-is-pure',
      severity: 'error',
      comment: 'The domain has no I/O, clock or chance: only zod and semver from outside, nothing of node',
      from: { path: '^src/domain/' },
      to: { dependencyTypesNot: ['local'], pathNot: ['^node_modules/(zod|semver|@types/semver)/'] },
    },
    {
      name: 'only-adapters-know-sqlite',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/sqlite/' },
      to: { path: '^(node:)?sqlite$' },
    },
    {
      name: 'only-the-s3-adapter-knows-its-client',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/s3/' },
      to: { path: '^node_modules/minio/' },
    },
    {
      name: 'one-file-knows-the-client-of-eventstoredb',
      severity: 'error',
      comment: 'so that its successor is a change of one file',
      from: { path: '^src/', pathNot: '^src/adapters/eventstoredb/connection[.]ts$' },
      to: { path: '^node_modules/(@eventstore|@grpc|google-protobuf)/' },
    },
    {
      name: 'only-adapters-know-mongodb',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/adapters/mongodb/' },
      to: { path: '^node_modules/mongodb/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^data' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};
