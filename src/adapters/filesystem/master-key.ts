/** The key over everything that the vault seals. */
import { readOrGenerate, UnusableSecret } from './generated-secret.ts';

const keyBytes = 32;

/**
 * @param options.fromSetting SLIPWAY_MASTER_KEY; without it, the key is in `path`, generated there at the first start
 * @returns 32 bytes. @throws {UnusableSecret}
 */
export async function loadMasterKey(options: {
  readonly fromSetting?: string | undefined;
  readonly path: string;
}): Promise<Uint8Array> {
  const { fromSetting, path } = options;
  if (fromSetting !== undefined) return decode(fromSetting, 'SLIPWAY_MASTER_KEY');
  return decode(await readOrGenerate(path, keyBytes), path);
}

function decode(text: string, source: string): Uint8Array {
  const key = Buffer.from(text, 'base64');
  if (key.length !== keyBytes || key.toString('base64') !== text) {
    throw new UnusableSecret(
      `${source} must be ${keyBytes} bytes in base64 (openssl rand -base64 ${keyBytes})`,
    );
  }
  return key;
}
