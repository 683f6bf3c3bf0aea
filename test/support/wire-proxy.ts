/** A small TCP proxy between a client and a server of a test, which does to the wire what networks do to it. */
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** `up`: from client to server. */
export type Direction = 'up' | 'down';

export type Fault =
  /** Every piece waits so long, one after the other, in both directions. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Bytes, and the ends of connections, are swallowed: half-open. Connections that lost something are reset by {@link WireProxy.heal}. */
  | { readonly kind: 'swallow'; readonly direction: Direction | 'both' }
  /** Bytes wait until {@link WireProxy.heal} and then go on: a network that comes back before anybody gave up. */
  | { readonly kind: 'hold'; readonly direction: Direction | 'both' }
  /** New connections are reset at once; those that are open go on. */
  | { readonly kind: 'refuse' }
  /**
   * The connection that first passes so many bytes (counted from now), or the pattern, is reset at both ends; the bytes up to
   * there are passed on. `after: 0, direction: 'down'`: the server has done it, and nobody hears of it. Only once, then all passes.
   */
  | { readonly kind: 'reset'; readonly direction: Direction; readonly after: number | string };

export interface WireProxy {
  readonly host: '127.0.0.1';
  /** Chosen by the system. */
  readonly port: number;
  /** Connections that are open now. */
  readonly open: number;
  /** Connections that were ever made, those that were refused too. */
  readonly made: number;
  /** Bytes, of all connections. */
  readonly swallowed: number;
  /** In place of the fault before, for connections that are open and for new ones. */
  fault(fault: Fault): void;
  /** Everything passes again. */
  heal(): void;
  /** Closes both ends of every connection, with whatever is on its way in them. New ones are made as before. */
  cut(): void;
  /** Resolves when the fault `reset` has struck; at once when there is none. */
  struck(): Promise<void>;
  close(): Promise<void>;
}

interface Wire {
  readonly ends: readonly [client: Socket, server: Socket];
  /** A byte, or an end, was swallowed: what came after it would be another conversation. */
  lossy: boolean;
}

/** One fault from when it was set. Its signal fires when another took its place. */
interface Active {
  readonly fault: Fault | null;
  readonly over: AbortController;
  readonly struck: PromiseWithResolvers<undefined>;
}

function activate(fault: Fault | null): Active {
  const active = { fault, over: new AbortController(), struck: Promise.withResolvers<undefined>() };
  if (fault?.kind !== 'reset') active.struck.resolve(undefined);
  return active;
}

