/** What this process asks the network for while something runs: connections and names, whoever in it asks. */
import { createHook } from 'node:async_hooks';

/** Handles of libuv and c-ares that stand for a connection, a datagram, or a question to DNS. */
const outgoing = new Set(['TCPCONNECTWRAP', 'PIPECONNECTWRAP', 'UDPWRAP', 'GETADDRINFOREQWRAP', 'QUERYWRAP']);

/** @returns what was asked for, by the name of its handle */
export async function outgoingDuring(act: () => Promise<void>): Promise<readonly string[]> {
  const asked: string[] = [];
  const hook = createHook({
    init: (_id, type) => {
      if (outgoing.has(type)) asked.push(type);
    },
  }).enable();
  try {
    await act();
  } finally {
    hook.disable();
  }
  return asked;
}
