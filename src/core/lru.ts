/** A map that holds its `limit` most recently used entries. */
export interface Lru<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  delete(key: K): void;
}

interface Entry<K, V> {
  readonly key: K;
  value: V;
  older: Entry<K, V> | null;
  newer: Entry<K, V> | null;
}

/** A chain beside the map: to reorder a Map itself leaves thousands of holes, which it copies or walks over later. */
export function createLru<K, V>(limit: number): Lru<K, V> {
  const entries = new Map<K, Entry<K, V>>();
  let newest: Entry<K, V> | null = null;
  let oldest: Entry<K, V> | null = null;

  function unlink(entry: Entry<K, V>): void {
    if (entry.older) entry.older.newer = entry.newer;
    else oldest = entry.newer;
    if (entry.newer) entry.newer.older = entry.older;
    else newest = entry.older;
  }

  function link(entry: Entry<K, V>): void {
    entry.older = newest;
    entry.newer = null;
    if (newest) newest.newer = entry;
    else oldest = entry;
    newest = entry;
  }

  function use(entry: Entry<K, V>): void {
    if (entry === newest) return;
    unlink(entry);
    link(entry);
  }

  function remove(entry: Entry<K, V>): void {
    unlink(entry);
    entries.delete(entry.key);
  }

  return {
    get(key) {
      const entry = entries.get(key);
      if (entry) use(entry);
      return entry?.value;
    },
    set(key, value) {
      const known = entries.get(key);
      if (known) {
        known.value = value;
        use(known);
        return;
      }
      const entry: Entry<K, V> = { key, value, older: null, newer: null };
      link(entry);
      entries.set(key, entry);
      if (oldest && entries.size > limit) remove(oldest);
    },
    delete(key) {
      const entry = entries.get(key);
      if (entry) remove(entry);
    },
  };
}
