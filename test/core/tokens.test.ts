import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { SignJWT, UnsecuredJWT } from 'jose';
import type { JWTPayload } from 'jose';
import { createTokens, TokenRefused } from '../../src/core/tokens.ts';
import { platformTenant, UserId } from '../../src/domain/ids.ts';
import { permissionsOf } from '../../src/domain/permissions.ts';
import { rejection } from '../support/rejection.ts';

describe('session tokens', () => {
  const secret = createSecretKey(randomBytes(32));
  const start = Date.UTC(2026, 0, 1);
  let now = start;
  const clock = { now: () => now };
  const tokens = createTokens(secret, clock);
  const session = {
    userId: UserId.parse('usr_ada'),
    tenantId: platformTenant,
    role: 'PlatformAdmin',
    sessionId: 'ses_1',
    expiresAt: new Date(start + 3_600_000),
  } as const;

  beforeEach(() => {
    now = start;
  });

  it('say who was signed in, every time they are asked', async () => {
    const token = await tokens.sign(session);
    const expected = { ...session, permissions: permissionsOf('PlatformAdmin') };
    expect(await tokens.verify(token)).to.deep.equal(expected);
    expect(await tokens.verify(token)).to.deep.equal(expected);
    expect(await createTokens(secret, clock).verify(token)).to.deep.equal(expected);
  });

  it('hold to the second they expire, also when they were verified before', async () => {
    const token = await tokens.sign(session);
    now = start + 3_599_999;
    await tokens.verify(token);
    now = start + 3_600_000;
    expect(await rejection(tokens.verify(token))).to.be.instanceOf(TokenRefused);
    expect(await rejection(createTokens(secret, clock).verify(token))).to.be.instanceOf(TokenRefused);
  });

  it('outlive a clock that is set back a little, not a lot', async () => {
    const token = await tokens.sign(session);
    now = start - 30_000;
    await tokens.verify(token);
    now = start - 31_000;
    expect(await rejection(tokens.verify(token))).to.be.instanceOf(TokenRefused);
    expect(await rejection(createTokens(secret, clock).verify(token))).to.be.instanceOf(TokenRefused);
  });

  it('are refused with any character changed, for every part', async () => {
    const token = await tokens.sign(session);
    const other = fc.constantFrom('A', 'B', 'g', '0', '_', '.', '=');
    const property = fc.asyncProperty(fc.nat({ max: token.length - 1 }), other, async (index, character) => {
      fc.pre(token[index] !== character);
      const changed = token.slice(0, index) + character + token.slice(index + 1);
      expect(await rejection(tokens.verify(changed))).to.be.instanceOf(TokenRefused);
    });
    await fc.assert(property, { numRuns: 200 });
  });

  describe('that somebody else made', () => {
    const seconds = start / 1000;
    const claims: JWTPayload = {
      ...{ iss: 'slipway', aud: 'slipway', sub: 'usr_ada', iat: seconds, nbf: seconds, exp: seconds + 3600 },
      ...{ tenant: 'platform', sid: 'ses_1', role: 'Viewer', permissions: ['plugins:read'], use: 'session' },
    };
    const header = { alg: 'HS256', typ: 'at+jwt' };
    const make = (payload: JWTPayload, changedHeader: Record<string, unknown> = {}, key = secret) =>
      new SignJWT(payload).setProtectedHeader({ ...header, ...changedHeader }).sign(key);

    it('are taken when all is as it should be (so that the refusals below mean something)', async () => {
      expect((await tokens.verify(await make(claims))).permissions).to.deep.equal(['plugins:read']);
    });

    function without(claim: string): JWTPayload {
      const { [claim]: _left, ...rest } = claims;
      return rest;
    }
    const wrongClaims: Record<string, JWTPayload> = {
      'another issuer': { ...claims, iss: 'evil' },
      'another audience': { ...claims, aud: 'elsewhere' },
      'another use': { ...claims, use: 'refresh' },
      'no use': without('use'),
      'no subject': without('sub'),
      'a subject that is no user': { ...claims, sub: 'ada' },
      'no tenant': without('tenant'),
      'no session': without('sid'),
      'an unknown role': { ...claims, role: 'Root' },
      'an unknown permission': { ...claims, permissions: ['everything'] },
      'no expiry': without('exp'),
      'no beginning': without('nbf'),
      'an expiry in the past': { ...claims, exp: seconds - 1 },
      'a beginning in the future': { ...claims, nbf: seconds + 60 },
    };
    for (const [name, payload] of Object.entries(wrongClaims)) {
      it(`are refused: ${name}`, async () => {
        expect(await rejection(tokens.verify(await make(payload)))).to.be.instanceOf(TokenRefused);
      });
    }

    it('are refused: another type, none, or a header that brings a key or anything else', async () => {
      const headers: Record<string, unknown>[] = [
        { typ: 'JWT' },
        { typ: undefined },
        { jku: 'http://127.0.0.1:1/keys' },
        { x5u: 'http://127.0.0.1:1/cert' },
        { jwk: { kty: 'oct', k: 'AAAA' } },
        { kid: '../../dev/null' },
      ];
      for (const changed of headers) {
        const token = await make(claims, changed);
        expect(await rejection(tokens.verify(token)), JSON.stringify(changed)).to.be.instanceOf(TokenRefused);
      }
    });

    it('are refused: another secret, another algorithm, or none', async () => {
      const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const publicAsSecret = createSecretKey(
        Buffer.from(rsa.publicKey.export({ format: 'pem', type: 'spki' })),
      );
      const made = [
        await make(claims, {}, createSecretKey(randomBytes(32))),
        await make(claims, {}, publicAsSecret),
        await make(claims, { alg: 'RS256' }, rsa.privateKey),
        await make(
          claims,
          { alg: 'HS512' },
          createSecretKey(Buffer.concat([secret.export(), secret.export()])),
        ),
        new UnsecuredJWT(claims).encode(),
      ];
      for (const token of made) expect(await rejection(tokens.verify(token))).to.be.instanceOf(TokenRefused);
    });

    it('are refused: what is no token', async () => {
      for (const token of ['', '.', '..', 'Bearer x', 'a.b.c', '\u0000', 'x'.repeat(10_000)]) {
        const error = await rejection(tokens.verify(token));
        expect(error).to.be.instanceOf(TokenRefused).and.have.property('message', 'the token is not valid');
      }
    });
  });
});
