/** The reference of our sockets: ws by itself, which sends one ready buffer to everybody who is connected. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { tell } from '../child.ts';

export interface SendAll {
  readonly text: string;
  readonly times: number;
}

const http = createServer();
const sockets = new WebSocketServer({ server: http, path: '/ws', perMessageDeflate: false });
sockets.on('connection', (socket) => {
  // Listeners say who they are and what they want; here, everybody gets everything.
  socket.on('message', () => undefined);
  socket.on('error', () => undefined);
});
http.listen(0, '127.0.0.1', () => {
  tell({ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` });
});

process.on('message', ({ text, times }: SendAll) => {
  void sendAll(Buffer.from(text), times).then(() => tell({ done: true }));
});

async function sendAll(buffer: Buffer, times: number): Promise<void> {
  let turnBegan = performance.now();
  for (let time = 0; time < times; time += 1) {
    for (const socket of sockets.clients) socket.send(buffer, { binary: false });
    if (performance.now() - turnBegan < 10) continue;
    // As whoever has other work to do must, and as ours does.
    await new Promise((resolve) => setImmediate(resolve));
    turnBegan = performance.now();
  }
}
process.once('SIGTERM', () => process.exit(0));
