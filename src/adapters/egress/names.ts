/** Names and their addresses. DNS is asked itself: the system's look-up holds one of four threads for as long as a name hangs. */
import { Resolver } from 'node:dns/promises';

/** All addresses of a name, perhaps none. @throws when nobody answers */
export type Resolve = (name: string) => Promise<readonly string[]>;

export function createResolve(options: { readonly timeoutMs: number }): Resolve {
  const dns = new Resolver({ timeout: options.timeoutMs, tries: 2 });
  return async (name) => {
    // RFC 6761, 6.3: never asked of DNS.
    if (/(^|\.)localhost\.?$/i.test(name)) return ['127.0.0.1', '::1'];
    const found = await Promise.allSettled([dns.resolve4(name), dns.resolve6(name)]);
    const addresses = found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const [failed] = found.filter((one) => one.status === 'rejected');
    if (addresses.length === 0 && failed) throw new Error('no addresses', { cause: failed.reason });
    return addresses;
  };
}
