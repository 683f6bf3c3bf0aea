/** `slipway serve` as a process of its own, as a person starts it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Program {
  readonly child: ChildProcess;
  /** `http://127.0.0.1:…`, once it answers. */
  readonly url: Promise<string>;
  /** What it has printed so far. */
  stdout(): string;
  /** Resolves when standard output matches. @throws when the process ends without */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>;
}

/** @param settings all that it gets of an environment, beside `PATH` and quiet logs; kill it, or wait for its end */
export function startProgram(settings: Readonly<Record<string, string>>): Program {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'src/cli.ts', 'serve'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { PATH: process.env['PATH'], PORT: '0', LOG_LEVEL: 'silent', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stderr }));

  async function printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(stdout);
      if (match) return match;
      const end = await Promise.race([ended, once(child.stdout, 'data').then(() => null)]);
      if (end)
        throw new Error(`it ended with ${end.code} before it printed ${pattern.source}: ${end.stderr}`);
    }
  }

  const url = printed(/Slipway is at (http:\S+):/).then(([, address]) => address ?? '');
  // Who expects it to fail does not ask for the address.
  url.catch(() => undefined);
  return { child, url, stdout: () => stdout, printed, ended };
}
