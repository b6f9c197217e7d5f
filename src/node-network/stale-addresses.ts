import { isIPv4 } from 'node:net';
import { ip, LOOPBACK } from './link.ts';

/** An address as `ip -j address` tells of it. */
interface ListedAddress {
  readonly local?: string;
  readonly prefixlen?: number;
  readonly scope?: string;
  readonly deprecated?: boolean;
  readonly noprefixroute?: boolean;
  readonly nodad?: boolean;
}

/** Takes out addresses that an earlier process has put on the link, or on `lo`, and that are wanted no more. Nothing that others have put there. Returns them; rejects with `ERR_LINK`. */
export async function removeStaleAddresses(link: string, wanted: readonly string[]): Promise<string[]> {
  const gone: string[] = [];
  for (const { name, address, prefix } of findStaleAddresses(await ip(['-j', 'address', 'show']), link, wanted)) {
    await ip(['address', 'delete', `${address}/${prefix}`, 'dev', name]);
    gone.push(address);
  }
  return gone;
}

/** Of what `ip -j address show` says. */
export function findStaleAddresses(
  json: string,
  link: string,
  wanted: readonly string[],
): { readonly name: string; readonly address: string; readonly prefix: number }[] {
  const links = JSON.parse(json) as { ifname?: string; addr_info?: ListedAddress[] }[];
  return links
    .filter(({ ifname }) => ifname === link || ifname === LOOPBACK)
    .flatMap(({ ifname, addr_info = [] }) =>
      addr_info
        .filter((one) => one.local !== undefined && !wanted.includes(one.local) && isOurs(one))
        .map(({ local, prefixlen }) => ({ name: ifname!, address: local!, prefix: prefixlen! })),
    );
}

/** Written as `Link` writes them, and hardly anybody else: one address alone, of this host alone, that is never a source by itself. */
function isOurs({ local, prefixlen, scope, deprecated, noprefixroute, nodad }: ListedAddress): boolean {
  if (deprecated !== true) return false;
  if (isIPv4(local!)) return prefixlen === 32 && scope === 'host';
  return prefixlen === 128 && noprefixroute === true && nodad === true;
}
