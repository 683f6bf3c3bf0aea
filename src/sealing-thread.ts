/** Makes leaves in a thread of its own, beside whatever the server does. For the embedded log: others are read through their port. */
import { startThread, type Thread } from './adapters/sqlite/thread.ts';
import type { LeafMaker } from './ports/seals.ts';
import type { SealedFiles, SealingWork } from './sealing-worker.ts';

/** The thread starts when there is something to do first, and anew when it has died. */
export function createLeafThread(files: SealedFiles): LeafMaker {
  let thread: Thread<SealingWork> | null = null;

  async function running(): Promise<Thread<SealingWork>> {
    if (thread && !thread.ended) return thread;
    const started = startThread<SealingWork>(
      new URL('./sealing-worker.ts', import.meta.url),
      'the thread that seals',
    );
    try {
      await started.call('open', files);
    } catch (error) {
      await started.close();
      throw error;
    }
    return (thread = started);
  }

  return {
    async make() {
      const sealing = await running();
      while (await sealing.call('some'));
      return sealing.call('head');
    },
    async close() {
      await thread?.close();
    },
  };
}
