/** Child processes of the benchmarks: each on the project's Node, spoken to over IPC, so that nobody shares a heap or an event loop. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface Child {
  readonly pid: number;
  /** The next message of the child. @throws when it ends instead */
  next<T>(): Promise<T>;
  /** Sends a message and waits for the answer: one at a time. */
  ask<T>(message: object): Promise<T>;
  /** Asks it to end by SIGTERM, and waits. */
  stop(): Promise<void>;
}

/**
 * @param module beside this file: `http/bare.ts`
 * @param options.stderr where its log goes: a file descriptor; default: beside ours
 */
export function startChild(
  module: string,
  options: { readonly env?: Readonly<Record<string, string>>; readonly stderr?: number } = {},
): Child {
  const child: ChildProcess = fork(fileURLToPath(new URL(module, import.meta.url)), [], {
    stdio: ['ignore', 'ignore', options.stderr ?? 'inherit', 'ipc'],
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: { ...process.env, ...options.env },
  });
  const ended = once(child, 'exit');
  const next = async <T>(): Promise<T> => {
    const over = new AbortController();
    try {
      const answered = once(child, 'message', over).then(([message]) => message as T);
      const lost = ended.then(([code]) => {
        throw new Error(`${module} ended with ${String(code)} instead of an answer`);
      });
      return await Promise.race([answered, lost]);
    } finally {
      over.abort();
    }
  };
  return {
    pid: child.pid ?? 0,
    next,
    ask: (message) => {
      child.send(message);
      return next();
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
    },
  };
}

/** The child's side: what it has to say. */
export function tell(message: object): void {
  process.send?.(message);
}
