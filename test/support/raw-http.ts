/** Requests that `fetch` would not send: headers twice, odd targets, over one connection that stays open. */
import { Agent, request } from 'node:http';

export interface RawReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface RawClient {
  /** @param headers name, value, name, value, … */
  send(method: string, target: string, headers: readonly string[], body?: string | Buffer): Promise<RawReply>;
  close(): void;
}

/** @param url `http://127.0.0.1:3000` */
export function createRawClient(url: string): RawClient {
  const { hostname, port, host } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    send(method, path, headers, body) {
      const { promise, resolve, reject } = Promise.withResolvers<RawReply>();
      const options = { hostname, port, method, path, agent, headers: ['Host', host, ...headers] };
      request(options, (response) => {
        let text = '';
        response
          .setEncoding('utf8')
          .on('data', (chunk: string) => (text += chunk))
          .on('error', reject)
          .on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      })
        .on('error', reject)
        .end(body);
      return promise;
    },
    close: () => agent.destroy(),
  };
}
