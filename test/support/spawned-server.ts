/** The real server as a process of its own, to be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { type Client, createDescribedClient } from './http.ts';

export const adminPassword = 'correct-horse-battery';

export interface SpawnedServer {
  readonly client: Client;
  /** `kill -9`; resolves when the process is gone. Idempotent. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** @returns the server once it says that it is ready. @throws with what it wrote when it ends before */
export async function spawnServer(
  dataFolder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<SpawnedServer> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'src/cli.ts', 'serve'], {
    env: {
      ...{ PATH: process.env['PATH'], SLIPWAY_DATA_DIR: dataFolder, PORT: '0', LOG_LEVEL: 'silent' },
      SLIPWAY_ADMIN_PASSWORD: adminPassword,
      SLIPWAY_RATE_LIMITS: 'off',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gone = once(child, 'close') as Promise<[code: number | null]>;
  const url = await readyUrl(child);
  return {
    client: await createDescribedClient(url),
    kill: async () => {
      child.kill('SIGKILL');
      await gone;
    },
    stop: async () => {
      child.kill('SIGTERM');
      const [code] = await gone;
      return code;
    },
  };
}

function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let written = '';
    const onText = (chunk: Buffer): void => {
      written += chunk.toString();
      const url = /Slipway is at (http\S+?): /.exec(written)?.[1];
      if (url !== undefined) resolve(url);
    };
    child.stdout?.on('data', onText);
    child.stderr?.on('data', onText);
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`the server ended with ${code}: ${written}`)));
  });
}

/** @returns a session token of the first administrator */
export async function logInAsAdmin(client: Client): Promise<string> {
  const { status, body } = await client.call('POST', '/api/v1/authentication/login', {
    body: { username: 'admin@example.com', password: adminPassword },
  });
  expect(status).to.equal(200);
  return (body as { readonly token: string }).token;
}
