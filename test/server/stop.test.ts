/** How a running server ends: what runs is finished, nothing new begins, and whoever insists is heard. */
import { expect } from 'chai';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { registerCorePayments } from '../fixtures/plugin-manager.ts';
import { createClient } from '../support/http.ts';
import { type Program, startProgram } from '../support/program.ts';
import { rejection } from '../support/rejection.ts';
import { adminEmail, adminPassword, startTestServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('stopping the server', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let program: Program;
  beforeEach(async () => {
    folder = await temporaryFolder();
    program = startProgram({ SLIPWAY_DATA_DIR: folder.path, SLIPWAY_ADMIN_PASSWORD: adminPassword });
    await program.url;
  });
  afterEach(async () => {
    program.child.kill('SIGKILL');
    await program.ended;
    await folder.remove();
  });

  /** A registration whose body has yet to come: it runs once the server has said that it may. */
  async function running(): Promise<{ readonly socket: Socket; readonly rest: string }> {
    const url = await program.url;
    const login = { body: { username: adminEmail, password: adminPassword } };
    const { body } = await createClient(url).call('POST', '/api/v1/authentication/login', login);
    const { token } = body as { readonly token: string };
    const rest = JSON.stringify(registerCorePayments);
    const { port, hostname, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.write(
      [
        ...['POST /api/v1/plugins HTTP/1.1', `Host: ${host}`, `Authorization: Bearer ${token}`],
        ...['Content-Type: application/json', `Content-Length: ${rest.length}`, 'Expect: 100-continue'],
        ...['', ''],
      ].join('\r\n'),
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).to.match(/^HTTP\/1.1 100 /);
    return { socket, rest };
  }

  it('lets a running request finish, takes no other, and ends with 0', async () => {
    const { socket, rest } = await running();
    program.child.kill('SIGTERM');
    await program.printed(/Stopping/);
    const refused = await rejection(createClient(await program.url).call('GET', '/health'));
    expect(refused).to.be.instanceOf(TypeError);

    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.write(rest);
    await once(socket, 'close');
    expect(answer)
      .to.match(/^HTTP\/1.1 201 /)
      .and.match(/\r\nconnection: close\r\n/i);
    expect(await program.ended).to.deep.equal({ code: 0, stderr: '' });

    const after = await startTestServer({ folder: folder.path });
    try {
      const token = await after.asRole('PlatformAdmin');
      const kept = await after.call('GET', '/api/v1/plugins/core-payments', { token });
      expect(kept.status).to.equal(200);
    } finally {
      await after.stop();
    }
  });

  it('ends at once when it is asked again after a second, and not before', async () => {
    const { socket } = await running();
    socket.on('error', () => undefined);
    const asked = performance.now();
    const insisting = setInterval(() => program.child.kill('SIGTERM'), 20);
    const { code, stderr } = await program.ended;
    clearInterval(insisting);
    expect({ code, stderr }).to.deep.equal({ code: 1, stderr: '' });
    expect(performance.now() - asked).to.be.within(1_000, 9_000);
  });
});