/** @param target where the server is */
export async function openWireProxy(target: {
  readonly host: string;
  readonly port: number;
}): Promise<WireProxy> {
  const wires = new Set<Wire>();
  let made = 0;
  let swallowed = 0;
  let active = activate(null);
  const replace = (fault: Fault | null): void => {
    const former = active;
    active = activate(fault);
    former.over.abort();
    former.struck.resolve(undefined);
  };

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    made += 1;
    if (active.fault?.kind === 'refuse') {
      client.on('error', () => undefined).resetAndDestroy();
      return;
    }
    const upstream = createConnection({ ...target, allowHalfOpen: true, noDelay: true });
    const wire: Wire = { ends: [client, upstream], lossy: false };
    wires.add(wire);
    for (const [index, end] of wire.ends.entries()) {
      // A reset is passed on as a reset.
      end.on('error', () => wire.ends[1 - index]?.resetAndDestroy());
      end.on('close', () => {
        if (wire.ends.every(({ destroyed }) => destroyed)) wires.delete(wire);
      });
    }
    void pump(wire, 'up', client, upstream);
    void pump(wire, 'down', upstream, client);
  });

  async function pump(wire: Wire, direction: Direction, from: Socket, to: Socket): Promise<void> {
    const watch = createWatch(direction);
    // Its end is not the end of the other direction.
    const pieces = from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    try {
      for await (const chunk of pieces) {
        const outcome = await treat(wire, direction, (fault) => watch(fault, chunk));
        if (outcome === 'swallow') {
          swallowed += chunk.length;
          continue;
        }
        const passed = outcome === 'pass' ? chunk : chunk.subarray(0, outcome.passed);
        if (passed.length > 0) await write(to, passed);
        if (outcome !== 'pass') {
          reset(wire);
          return;
        }
      }
      if ((await treat(wire, direction, () => null)) !== 'swallow') to.end();
    } catch {
      // An end is gone; its 'error' has told the other.
    }
  }

  /** What becomes of a piece, or of an end: decided when its turn has come, however long it waited. */
  async function treat(
    wire: Wire,
    direction: Direction,
    strikes: (fault: Extract<Fault, { kind: 'reset' }>) => number | null,
  ): Promise<'pass' | 'swallow' | { readonly passed: number }> {
    for (;;) {
      const { fault, over, struck } = active;
      switch (fault?.kind) {
        case 'delay':
          await pause(fault.ms);
          return 'pass';
        case 'hold':
          if (!concerns(fault.direction, direction)) return 'pass';
          await aborted(over.signal);
          break;
        case 'swallow':
          if (!concerns(fault.direction, direction)) return 'pass';
          wire.lossy = true;
          return 'swallow';
        case 'reset': {
          const passed = fault.direction === direction ? strikes(fault) : null;
          if (passed === null) return 'pass';
          replace(null);
          struck.resolve(undefined);
          return { passed };
        }
        case 'refuse':
        case undefined:
          return 'pass';
      }
    }
  }

  const listening = Promise.withResolvers<undefined>();
  server.on('error', listening.reject).listen(0, '127.0.0.1', () => listening.resolve(undefined));
  await listening.promise;
  const { port } = server.address() as AddressInfo;
  return {
    host: '127.0.0.1',
    port,
    get open() {
      return wires.size;
    },
    get made() {
      return made;
    },
    get swallowed() {
      return swallowed;
    },
    fault: replace,
    heal: () => {
      replace(null);
      for (const wire of wires) if (wire.lossy) reset(wire);
    },
    cut: () => {
      for (const { ends } of wires) for (const end of ends) end.destroy();
    },
    struck: async () => active.struck.promise,
    close: async () => {
      const closed = Promise.withResolvers<undefined>();
      server.close(() => closed.resolve(undefined));
      replace(null);
      for (const { ends } of wires) for (const end of ends) end.destroy();
      await closed.promise;
    },
  };
}

const concerns = (named: Direction | 'both', direction: Direction): boolean =>
  named === 'both' || named === direction;

function reset({ ends }: Wire): void {
  for (const end of ends) end.resetAndDestroy();
}

function aborted(signal: AbortSignal): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  if (signal.aborted) resolve(undefined);
  else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  return promise;
}

/** Resolves when the other end takes more: a slow reader is felt by who sends. */
function write(to: Socket, bytes: Buffer): Promise<undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  to.write(bytes, (error) => (error ? reject(error) : resolve(undefined)));
  return promise;
}

/**
 * For one direction of one connection: at which byte of a piece a reset strikes; null: not in this piece.
 * What passed before the fault was set counts for nothing.
 */
function createWatch(
  direction: Direction,
): (fault: Extract<Fault, { kind: 'reset' }>, chunk: Buffer) => number | null {
  let watched: Fault | null = null;
  let passed = 0;
  let tail = Buffer.alloc(0);
  return (fault, chunk) => {
    if (watched !== fault) [watched, passed, tail] = [fault, 0, Buffer.alloc(0)];
    if (fault.direction !== direction) return null;
    if (typeof fault.after === 'number') {
      const left = fault.after - passed;
      passed += chunk.length;
      // The byte after the last that may pass is what strikes.
      return chunk.length > left ? left : null;
    }
    const pattern = Buffer.from(fault.after);
    const seen = Buffer.concat([tail, chunk]);
    const at = seen.indexOf(pattern);
    const before = tail.length;
    tail = seen.subarray(Math.max(0, seen.length - pattern.length + 1));
    return at === -1 ? null : at + pattern.length - before;
  };
}
