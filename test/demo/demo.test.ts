/** `slipway demo` as a process of its own, in a folder for temporary folders of its own: what it shows, and what it leaves. */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { expect } from 'chai';
import { temporaryFolder } from '../support/temporary-folder.ts';

const root = resolve(import.meta.dirname, '../..');

interface Demo {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  output(): string;
  printed(pattern: RegExp): Promise<void>;
  readonly ended: Promise<number | null>;
}

describe('slipway demo', function () {
  // Rollouts of some seconds, as a person would watch them; a busy machine takes several times as long.
  this.timeout(400_000);
  let temporary: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    temporary = await temporaryFolder();
  });
  afterEach(() => temporary.remove());

  function start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Demo {
    // A group of its own: whatever it starts can be seen, and ended.
    const child = spawn(join(root, 'scripts/slipway'), ['demo', ...args], {
      env: { ...process.env, TMPDIR: temporary.path, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = once(child, 'close').then(([code]) => code as number | null);
    async function printed(pattern: RegExp): Promise<void> {
      while (!pattern.test(output)) {
        const end = await Promise.race([
          ended.then(() => true),
          once(child.stdout, 'data').then(() => false),
        ]);
        if (end && !pattern.test(output)) throw new Error(`it ended before it printed ${pattern}: ${output}`);
      }
    }
    return { child, output: () => output, printed, ended };
  }

  function isGroupLeft({ child }: Demo): boolean {
    try {
      return process.kill(-child.pid!, 0);
    } catch {
      return false;
    }
  }

  /** The lines to paste, each in a shell where those before it were pasted; a mark ends the answer of each. */
  function paste(lines: readonly string[]): readonly string[] {
    const shims =
      spawnSync('sh', ['-c', 'command -v curl']).status === 0 ? '' : `${join(root, 'test/support/shims')}:`;
    const { stdout, stderr, status } = spawnSync(
      'sh',
      ['-c', lines.map((line) => `${line}\necho '<end>'`).join('\n')],
      {
        encoding: 'utf8',
        env: { ...process.env, no_proxy: '*', PATH: `${shims}${process.env['PATH'] ?? ''}` },
      },
    );
    expect(status, stderr).to.equal(0);
    return stdout.split('<end>\n').slice(0, -1);
  }

  it('shows a rollback with its reasons and the webhook, in lines that work when they are pasted', async () => {
    const demo = start(['--keep'], {
      SLIPWAY_RUNTIME: 'agent',
      NODE_ENV: 'production',
      SLIPWAY_NONSENSE: '1',
    });
    try {
      await demo.printed(/That was all.*Ctrl-C/);
      const output = demo.output();
      expect(output).not.to.include('\x1b');
      expect(output).to.include('SIMULATED').and.to.include('its instances are simulated');
      for (const stage of [1, 2, 3])
        expect(output).to.match(new RegExp(`Stage ${stage} of 3 began: \\d+ of 10`));
      expect(output).to.match(
        /It goes back by itself, to dep-\w+\n {3}- \d of \d new instances? failed 3 probes in a row\n/,
      );
      expect(output).to.match(/deployment\.rolled_back arrived as evt_[\w-]+, and its signature is genuine/);
      expect(output).not.to.include('is not believed');

      const lines = output.split('\n').map((line) => line.trim());
      const settings = lines.filter((line) => /^[A-Z]+=/.test(line));
      const calls = lines.filter((line) => line.startsWith('curl '));
      expect(settings).to.have.length(3);
      expect(calls).to.have.length(16);
      const answers = paste([...settings, ...calls]).map((answer) => answer.trim());
      expect(answers.slice(0, 3)).to.eql(['', '', '']);
      const bodies = answers
        .slice(3)
        .map((answer) => JSON.parse(answer) as Readonly<Record<string, unknown>>);
      for (const [index, body] of bodies.entries()) expect(body, calls[index]).not.to.have.property('error');
      // Pasting does nothing twice: the same deployments as before.
      const told = new Set(output.match(/dep-\w+/g));
      const ids = bodies.flatMap(({ deploymentId }) =>
        typeof deploymentId === 'string' ? [deploymentId] : [],
      );
      expect(new Set(ids)).to.eql(told);

      demo.child.kill('SIGINT');
      expect(await demo.ended).to.equal(0);
      expect(isGroupLeft(demo)).to.equal(false);
      const [folder = '', ...others] = await readdir(temporary.path);
      expect(others).to.eql([]);
      expect(demo.output()).to.include(`its data is in ${join(temporary.path, folder)}`);
    } finally {
      if (isGroupLeft(demo)) process.kill(-demo.child.pid!, 'SIGKILL');
    }
  });

  for (const [moment, pattern] of [
    ['before the server is up', /SIMULATED/],
    ['when the server is up', /\n1\. /],
    ['in the middle of a rollout', /Accepted as dep-/],
  ] as const)
    it(`leaves no process and no folder when it is interrupted ${moment}`, async () => {
      const demo = start([]);
      try {
        await demo.printed(pattern);
        demo.child.kill('SIGINT');
        expect(await demo.ended, demo.output()).to.equal(130);
        expect(isGroupLeft(demo)).to.equal(false);
        expect(await readdir(temporary.path)).to.eql([]);
      } finally {
        if (isGroupLeft(demo)) process.kill(-demo.child.pid!, 'SIGKILL');
      }
    });

  it('leaves nothing either when nobody reads what it prints any more', async () => {
    const demo = start([]);
    await demo.printed(/\n1\. /);
    demo.child.stdout.destroy();
    await demo.ended;
    expect(isGroupLeft(demo)).to.equal(false);
    expect(await readdir(temporary.path)).to.eql([]);
  });

  it('says what to do when it cannot have its port', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    try {
      const demo = start(['--port', String(address.port)]);
      expect(await demo.ended).to.equal(1);
      expect(demo.output()).to.match(
        new RegExp(`--port: another program listens on ${address.port} already; .*\n$`),
      );
      expect(await readdir(temporary.path)).to.eql([]);
    } finally {
      taken.close();
    }
  });

  it('says what to do when it cannot have its folder', async () => {
    const demo = start([], { TMPDIR: join(temporary.path, 'missing') });
    expect(await demo.ended).to.equal(1);
    expect(demo.output()).to.match(/^No temporary folder can be made; set TMPDIR .*\n$/);
  });
});
