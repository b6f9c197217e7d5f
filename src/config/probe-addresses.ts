import type { Complaints } from './complaints.ts';
import type { SocketAddress } from './config.ts';
import { type HttpAddresses, overlaps } from './http-addresses.ts';
import { Refusal } from './refusal.ts';
import type { Said } from './settings.ts';
import { formatSocketAddress, parseSocketAddress } from './socket-address.ts';

/** The port where probes are asked unless another is said: that of the admin API, on an address that it does not have. */
const DEFAULT_PORT = 9254;

/** Reads every address of `--probes`; none may be one that something else of ours has. */
export function probeAddresses(
  values: readonly Said[],
  { metrics, admin }: HttpAddresses,
  complaints: Complaints,
): SocketAddress[] {
  const taken = [metrics, admin].filter((address) => address !== undefined);
  const addresses: SocketAddress[] = [];
  for (const value of values) {
    const action = (text: string): string => `answer probes on ${text}`;
    const address = complaints.readSaid('ERR_PROBES_ADDRESS', action, value, (text) => free(text, taken));
    if (address === undefined || addresses.some((known) => overlaps(known, address))) continue;
    addresses.push(address);
  }
  return addresses;
}

function free(text: string, taken: readonly SocketAddress[]): SocketAddress {
  const address = parseSocketAddress(text, DEFAULT_PORT, 'expected IP or IP:PORT, such as 169.254.20.10:8080');
  const other = taken.find((each) => overlaps(each, address));
  if (other !== undefined)
    throw new Refusal(`${formatSocketAddress(other)} is taken by --metrics or --admin; expected another port`);
  return address;
}
