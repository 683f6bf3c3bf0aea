/** The key that signs session tokens. */
import { createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readOrGenerate, UnusableSecret } from './generated-secret.ts';

/** HS256 wants no shorter key than its hash (RFC 7518, 3.2). */
const fewestBytes = 32;

/**
 * @param options.fromSetting JWT_SECRET, any text of at least 32 bytes; without it, the secret is in `path`, generated there
 *   at the first start
 * @throws {UnusableSecret}
 */
export async function loadJwtSecret(options: {
  readonly fromSetting?: string | undefined;
  readonly path: string;
}): Promise<KeyObject> {
  const { fromSetting, path } = options;
  const secret = Buffer.from(fromSetting ?? (await readOrGenerate(path, fewestBytes)));
  if (secret.length < fewestBytes) {
    const source = fromSetting === undefined ? path : 'JWT_SECRET';
    throw new UnusableSecret(`${source} must have at least ${fewestBytes} bytes`);
  }
  return createSecretKey(secret);
}
