/** For what is measured without its log. */
import type { Log } from '../src/ports/log.ts';

export const silent: Log = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};
