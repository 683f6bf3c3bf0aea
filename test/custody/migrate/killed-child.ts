/** Moves a folder to another one, and is killed before one of its effects. Arguments: from, to, and the number of the effect. */
import { embedded, openSource, openTarget } from '../../../src/custody/migrate/open.ts';
import { migrate } from '../../../src/custody/migrate/migrate.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';
import { loadMasterKey } from '../../../src/adapters/filesystem/master-key.ts';
import { mortalTarget } from './mortal-target.ts';

const [, , data = '', into = '', fatal = ''] = process.argv;
const clock = createVirtualClock();
const heads = `${data}/seals.ndjson`;
let effects = 0;
const effect = (): void => {
  effects += 1;
  if (effects === Number(fatal)) process.kill(process.pid, 'SIGKILL');
};

await migrate({
  ...{ data, heads, into, nowMs: () => clock.now(), signal: new AbortController().signal },
  openSource: () => openSource(data, embedded, heads),
  openTarget: async (folder) => mortalTarget(await openTarget(folder, embedded, 1), effect),
  masterKey: () => loadMasterKey({ path: `${data}/master.key` }),
  told: effect,
});
