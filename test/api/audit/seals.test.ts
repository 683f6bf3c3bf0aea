import { expect } from 'chai';
import { VerificationAnswer } from '../../../src/api/audit/seals.ts';
import {
  ConsistencyProof,
  InclusionProof,
  objectionTo,
  objectionToContinuation,
} from '../../../src/core/seals/proof.ts';
import { SignedHeadShape } from '../../../src/core/seals/head.ts';
import { createAcme } from '../../fixtures/plugin-manager.ts';
import { filesIn, tamper } from '../../core/seals/world.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from '../plugin-manager/whole-server.ts';
import { z } from 'zod';

const Seal = z.object({ publicKey: z.string(), head: SignedHeadShape });

describe('seals over HTTP', () => {
  let server: WholeServer;
  before(async () => {
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
  });
  after(() => server.stop());

  async function answered(method: string, path: string): Promise<unknown> {
    const { status, body } = await server.ask('PlatformAdmin', method, path);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  }

  it('seal the log now, prove an event to a stranger, and verify all', async () => {
    const { publicKey, head } = Seal.parse(await answered('POST', '/audit/seal'));
    const proof = InclusionProof.parse(await answered('GET', `/audit/proofs/tenant-${acmeId}@0`));
    expect(objectionTo(proof, publicKey)).to.equal(null);
    expect(JSON.parse(proof.content)).to.include('TenantCreated');
    expect(proof.head.size).to.be.at.least(head.size);
    const same = await answered('GET', `/audit/proofs/${proof.head.position}`);
    expect(InclusionProof.parse(same).index).to.equal(proof.head.size - 1);
    const verified = VerificationAnswer.parse(await answered('POST', '/audit/verification'));
    expect(verified).to.deep.include({ whole: true, findings: [], keys: [publicKey], unsealed: 0 });
    expect(verified.sealed).to.equal(verified.events);
  });

  it('prove that the log continues what somebody kept a head of', async () => {
    const { publicKey, head: kept } = Seal.parse(await answered('POST', '/audit/seal'));
    await server.ask('PlatformAdmin', 'PATCH', `/tenants/${acmeId}`, { name: 'Acme & Sons' });
    const proof = ConsistencyProof.parse(await answered('GET', `/audit/consistency/${kept.size}`));
    expect(proof.head.size).to.be.greaterThan(kept.size);
    expect(objectionToContinuation(proof, kept, publicKey)).to.equal(null);
    const path = `/audit/proofs/tenant-${acmeId}@0`;
    const { since, head } = InclusionProof.parse(await answered('GET', `${path}?since=${kept.size}`));
    if (!since) return expect.fail('the proof says nothing of the head');
    expect(objectionToContinuation({ since, head }, kept, publicKey)).to.equal(null);
    const tooMany = await server.ask('PlatformAdmin', 'GET', '/audit/consistency/999999');
    expectRefusal(tooMany, 404, 'NOT_FOUND');
    expect(JSON.stringify(tooMany.body)).to.include('taken back');
    for (const size of ['0', '-1', '1.5', 'x', '9'.repeat(16)])
      expectRefusal(
        await server.ask('PlatformAdmin', 'GET', `/audit/consistency/${size}`),
        400,
        'VALIDATION_ERROR',
        ['size'],
      );
    for (const size of ['', '0', 'x', '999999'])
      expectRefusal(
        await server.ask('PlatformAdmin', 'GET', `${path}?since=${size}`),
        400,
        'VALIDATION_ERROR',
        ['since'],
      );
  });

  it('survive a restart, with the same key', async () => {
    const before = Seal.parse(await answered('POST', '/audit/seal'));
    await server.restart();
    const { publicKey, head } = Seal.parse(await answered('POST', '/audit/seal'));
    expect(publicKey).to.equal(before.publicKey);
    expect(head.size).to.be.at.least(before.head.size);
    expect(await answered('POST', '/audit/verification')).to.deep.include({ whole: true });
  });

  it('know nothing of events that are not there', async () => {
    expectRefusal(await server.ask('PlatformAdmin', 'GET', '/audit/proofs/nothing@0'), 404, 'NOT_FOUND');
    for (const event of ['nonsense', 'x@', '@1', 'x@1.5', 'another-log:1', 'x'.repeat(260)])
      expectRefusal(
        await server.ask('PlatformAdmin', 'GET', `/audit/proofs/${event}`),
        400,
        'VALIDATION_ERROR',
        ['event'],
      );
  });

  it('tell who rewrote what, and prove nothing of it', async () => {
    await server.ask('PlatformAdmin', 'PATCH', `/tenants/${acmeId}`, { name: 'Acme Inc' });
    await answered('POST', '/audit/seal');
    tamper(filesIn(server.folder).log, (log) =>
      log.prepare("UPDATE events SET data = '{}' WHERE stream = ? AND revision = 0").run(`tenant-${acmeId}`),
    );
    const verified = VerificationAnswer.parse(await answered('POST', '/audit/verification'));
    expect(verified.whole).to.equal(false);
    expect(verified.findings.join()).to.include(`revision 0 of tenant-${acmeId}`);
    const refused = await server.ask('PlatformAdmin', 'GET', `/audit/proofs/tenant-${acmeId}@0`);
    expectRefusal(refused, 409, 'CONFLICT');
  });
});
