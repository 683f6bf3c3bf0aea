/** Appends on their way: a bounded number, in the order in which they came, each answered once or given up. */
import type { ExpectedRevision } from '../../ports/event-store.ts';
import type { Answer, AppendStream, Connection } from './connection.ts';
import type { EncodedEvent } from './records.ts';

export interface Appends {
  /** Never rejects: what went wrong is an answer too. */
  send(stream: string, expected: ExpectedRevision, events: readonly EncodedEvent[]): Promise<Answer>;
  /** Lets what is under way end. */
  close(): Promise<void>;
}

export interface AppendLimits {
  /** Most appends that are sent and not answered. */
  readonly inFlight: number;
  /** How long one waits for its answer, milliseconds; afterwards its outcome is unknown. */
  readonly patience: number;
}

interface Waiting {
  readonly send: (wire: AppendStream) => string;
  readonly answered: (answer: Answer) => void;
}

interface Wire {
  readonly stream: AppendStream;
  readonly sent: Map<
    string,
    { readonly answered: (answer: Answer) => void; readonly patience: NodeJS.Timeout }
  >;
  /** Set when the stream has ended, though it be before anybody holds it. */
  readonly over: { why: string | null };
}

export function openAppends(connection: Connection, limits: AppendLimits): Appends {
  const queue: Waiting[] = [];
  let wire: Wire | null = null;
  let opening = false;
  let under = 0;

  /** A stream that ended takes nothing with it but its own appends. */
  async function open(): Promise<Wire> {
    const sent: Wire['sent'] = new Map();
    const over: Wire['over'] = { why: null };
    const settle = (id: string, answer: Answer): void => {
      const append = sent.get(id);
      sent.delete(id);
      clearTimeout(append?.patience);
      append?.answered(answer);
    };
    const stream = await connection.openAppends({
      answer: settle,
      end(why) {
        over.why = why;
        for (const id of [...sent.keys()]) settle(id, { kind: 'unknown', why });
      },
    });
    return { stream, sent, over };
  }

  function pump(): void {
    while (under < limits.inFlight && queue.length > 0) {
      if (wire === null || wire.over.why !== null) {
        if (!opening) void reopen();
        return;
      }
      const next = queue.shift();
      if (next) send(next, wire);
    }
  }

  function send(append: Waiting, { stream, sent }: Wire): void {
    under += 1;
    const answered = (answer: Answer): void => {
      under -= 1;
      append.answered(answer);
      pump();
    };
    const id = append.send(stream);
    const patience = setTimeout(() => {
      sent.delete(id);
      answered({ kind: 'unknown', why: `no answer for ${limits.patience} ms` });
    }, limits.patience);
    sent.set(id, { answered, patience });
  }

  async function reopen(): Promise<void> {
    opening = true;
    try {
      wire = await open();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      for (const { answered } of queue.splice(0)) answered({ kind: 'unknown', why });
    } finally {
      opening = false;
    }
    pump();
  }

  let idle: (() => void) | null = null;
  return {
    send(stream, expected, events) {
      const { promise, resolve } = Promise.withResolvers<Answer>();
      queue.push({
        send: (to) => to.send({ stream, expected, events }),
        answered(answer) {
          resolve(answer);
          if (under === 0 && queue.length === 0) idle?.();
        },
      });
      pump();
      return promise;
    },

    async close() {
      if (under > 0 || queue.length > 0) await new Promise<void>((resolve) => (idle = resolve));
      wire?.stream.end();
    },
  };
}
