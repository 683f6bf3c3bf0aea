/** Last revisions of the streams used last: two generations, the older dropped whole, so that a hit costs one look-up. */

export interface RevisionCache {
  /** -1: the stream never had one. */
  get(stream: string): number;
  set(stream: string, revision: number): void;
  clear(): void;
}

const cachedRevisions = 50_000;

/** @param load asks the file for what is not remembered */
export function openRevisionCache(load: (stream: string) => number): RevisionCache {
  let young = new Map<string, number>();
  let old = new Map<string, number>();
  function set(stream: string, revision: number): void {
    if (young.size >= cachedRevisions) {
      old = young;
      young = new Map();
    }
    young.set(stream, revision);
  }
  return {
    get(stream) {
      const cached = young.get(stream);
      if (cached !== undefined) return cached;
      const revision = old.get(stream) ?? load(stream);
      set(stream, revision);
      return revision;
    },
    set,
    clear() {
      young.clear();
      old.clear();
    },
  };
}
