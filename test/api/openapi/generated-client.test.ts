/** A client generated from the server's OpenAPI document compiles under this project's own, strict settings, and drives the server. */
import { copyFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import openapiTS, { astToString } from 'openapi-typescript';
import ts from 'typescript';
import { startTestServer } from '../../support/server.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

interface Walk {
  readonly walk: (url: string, settle: () => Promise<void>) => Promise<Readonly<Record<string, unknown>>>;
}

describe('a client generated from the OpenAPI document', function () {
  // A compiler reads the types of Node: seconds on a quiet machine.
  this.timeout(60_000);
  let server: Awaited<ReturnType<typeof startTestServer>>;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let walkPath = '';
  before(async () => {
    server = await startTestServer();
    folder = await temporaryFolder();
    walkPath = join(folder.path, 'walk.ts');
    const { body } = await server.call('GET', '/api/openapi.json');
    // What has a default may be left out of a request.
    const types = await openapiTS(JSON.stringify(body), { defaultNonNullable: false });
    await writeFile(join(folder.path, 'api.ts'), astToString(types));
    await writeFile(join(folder.path, 'package.json'), '{"type":"module"}');
    await symlink(join(process.cwd(), 'node_modules'), join(folder.path, 'node_modules'), 'junction');
    await copyFile('test/client/walk.mts', walkPath);
  });
  after(async () => {
    await server.stop();
    await folder.remove();
  });

  it('compiles, and lets nothing pass that the document does not know', () => {
    const { config } = ts.readConfigFile('tsconfig.json', (path) => ts.sys.readFile(path)) as {
      config: object;
    };
    const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, process.cwd());
    const program = ts.createProgram([walkPath], { ...options, types: ['node'] });
    const faults = ts.getPreEmitDiagnostics(program).map(({ messageText, file, start }) => {
      const text = ts.flattenDiagnosticMessageText(messageText, '\n');
      return `${file?.fileName} ${start}: ${text}`;
    });
    expect(faults).to.deep.equal([]);
  });

  it('walks from the first login to a deployment, and is told what is wrong', async () => {
    const { walk } = (await import(pathToFileURL(walkPath).href)) as Walk;
    const walked = await walk(server.url, server.settle);
    expect(walked).to.containSubset({
      user: { role: 'PlatformAdmin' },
      plugin: { pluginId: 'mail', status: 'Active', versions: [{ semanticVersion: '1.0.0' }] },
      page: { total: 1, limit: 5, plugins: [{ name: 'Mail' }] },
      deployment: { pluginVersion: '1.0.0', tenantId: 'tenant-acme-corp', totalInstances: 1 },
    });
    expect(walked['refusals']).to.deep.equal([
      ...['UNAUTHORIZED', 'VALIDATION_ERROR', 'FORBIDDEN', 'CONFLICT', 'NOT_FOUND'],
    ]);
  });
});
