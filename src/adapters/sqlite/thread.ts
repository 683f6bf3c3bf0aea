/** A worker thread as an object whose functions answer promises, one call after the other, errors with their classes. */
import { parentPort, Worker } from 'node:worker_threads';
import { StoreUnavailable } from '../../ports/event-store.ts';
import { BadCursor, StaleFence, UnanswerableQuery } from '../../ports/read-models.ts';

interface Call {
  readonly call: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

type Reply = { readonly call: number } & (
  | { readonly value: unknown }
  | { readonly error: { readonly name: string; readonly message: string; readonly stack?: string } }
);

type Functions<T> = { readonly [Name in keyof T]: (...args: never[]) => unknown };

export interface Thread<T extends Functions<T>> {
  /** It has died or been closed: every call fails. */
  readonly ended: boolean;
  /** @throws {StoreUnavailable} when the thread has died or been closed, also of calls under way */
  call<Name extends keyof T & string>(name: Name, ...args: Parameters<T[Name]>): Promise<ReturnType<T[Name]>>;
  /** Resolves when every call made so far has been answered. */
  answered(): Promise<void>;
  /** Lets the calls made so far finish, then ends the thread. Idempotent. */
  close(): Promise<void>;
}

const CLOSE = 'close';

/** @param name whose it is, for errors: "the read models' thread" */
export function startThread<T extends Functions<T>>(file: URL, name: string): Thread<T> {
  const worker = new Worker(file);
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  const exited = Promise.withResolvers<undefined>();
  let calls = 0;
  let ended: string | null = null;

  worker.on('message', (reply: Reply) => {
    const caller = waiting.get(reply.call);
    waiting.delete(reply.call);
    if ('error' in reply) caller?.reject(revive(reply.error));
    else caller?.resolve(reply.value);
  });
  worker.on('error', (error) => (ended = String(error)));
  worker.on('exit', () => {
    ended ??= 'it has been closed';
    for (const { reject } of waiting.values()) reject(new StoreUnavailable(`${name} ended: ${ended}`));
    waiting.clear();
    exited.resolve(undefined);
  });

  function post(name: string, args: readonly unknown[]): Promise<unknown> {
    if (ended !== null) return Promise.reject(new StoreUnavailable(`${name} ended: ${ended}`));
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const call: Call = { call: ++calls, name, args };
    // Posted first: what cannot be cloned is thrown here and must not wait for an answer.
    worker.postMessage(call);
    waiting.set(call.call, { resolve, reject });
    return promise;
  }

  return {
    get ended() {
      return ended !== null;
    },
    async call<Name extends keyof T & string>(name: Name, ...args: Parameters<T[Name]>) {
      return (await post(name, args)) as ReturnType<T[Name]>;
    },
    async answered() {
      await post('', []);
    },
    async close() {
      if (ended === null) {
        worker.postMessage({ call: 0, name: CLOSE, args: [] } satisfies Call);
        ended = 'it has been closed';
      }
      await exited.promise;
    },
  };
}

/** The other side: answers calls with these functions, in order, until closed. */
export function serveThread<T extends Functions<T>>(functions: T, onClose: () => void): void {
  const port = parentPort;
  if (!port) throw new Error('not in a worker thread');
  port.on('message', ({ call, name, args }: Call) => {
    if (name === CLOSE) {
      onClose();
      port.close();
      return;
    }
    port.postMessage(answer(functions, call, name, args));
  });
}

function answer(functions: object, call: number, name: string, args: readonly unknown[]): Reply {
  try {
    const called: unknown = Reflect.get(functions, name);
    const value: unknown = typeof called === 'function' ? Reflect.apply(called, functions, args) : undefined;
    return { call, value };
  } catch (error) {
    const { name: kind, message, stack } = error instanceof Error ? error : new Error(String(error));
    return { call, error: { name: kind, message, ...(stack !== undefined && { stack }) } };
  }
}

/** Errors lose their class on the way between threads; callers decide by it. */
function revive({ name, message, stack }: { name: string; message: string; stack?: string }): Error {
  const classes = { StoreUnavailable, UnanswerableQuery, BadCursor, StaleFence };
  const Class = Object.hasOwn(classes, name) ? classes[name as keyof typeof classes] : Error;
  const error = new Class(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
