/** How a start ends when it cannot be: with a sentence, the name of what is wrong, and nothing else. */
import { expect } from 'chai';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { adminEmail, startTestServer } from '../support/server.ts';
import { createClient } from '../support/http.ts';
import { startProgram } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('starting the server', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => (folder = await temporaryFolder()));
  afterEach(() => folder.remove());

  /** A sentence for each thing that is wrong, no stack and nothing on standard output. */
  async function refusal(settings: Record<string, string>) {
    const program = startProgram({ SLIPWAY_DATA_DIR: folder.path, ...settings });
    const { code, stderr } = await program.ended;
    expect(stderr).not.to.match(/^\s+at |node:internal|\.ts:\d/m);
    expect(program.stdout()).to.equal('');
    return { code, stderr };
  }

  const wrong: Readonly<Record<string, string>> = {
    PORT: 'eighty',
    SLIPWAY_ADMIN_PASSWORD: 'seven77',
    SLIPWAY_DATADIR: './data',
    JWT_SECRET: 'too short to sign',
    SLIPWAY_MASTER_KEY: 'no key',
  };
  for (const [name, value] of Object.entries(wrong))
    it(`ends with 2 and names ${name} when it is wrong, without its value`, async () => {
      const { code, stderr } = await refusal({ [name]: value });
      expect(stderr).to.match(new RegExp(`^${name}\\b[^\\n]+\\n$`));
      if (/PASSWORD|SECRET|KEY/.test(name)) expect(stderr).not.to.include(value);
      expect(code).to.equal(2);
    });

  it('names all that is wrong at once, and makes nothing in the data folder', async () => {
    const { code, stderr } = await refusal({ PORT: '99999', LOG_LEVEL: 'loud', NODE_ENV: 'production' });
    expect(code).to.equal(2);
    expect(stderr).to.match(/^PORT: .+\nLOG_LEVEL: .+\n$/);
    expect(await readdir(folder.path)).to.deep.equal([]);
  });

  it('refuses to simulate in production', async () => {
    const { code, stderr } = await refusal({ NODE_ENV: 'production' });
    expect(code).to.equal(2);
    expect(stderr).to.match(/^SLIPWAY_RUNTIME: .+production.+\n$/);
  });

  it('refuses another master key than the one that sealed the data, by its name', async () => {
    await (await startTestServer({ folder: folder.path })).stop();
    const { code, stderr } = await refusal({ SLIPWAY_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') });
    expect(code).to.equal(2);
    expect(stderr).to.match(/^SLIPWAY_MASTER_KEY: [^\n]+\n$/);
  });

  it('refuses a data folder in which another server works, which goes on undisturbed', async () => {
    const first = await startTestServer({ folder: folder.path });
    try {
      const { code, stderr } = await refusal({});
      expect(code).to.equal(1);
      expect(stderr)
        .to.match(/^[^\n]+\n$/)
        .and.include(folder.path)
        .and.include('SLIPWAY_DATA_DIR');
      const token = await first.asRole('PlatformAdmin');
      const body = { tenantId: 'acme', name: 'Acme' };
      expect((await first.call('POST', '/api/v1/tenants', { token, body })).status).to.equal(201);
    } finally {
      await first.stop();
    }
  });

  it('refuses a port on which another program listens', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    try {
      const address = other.address();
      const port = typeof address === 'object' ? String(address?.port) : '';
      const program = startProgram({
        ...{ SLIPWAY_DATA_DIR: folder.path, PORT: port, SLIPWAY_ADMIN_PASSWORD: 'long enough' },
      });
      const { code, stderr } = await program.ended;
      expect(code).to.equal(1);
      expect(stderr).to.match(/^HOST, PORT: another program listens there already[^\n]+\n$/);
      expect(program.stdout()).not.to.include('Slipway is at');
    } finally {
      other.close();
    }
  });

  it('tells the first time how to log in, with a password of its own making, and never again', async () => {
    const login = async (url: string, password: string) => {
      const body = { username: adminEmail, password };
      return (await createClient(url).call('POST', '/api/v1/authentication/login', { body })).status;
    };
    const first = startProgram({ SLIPWAY_DATA_DIR: folder.path });
    const password = (await first.printed(/with the password (\S+) /))[1] ?? '';
    expect(await login(await first.url, password)).to.equal(200);
    first.child.kill('SIGTERM');
    expect(await first.ended).to.deep.equal({ code: 0, stderr: '' });

    const second = startProgram({ SLIPWAY_DATA_DIR: folder.path });
    expect(await login(await second.url, password)).to.equal(200);
    expect(second.stdout()).not.to.include('password');
    second.child.kill('SIGINT');
    expect(await second.ended).to.deep.equal({ code: 0, stderr: '' });
  });
});
