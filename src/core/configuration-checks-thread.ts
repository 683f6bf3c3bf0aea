/** Runs configuration-validators.ts: it may take too long or too much memory, and be ended for it. */
import { parentPort } from 'node:worker_threads';
import type { ConfigurationValue } from '../domain/secret-reference.ts';
import { createValidators, type Verdict } from './configuration-validators.ts';

/** One at a time, each answered by a {@link Verdict}. Before the first, the thread says that it is there. */
export type CheckJob =
  { readonly schema: string } | { readonly schema: string; readonly configuration: ConfigurationValue };

const port = parentPort;
if (!port) throw new Error('configuration-checks-thread.ts runs as a thread');
const validators = createValidators();

port.on('message', (job: CheckJob) => {
  const verdict: Verdict =
    'configuration' in job
      ? validators.validate(job.schema, job.configuration)
      : validators.inspect(job.schema);
  port.postMessage(verdict);
});
port.postMessage('ready');
