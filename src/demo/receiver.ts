/** Somebody's receiver of webhooks, on the loopback: it believes what is signed, and says so. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { z } from 'zod';

export interface Received {
  /** `evt_…`, the same however often it is sent. */
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Receiver {
  /** `http://127.0.0.1:…/hooks` */
  readonly url: string;
  /** Ends all connections. */
  close(): Promise<void>;
}

const Payload = z.object({
  id: z.string(),
  type: z.string(),
  timestamp: z.string(),
  data: z.record(z.string(), z.unknown()),
});

/**
 * As docs/webhooks.md tells receivers to verify: the signature in the body, over the rest of it.
 * @param body the text as it came @returns null: it is not genuine
 */
export function verified(body: string, secret: string): Received | null {
  const { signature, ...payload } = parsed(body);
  const hash = createHmac('sha256', secret).update(JSON.stringify(payload)).digest('hex');
  const expected = Buffer.from(`sha256=${hash}`);
  const given = Buffer.from(String(signature));
  const genuine = given.length === expected.length && timingSafeEqual(given, expected);
  return genuine ? (Payload.safeParse(payload).data ?? null) : null;
}

function parsed(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/**
 * @param onReceived told each genuine delivery once, whatever is sent again
 * @param onForged told what does not verify
 */
export async function openReceiver(
  secret: string,
  onReceived: (received: Received) => void,
  onForged: () => void,
): Promise<Receiver> {
  const known = new Set<string>();
  const server = createServer((request, response) => {
    bodyOf(request).then(
      (body) => {
        const received = verified(body, secret);
        response.writeHead(received ? 204 : 401).end();
        if (!received) onForged();
        else if (!known.has(received.id)) {
          known.add(received.id);
          onReceived(received);
        }
      },
      () => response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the receiver has no port');
  return {
    url: `http://127.0.0.1:${address.port}/hooks`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const mostBytes = 1_048_576;

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
