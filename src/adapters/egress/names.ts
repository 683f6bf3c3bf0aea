/**
 * Names and their addresses: the machine's file of hosts, then DNS. DNS is asked itself, since the system's look-up holds one of four
 * threads for as long as a name hangs (docs/decisions/0017-names-of-receivers.md).
 */
import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';

/** All addresses of a name, perhaps none. @throws when nobody answers */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** @param options.hostsFile default: `/etc/hosts`. What it names is not asked of DNS; without the file, everything is */
export function createResolve(options: { readonly timeoutMs: number; readonly hostsFile?: string }): Resolve {
  const { timeoutMs, hostsFile = '/etc/hosts' } = options;
  const dns = new Resolver({ timeout: timeoutMs, tries: 2 });
  return async (name) => {
    // RFC 6761, 6.3: never asked of DNS, nor of anything that could say otherwise.
    if (/(^|\.)localhost\.?$/i.test(name)) return ['127.0.0.1', '::1'];
    const known = addressesIn(await readFile(hostsFile, 'utf8').catch(() => ''), name);
    if (known.length > 0) return known;
    const found = await Promise.allSettled([dns.resolve4(name), dns.resolve6(name)]);
    const addresses = found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const [failed] = found.filter((one) => one.status === 'rejected');
    if (addresses.length === 0 && failed) throw new Error('no addresses', { cause: failed.reason });
    return addresses;
  };
}

/** @param hosts lines of an address and its names, as in hosts(5); other lines say nothing */
function addressesIn(hosts: string, name: string): readonly string[] {
  const asked = canonical(name);
  return hosts.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/s, '').trim().split(/\s+/);
    const isUsable = isIP(address) !== 0 && !address.includes('%');
    return isUsable && names.some((one) => canonical(one) === asked) ? [address] : [];
  });
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
