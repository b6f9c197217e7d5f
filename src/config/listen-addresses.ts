import type { Complaints } from './complaints.ts';
import type { SocketAddress } from './config.ts';
import { Refusal } from './refusal.ts';
import type { Said } from './settings.ts';
import { isMulticast, isWildcard, parseSocketAddress } from './socket-address.ts';

/**
 * Reads every address to listen on; one that is given twice counts once. A value may hold several between commas, as Kubernetes tells a pod its own
 * (`status.podIPs`).
 */
export function listenAddresses(values: readonly Said[], complaints: Complaints): SocketAddress[] {
  const addresses: SocketAddress[] = [];
  const each = values.flatMap(({ text, origin }) => text.split(',').map((part): Said => ({ text: part, origin })));
  for (const value of each) {
    const action = (text: string): string => `listen on ${text}`;
    const address = complaints.readSaid('ERR_LISTEN_ADDRESS', action, value, listenAddress);
    const isKnown = addresses.some(
      (known) => known.host === address?.host && known.port === address.port && known.port !== 0,
    );
    if (address !== undefined && !isKnown) addresses.push(address);
  }
  return addresses;
}

function listenAddress(value: string): SocketAddress {
  const address = parseSocketAddress(value, 53);
  if (isWildcard(address.host)) {
    throw new Refusal(
      'a reply has to come from the address that was asked; give each address itself, such as 169.254.20.10',
    );
  }
  if (isMulticast(address.host)) throw new Refusal('expected an address of this machine');
  return address;
}
