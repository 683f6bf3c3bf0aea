/** docs/production.md: the file of secrets that it makes, and what it says is there. */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { text } from '../deploy/files.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const page = text('docs/production.md');

describe('docs/production.md', () => {
  it('makes a file of everything that docker-compose.yml asks for, and of nothing else, for its owner alone', async () => {
    const [, script = ''] = /<!-- run: settings -->\n```sh\n([^]*?)```/.exec(page) ?? [];
    const folder = await temporaryFolder();
    try {
      const { status, stderr } = spawnSync('sh', ['-ec', script], { cwd: folder.path, encoding: 'utf8' });
      expect(status, stderr).to.equal(0);
      const file = join(folder.path, '.env');
      const made = new Map(
        readFileSync(file, 'utf8')
          .trim()
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      );
      const asked = [...text('docker-compose.yml').matchAll(/(?<!\$)\$\{(\w+):\?/g)].map(([, name]) => name);
      expect([...made.keys()]).to.have.members([...new Set(asked)]);
      for (const [name, value] of made) expect(value, name).to.not.equal('');
      expect(made.get('MONGODB_PASSWORD')).to.match(/^[0-9a-f]{48}$/);
      expect(Buffer.from(made.get('SLIPWAY_MASTER_KEY') ?? '', 'base64')).to.have.length(32);
      expect(statSync(file).mode & 0o077).to.equal(0);
    } finally {
      await folder.remove();
    }
  });

  it('names the secrets that the manifests refer to', () => {
    const [, sentence = ''] = /^`secrets\.env` has a line for each of (.*)\.$/m.exec(page) ?? [];
    const named = [...sentence.matchAll(/`(\w+)`/g)].map(([, name]) => name);
    for (const file of ['api', 'workers']) {
      const referred = text(`deploy/kubernetes/${file}.yaml`).matchAll(
        /secretKeyRef: \{ name: slipway, key: (\w+) \}/g,
      );
      expect([...referred].map(([, name]) => name)).to.have.members(named);
    }
  });
});
