/** A target whose every effect may be the last. */
import type { Target } from '../../../src/custody/migrate/ends.ts';

/** @param effect is called before each */
export function mortalTarget(target: Target, effect: () => void): Target {
  const { log, vault, blobs } = target;
  return {
    ...target,
    log: {
      ...log,
      add(event) {
        effect();
        return log.add(event);
      },
      flush() {
        effect();
        return log.flush();
      },
      retain(kept) {
        effect();
        return log.retain(kept);
      },
    },
    vault: {
      ...vault,
      clear() {
        effect();
        return vault.clear();
      },
      write(items) {
        effect();
        return vault.write(items);
      },
    },
    blobs: {
      ...blobs,
      put(content, limits) {
        effect();
        return blobs.put(content, limits);
      },
    },
  };
}
