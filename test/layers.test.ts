/** The import rules of docs/architecture.md, and that they catch what they forbid. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { expect } from 'chai';

const root = resolve(import.meta.dirname, '..');

async function violations(files: Record<string, string>): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-layers-'));
  try {
    await copyFile(join(root, 'tsconfig.json'), join(folder, 'tsconfig.json'));
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    const config = join(root, '.dependency-cruiser.cjs');
    const { promise, resolve: done } = Promise.withResolvers<string>();
    const command = [cruiser, 'src', '--config', config, '--output-type', 'json'];
    execFile(process.execPath, command, { cwd: folder }, (_error, stdout) => done(stdout));
    const report = JSON.parse(await promise) as { summary: { violations: { rule: { name: string } }[] } };
    return report.summary.violations.map((violation) => violation.rule.name).sort();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('layers', function () {
  this.timeout(60_000);

  it('let arrows point inward', async () => {
    const files = {
      'src/domain/rule.ts': 'export const rule = 1;',
      'src/core/use.ts': "export { rule } from '../domain/rule.ts';",
      'src/api/face.ts': "export { rule } from '../core/use.ts';",
    };
    expect(await violations(files)).to.deep.equal([]);
  });

  it('catch a planted import outward, of sqlite outside its adapter, of I/O in the domain, and a cycle', async () => {
    const files = {
      'src/adapters/store.ts': 'export const store = 1;',
      'src/agent/spy.ts': "export { rule } from '../domain/rule.ts';",
      'src/demo/shortcut.ts': "export { rule } from '../domain/rule.ts';",
      'src/domain/rule.ts':
        "export { store } from '../adapters/store.ts';\nexport { readFile } from 'node:fs';",
      'src/core/use.ts': "export { DatabaseSync } from 'node:sqlite';",
      'src/api/a.ts': "export { b } from './b.ts';\nexport const a = 1;",
      'src/api/b.ts': "export { a } from './a.ts';\nexport const b = 1;",
    };
    expect(await violations(files)).to.include.members([
      'agent-knows-the-protocol-alone',
      'demo-is-a-client',
      'domain-imports-inward',
      'domain-is-pure',
      'no-cycles',
      'only-adapters-know-sqlite',
    ]);
  });
});
