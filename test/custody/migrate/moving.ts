/** A whole platform that moves and comes back by the commands of docs/migrating.md, and goes on as if nothing had been. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { openFolderBlobs } from '../../../src/adapters/filesystem/blobs.ts';
import { openS3Blobs } from '../../../src/adapters/s3/blobs.ts';
import { createSystemClock } from '../../../src/adapters/system-clock.ts';
import { readHead } from '../../../src/custody/kept-head.ts';
import { InclusionProof, objectionTo } from '../../../src/core/seals/proof.ts';
import type { Blobs } from '../../../src/ports/blobs.ts';
import type { SignedHead } from '../../../src/ports/seals.ts';
import { runCommand } from '../../support/command-line.ts';
import { openS3Server, type S3Server } from '../../support/s3-server.ts';
import { adminEmail, adminPassword, startTestServer, type TestServer } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const root = resolve(import.meta.dirname, '../../..');

/** Stores beside an S3 server of the test's own. */
export interface MoveStores {
  readonly settings: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/** What the page tells people to type: away, and back. @param folder where they are */
export async function commands(folder: string): Promise<readonly (readonly string[])[]> {
  const page = await readFile(join(root, 'docs/migrating.md'), 'utf8');
  const [, block = ''] = /<!-- run: migrate -->\n```sh\n([^]*?)```/.exec(page) ?? [];
  return block
    .split('\n')
    .filter((line) => line.startsWith('slipway '))
    .map((line) => line.replaceAll('./', `${folder}/`).split(' ').slice(1));
}

export function settingsOf({ place: { endpoint, bucket, accessKey, secretKey } }: S3Server) {
  return { S3_ENDPOINT: endpoint, S3_BUCKET: bucket, S3_ACCESS_KEY: accessKey, S3_SECRET_KEY: secretKey };
}

/** @param newStores that hold nothing */
export function describeMove(title: string, newStores: () => Promise<MoveStores>): void {
  describe(title, function () {
    this.timeout(300_000);
    let stores: MoveStores | null = null;
    let settings: Readonly<Record<string, string>>;
    let place: Awaited<ReturnType<typeof temporaryFolder>>;
    let s3: S3Server;
    let running: TestServer | null = null;
    async function start(
      folder: string,
      settings: Readonly<Record<string, string>> = {},
    ): Promise<TestServer> {
      return (running = await startTestServer({ folder, settings }));
    }
    async function stop(): Promise<void> {
      await running?.stop();
      running = null;
    }
    beforeEach(async () => {
      place = await temporaryFolder();
      s3 = await openS3Server();
      stores = await newStores();
      settings = { ...settingsOf(s3), ...stores.settings };
    });
    afterEach(async () => {
      await stop();
      await s3.stop();
      await stores?.remove();
      await place.remove();
    });

    const key = randomUUID();
    const tenant = { tenantId: 'acme', name: 'Acme', contactEmail: 'ops@acme.example' };
    const make = (server: TestServer, token: string) =>
      server.call('POST', '/api/v1/tenants', { token, body: tenant, headers: { 'Idempotency-Key': key } });

    const plugin = {
      ...{ pluginId: 'mailer', name: 'Mailer', category: 'Communication', publisher: 'Acme Corp' },
      version: { semanticVersion: '1.0.0', state: 'Stable', runtime: { type: 'DotNet8', version: '8.0' } },
    };
    /** @returns the path of a deployment that is complete */
    async function deploy(server: TestServer, token: string): Promise<string> {
      const registered = await server.call('POST', '/api/v1/plugins', { token, body: plugin });
      expect(registered.status, JSON.stringify(registered.body)).to.equal(201);
      const requested = await server.call('POST', '/api/v1/plugin-deployments', {
        token,
        body: {
          ...{ pluginId: 'mailer', pluginVersion: '1.0.0', tenantId: 'acme', environment: 'Production' },
          ...{
            strategy: 'Direct',
            strategyConfig: { bakeSeconds: '1' },
            totalInstances: 2,
            healthCheck: { intervalSeconds: 1 },
          },
        },
      });
      expect(requested.status, JSON.stringify(requested.body)).to.equal(202);
      const { deploymentId } = requested.body as { readonly deploymentId: string };
      const path = `/api/v1/plugin-deployments/${deploymentId}`;
      await until('the deployment completes', 60_000, async () => {
        const { body } = await server.call('GET', path, { token });
        return (body as { readonly status: string }).status === 'Completed' || null;
      });
      return path;
    }

    /** Whatever people saw before, they see: with the same password, and the session that they had. */
    async function shows(server: TestServer, session: string): Promise<void> {
      await server.settle();
      expect((await server.login(adminEmail, adminPassword)).status, 'the password').to.equal(200);
      const { status, body } = await server.call('GET', '/api/v1/tenants/acme', { token: session });
      expect([status, body], 'the session, and a sealed address').to.deep.include.members([200]);
      expect(body).to.include(tenant);
      const secrets = await server.call('GET', '/api/v1/tenants/acme/secrets', { token: session });
      expect(JSON.stringify(secrets.body)).to.include('"smtp-password"');
      expect((await make(server, session)).status, 'a command that was answered').to.equal(201);
    }

    async function contents(blobs: Blobs): Promise<readonly string[]> {
      const kept: string[] = [];
      for await (const { digest } of blobs.all()) kept.push(await text((await blobs.get(digest))!));
      return kept;
    }

    interface Kept {
      readonly proof: InclusionProof;
      readonly head: SignedHead;
    }
    async function seal(server: TestServer, token: string): Promise<Kept> {
      const proof = await server.call('GET', '/api/v1/audit/proofs/tenant-acme@0', { token });
      return { proof: InclusionProof.parse(proof.body), head: InclusionProof.parse(proof.body).head };
    }
    /** That the event is where it was sealed, and that the log continues what the head sealed that a stranger kept. */
    async function proves(server: TestServer, token: string, { proof, head }: Kept): Promise<void> {
      expect(objectionTo(proof, head.key), 'the proof of before').to.equal(null);
      const now = await seal(server, token);
      expect(objectionTo(now.proof, head.key), 'a proof of now').to.equal(null);
      expect(now.proof).to.deep.include({ content: proof.content, index: proof.index });
      expect(now.head.log).not.to.equal(head.log);
      const verified = await server.call('POST', '/api/v1/audit/verification', { token });
      expect(verified.body).to.deep.include({ whole: true, keys: [head.key] });
      const since = await server.call('GET', `/api/v1/audit/consistency/${head.size}`, { token });
      expect(since.status).to.equal(200);
    }

    /** A platform of several processes is given them so. */
    async function keysIn(folder: string): Promise<Readonly<Record<string, string>>> {
      if (!settings['MONGODB_URL'] || !settings['EVENTSTORE_URL']) return {};
      const read = async (name: string) => (await readFile(join(folder, name), 'utf8')).trim();
      return { SLIPWAY_MASTER_KEY: await read('master.key'), JWT_SECRET: await read('jwt.secret') };
    }

    it('answers as before there, and when it is back', async () => {
      const [away = [], back = []] = await commands(place.path);
      const data = join(place.path, 'data');
      let server = await start(data);
      const session = await server.asRole('PlatformAdmin');
      expect((await make(server, session)).status).to.equal(201);
      const secret = { token: session, body: { value: 'hunter2-hunter2' } };
      const set = await server.call('PUT', '/api/v1/tenants/acme/secrets/smtp-password', secret);
      expect(set.status, JSON.stringify(set.body)).to.be.oneOf([200, 201, 204]);
      const deployment = await deploy(server, session);
      const history = async () =>
        (await server.call('GET', `${deployment}/history`, { token: session })).body;
      const told = await history();
      expect(JSON.stringify(told)).to.include('1.0.0');
      const kept = await seal(server, session);
      await stop();
      await (await openFolderBlobs({ folder: join(data, 'blobs') })).put(Buffer.from('a package'));

      const gone = await runCommand(away, undefined, settings);
      expect(gone.code, gone.stderr).to.equal(0);
      expect(gone.stdout).to.match(
        /^\d+ events, \d+ entries and \d+ personal keys of the vault and 1 packages/,
      );
      const remote = openS3Blobs({ ...s3.place, clock: createSystemClock() });
      expect(await contents(remote)).to.deep.equal(['a package']);
      await remote.close();
      const moved = join(place.path, 'moved');
      server = await start(moved, { ...settings, ...(await keysIn(moved)) });
      await shows(server, session);
      expect(await history()).to.deep.equal(told);
      await proves(server, session, kept);
      const body = { ...tenant, tenantId: 'later' };
      expect((await server.call('POST', '/api/v1/tenants', { token: session, body })).status).to.equal(201);
      const there = await seal(server, session);
      await stop();

      const returned = await runCommand(back, undefined, settings);
      expect(returned.code, returned.stderr).to.equal(0);
      expect(JSON.parse(returned.stdout)).to.deep.include({ resumed: false, blobs: { blobs: 1, bytes: 9 } });
      const folder = join(place.path, 'back', 'blobs');
      expect(await contents(await openFolderBlobs({ folder }))).to.deep.equal(['a package']);
      server = await start(join(place.path, 'back'));
      await shows(server, session);
      expect(await history()).to.deep.equal(told);
      for (const one of [kept, there]) await proves(server, session, one);
      const later = await server.call('GET', '/api/v1/tenants/later', { token: session });
      expect(later.status).to.equal(200);
      await stop();
      const verified = await runCommand(['audit', 'verify', '--data', join(place.path, 'back')]);
      expect(verified.code, verified.stdout).to.equal(0);
      expect((await readHead(join(place.path, 'back', 'seals.ndjson'))).key).to.equal(kept.head.key);
    });
  });
}
