import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { createResolve } from '../../../src/adapters/egress/names.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

describe('names of receivers', () => {
  const hosts = [
    '# 10.9.9.9 hooks.internal',
    '10.1.2.3\thooks.internal hooks # 10.9.9.9 other.internal',
    '  fd00::7   Hooks.Internal  \r',
    '10.6.6.6 localhost',
    'fe80::1%eth0 linked.internal',
    'nonsense hooks.internal',
    '10.4.4.4',
    '10.5.5.5 last.internal.',
  ].join('\n');

  it('are looked up in the file of hosts first, whatever their case', async () => {
    const folder = await temporaryFolder();
    try {
      const hostsFile = join(folder.path, 'hosts');
      await writeFile(hostsFile, hosts);
      const resolve = createResolve({ timeoutMs: 1, hostsFile });
      for (const name of ['hooks.internal', 'HOOKS.internal.'])
        expect(await resolve(name), name).to.deep.equal(['10.1.2.3', 'fd00::7']);
      expect(await resolve('hooks')).to.deep.equal(['10.1.2.3']);
      expect(await resolve('last.internal')).to.deep.equal(['10.5.5.5']);
      // What changes in it counts at once.
      await writeFile(hostsFile, '10.1.2.4 hooks.internal');
      expect(await resolve('hooks.internal')).to.deep.equal(['10.1.2.4']);
    } finally {
      await folder.remove();
    }
  });

  it('never let anything say what localhost is', async () => {
    const folder = await temporaryFolder();
    try {
      const hostsFile = join(folder.path, 'hosts');
      await writeFile(hostsFile, hosts);
      for (const at of [hostsFile, join(folder.path, 'missing')])
        for (const name of ['localhost', 'LOCALHOST.', 'a.localhost'])
          expect(await createResolve({ timeoutMs: 1, hostsFile: at })(name)).to.deep.equal([
            '127.0.0.1',
            '::1',
          ]);
    } finally {
      await folder.remove();
    }
  });
});
