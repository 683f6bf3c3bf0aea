/** Tokens that must not hold: what is known of attacks on JSON Web Tokens (RFC 8725, RFC 7515, RFC 9068). */
import { createHmac, generateKeyPairSync, sign as signWith, type KeyObject } from 'node:crypto';
import { CompactEncrypt } from 'jose';

type Json = Readonly<Record<string, unknown>>;

export interface Forging {
  /** What the server signs with. */
  readonly secret: string;
  /** The claims of a token that holds. */
  readonly claims: Json;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Where a listener waits for who follows what a header says. */
  readonly elsewhere: string;
}

const own = { alg: 'HS256', typ: 'at+jwt' };
const base64url = (content: string | Buffer): string => Buffer.from(content).toString('base64url');

/** @param header as JSON, or as text that need not be any */
function compact(header: Json | string, payload: Json | string, sign: (signed: string) => Buffer): string {
  const text = (part: Json | string) => (typeof part === 'string' ? part : JSON.stringify(part));
  const signed = `${base64url(text(header))}.${base64url(text(payload))}`;
  return `${signed}.${base64url(sign(signed))}`;
}

/** @returns name and token; the first holds, so that the refusals of the others mean something */
export async function forgedTokens({
  secret,
  claims,
  now,
  elsewhere,
}: Forging): Promise<{ readonly good: string; readonly forged: ReadonlyMap<string, string> }> {
  const forged = new Map<string, string>();
  const hmac =
    (key: string | Buffer, hash = 'sha256') =>
    (signed: string) =>
      createHmac(hash, key).update(signed).digest();
  const rightly = hmac(secret);
  const nothing = () => Buffer.alloc(0);
  const good = compact(own, claims, rightly);
  const [goodHeader = '', goodPayload = '', goodSignature = ''] = good.split('.');
  const seconds = Math.floor(now / 1000);

  // No algorithm, however it is spelt
  for (const alg of [
    'none',
    'None',
    'NONE',
    'nOnE',
    ' none',
    'none ',
    'none\0',
    '',
    null,
    false,
    0,
    [],
    ['none'],
  ]) {
    const header = { ...own, alg };
    forged.set(`alg ${JSON.stringify(alg)}, unsigned`, compact(header, claims, nothing));
    forged.set(`alg ${JSON.stringify(alg)}, signed`, compact(header, claims, rightly));
  }
  forged.set('no alg', compact({ typ: own.typ }, claims, rightly));
  forged.set('no signature', `${goodHeader}.${goodPayload}.`);
  forged.set('two parts', `${goodHeader}.${goodPayload}`);

  // Another algorithm
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ed = generateKeyPairSync('ed25519');
  const pem = (key: KeyObject): string => key.export({ format: 'pem', type: 'spki' });
  const rs256 = (signed: string) => signWith('sha256', Buffer.from(signed), rsa.privateKey);
  const es256 = (signed: string) =>
    signWith('sha256', Buffer.from(signed), { key: ec.privateKey, dsaEncoding: 'ieee-p1363' });
  for (const alg of ['RS256', 'RS512', 'PS256', 'HS256'])
    forged.set(`${alg} with an RSA key of their own`, compact({ ...own, alg }, claims, rs256));
  for (const alg of ['ES256', 'ES384', 'HS256'])
    forged.set(`${alg} with an EC key of their own`, compact({ ...own, alg }, claims, es256));
  const edSigned = (signed: string) => signWith(null, Buffer.from(signed), ed.privateKey);
  forged.set('EdDSA with a key of their own', compact({ ...own, alg: 'EdDSA' }, claims, edSigned));
  for (const alg of ['ES256', 'HS256'])
    forged.set(
      `${alg} with a signature of zeros`,
      compact({ ...own, alg }, claims, () => Buffer.alloc(64)),
    );
  forged.set('HS256 with the public key as secret', compact(own, claims, hmac(pem(rsa.publicKey))));
  for (const [alg, hash] of [
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
    ['HS1', 'sha1'],
  ] as const)
    forged.set(`${alg} with the right secret`, compact({ ...own, alg }, claims, hmac(secret, hash)));
  for (const alg of ['RS256', 'ES256', 'PS256', 'EdDSA', 'hs256', 'HS256 ', ['HS256'], 'dir', 'A256KW'])
    forged.set(`${JSON.stringify(alg)} with the right MAC`, compact({ ...own, alg }, claims, rightly));

  // Guessed secrets
  for (const guess of [
    '',
    'secret',
    'your-256-bit-secret',
    secret.slice(0, -1),
    `${secret} `,
    base64url(secret),
  ])
    forged.set(`the secret ${JSON.stringify(guess)}`, compact(own, claims, hmac(guess)));

  // Keys that come with the token: signed by whoever brings them, and rightly all the same
  const jwk = rsa.publicKey.export({ format: 'jwk' });
  const certificate = base64url(rsa.publicKey.export({ format: 'der', type: 'spki' }));
  const keys: readonly Json[] = [
    { jku: `${elsewhere}/jku` },
    { jku: 'https://keys.example.com/jwks' },
    { x5u: `${elsewhere}/x5u` },
    { x5c: [certificate] },
    { x5t: 'AAAA' },
    { 'x5t#S256': 'AAAA' },
    { jwk },
    { jwk: { kty: 'oct', k: base64url('theirs') } },
    { kid: '1' },
    { kid: 7 },
    { kid: '../../../../../dev/null' },
    { kid: '/proc/sys/kernel/randomize_va_space' },
    { kid: `${elsewhere}/kid` },
    { kid: "' OR 1=1 --" },
    { kid: "x' UNION SELECT 'theirs' --" },
    { kid: '|curl example.com' },
    { kid: '__proto__' },
    { kid: '\0' },
    { kid: 'k'.repeat(8_000) },
  ];
  for (const key of keys) {
    const name = JSON.stringify(key).slice(0, 60);
    forged.set(`${name}, signed rightly`, compact({ ...own, ...key }, claims, rightly));
    forged.set(`${name}, signed by RSA`, compact({ ...own, alg: 'RS256', ...key }, claims, rs256));
    for (const guess of ['', 'theirs', '2'])
      forged.set(
        `${name}, signed with ${JSON.stringify(guess)}`,
        compact({ ...own, ...key }, claims, hmac(guess)),
      );
  }

  // Headers that say something else
  const headers: Readonly<Record<string, Json | string>> = {
    'another type': { ...own, typ: 'JWT' },
    'a type in capitals': { ...own, typ: 'AT+JWT' },
    'a longer type': { ...own, typ: 'application/at+jwt' },
    'no type': { alg: own.alg },
    'crit exp': { ...own, crit: ['exp'], exp: seconds + 60 },
    'crit unknown': { ...own, crit: ['slipway'], slipway: 1 },
    'crit empty': { ...own, crit: [] },
    'crit no list': { ...own, crit: 'exp' },
    'b64 false': { ...own, b64: false, crit: ['b64'] },
    'b64 false, not critical': { ...own, b64: false },
    'a content type': { ...own, cty: 'JWT' },
    zip: { ...own, zip: 'DEF' },
    'alg twice': '{"alg":"none","alg":"HS256","typ":"at+jwt"}',
    'alg twice, the other way round': '{"alg":"HS256","typ":"at+jwt","alg":"none"}',
    'typ twice': '{"alg":"HS256","typ":"JWT","typ":"at+jwt"}',
    'alg twice, escaped': '{"\\u0061lg":"none","alg":"HS256","typ":"at+jwt"}',
    'another order': { typ: own.typ, alg: own.alg },
    whitespace: '{"alg": "HS256", "typ": "at+jwt"}',
    'a byte order mark': '\ufeff{"alg":"HS256","typ":"at+jwt"}',
    __proto__: '{"alg":"HS256","typ":"at+jwt","__proto__":{"x":1}}',
    'an array': '["HS256"]',
    null: 'null',
    'no JSON': 'HS256',
    empty: '',
    '5,000 levels': '{"alg":"HS256","typ":"at+jwt","x":'.padEnd(5_000, '['),
  };
  for (const [name, header] of Object.entries(headers))
    forged.set(`header: ${name}`, compact(header, claims, rightly));
  forged.set(
    'b64 false, the payload as it is',
    `${base64url(JSON.stringify(headers['b64 false']))}.7.${goodSignature}`,
  );

  // Claims that do not hold, though the signature does
  const without = (name: string): Json =>
    Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
  const wrong: Readonly<Record<string, unknown>>[] = [
    ...['elsewhere', 'Slipway', '', null, ['slipway'], 1].map((iss) => ({ iss })),
    ...['elsewhere', '', null, [], ['elsewhere'], 1, {}].map((aud) => ({ aud })),
    ...['', 'ada', 'usr_unknown', null, 7, ['usr_ada'], '../x', "usr_' OR 1=1"].map((sub) => ({ sub })),
    ...[seconds, seconds - 1, 0, -1, String(seconds + 60), null, [seconds + 60], true].map((exp) => ({
      exp,
    })),
    ...[seconds + 1, seconds + 3_600, 1e20, String(seconds), null].map((nbf) => ({ nbf })),
    ...[seconds + 31, seconds + 3_600, String(seconds), null].map((iat) => ({ iat })),
    ...['', null, 'ses_unknown', 7].map((sid) => ({ sid })),
    ...['Root', 'platformadmin', null, ['PlatformAdmin']].map((role) => ({ role })),
    ...['refresh', 'Session', null].map((use) => ({ use })),
    ...['', null, 7].map((tenant) => ({ tenant })),
    ...[['everything'], 'plugins:read', null].map((permissions) => ({ permissions })),
  ];
  for (const change of wrong)
    forged.set(`claims: ${JSON.stringify(change)}`, compact(own, { ...claims, ...change }, rightly));
  for (const name of [
    'iss',
    'aud',
    'sub',
    'exp',
    'nbf',
    'iat',
    'sid',
    'role',
    'use',
    'tenant',
    'permissions',
  ])
    forged.set(`claims: no ${name}`, compact(own, without(name), rightly));
  for (const payload of ['', 'null', '[]', '"claims"', '7', '{', '{"exp":1e999}', '['.repeat(5_000)])
    forged.set(`payload: ${payload.slice(0, 20)}`, compact(own, payload, rightly));

  // Tokens within tokens, and other forms
  const nested = await new CompactEncrypt(Buffer.from(good))
    .setProtectedHeader({ alg: 'dir', enc: 'A128CBC-HS256', cty: 'JWT' })
    .encrypt(Buffer.from(secret).subarray(0, 32));
  forged.set('the good one, encrypted', nested);
  forged.set('the good one as payload', compact({ ...own, cty: 'JWT' }, good, rightly));
  forged.set('the good one twice', `${good}.${good}`);
  forged.set('a fourth part', `${good}.`);
  forged.set('an empty first part', `.${goodPayload}.${goodSignature}`);
  forged.set('dots', '..');
  forged.set('padding', `${good}=`);
  forged.set('a shorter signature', good.slice(0, -4));
  forged.set('another spelling of the signature', respelt(good));
  forged.set('a longer signature', `${good}AAAA`);
  forged.set(
    'the signature of another payload',
    `${goodHeader}.${base64url(JSON.stringify({ ...claims, role: 'Viewer' }))}.${goodSignature}`,
  );
  forged.set('a huge payload', compact(own, { ...claims, x: 'x'.repeat(8_000) }, hmac('theirs')));
  forged.set('15,000 characters', 'A'.repeat(15_000));
  forged.set('5,000 dots', '.'.repeat(5_000));
  return { good, forged };
}

/** The last of 43 characters carries two bits that no byte needs. */
function respelt(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return token.slice(0, -1) + (alphabet[alphabet.indexOf(token.slice(-1)) ^ 1] ?? '');
}
