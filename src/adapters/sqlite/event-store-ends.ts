/** Where streams end, as far as it was seen: a command reads the same stream's end several times, and mostly nothing is there. */

export interface StreamEnds {
  /** Whether the stream is known to have nothing at this revision or behind it. */
  isBehind(stream: string, revision: number): boolean;
  /** @param next the first revision at which there is nothing */
  learn(stream: string, next: number): void;
  forget(stream: string): void;
  clear(): void;
}

/** Streams; twice as many may be held: two generations are cheaper to keep than an order of use. */
const atLeast = 20_000;

export function openStreamEnds(): StreamEnds {
  let young = new Map<string, number>();
  let old = new Map<string, number>();
  return {
    isBehind(stream, revision) {
      const next = young.get(stream) ?? old.get(stream);
      return next !== undefined && revision >= next;
    },
    learn(stream, next) {
      young.set(stream, next);
      if (young.size < atLeast) return;
      old = young;
      young = new Map();
    },
    forget(stream) {
      young.delete(stream);
      old.delete(stream);
    },
    clear() {
      young = new Map();
      old = new Map();
    },
  };
}
