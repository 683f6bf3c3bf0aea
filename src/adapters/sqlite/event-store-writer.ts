/** The writer thread: the only one that changes the log. One message is one transaction; it answers after COMMIT. */
import { parentPort, workerData } from 'node:worker_threads';
import { openLog } from './event-store-log.ts';
import type { Answer, Request, WriterOptions } from './event-store-messages.ts';

const port = parentPort;
if (!port) throw new Error('event-store-writer.ts runs as a worker thread');
const log = openLog(workerData as WriterOptions);

function handle(request: Request): Answer {
  switch (request.kind) {
    case 'append':
      return { kind: 'appended', results: log.append(request.packed, request.created) };
    case 'retain':
      log.retain(request.stream, request.retention);
      return { kind: 'retained' };
    case 'scavenge':
      return { kind: 'scavenged', ...log.scavenge(request.after, request.now) };
    case 'close':
      log.close();
      return { kind: 'closed' };
  }
}

function answer(request: Request): Answer {
  try {
    return handle(request);
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

port.on('message', (request: Request) => {
  port.postMessage(answer(request));
  if (request.kind === 'close') port.close();
});
port.postMessage({ kind: 'ready', head: log.head() } satisfies Answer);
