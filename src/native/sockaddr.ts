import { isIPv6, SocketAddress } from 'node:net';
import { endianness, networkInterfaces } from 'node:os';
import {
  AF_INET,
  AF_INET6,
  SOCKADDR_IN_ADDRESS,
  SOCKADDR_IN_BYTES,
  SOCKADDR_IN6_ADDRESS,
  SOCKADDR_IN6_BYTES,
  SOCKADDR_IN6_SCOPE,
  SOCKADDR_PORT,
} from './struct-layout.ts';

/** A struct sockaddr_in or sockaddr_in6 of an address that may name its interface, `fe80::1%eth0`. */
export function encodeSockaddr(host: string, port: number): Uint8Array {
  const [address = '', zone] = host.split('%', 2);
  const isV6 = isIPv6(address);
  const bytes = new Uint8Array(isV6 ? SOCKADDR_IN6_BYTES : SOCKADDR_IN_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isV6 ? AF_INET6 : AF_INET, isLittleEndian);
  view.setUint16(SOCKADDR_PORT, port);
  bytes.set(addressBytes(address), isV6 ? SOCKADDR_IN6_ADDRESS : SOCKADDR_IN_ADDRESS);
  if (isV6 && zone !== undefined) view.setUint32(SOCKADDR_IN6_SCOPE, interfaceIndex(zone), isLittleEndian);
  return bytes;
}

/** The address and port in the structure at `at`. */
export function decodeSockaddr(bytes: Uint8Array, at: number): { host: string; port: number } {
  const port = (bytes[at + SOCKADDR_PORT]! << 8) | bytes[at + SOCKADDR_PORT + 1]!;
  if (bytes[at] === AF_INET) {
    return { host: bytes.subarray(at + SOCKADDR_IN_ADDRESS, at + SOCKADDR_IN_ADDRESS + 4).join('.'), port };
  }
  const groups: string[] = [];
  const start = at + SOCKADDR_IN6_ADDRESS;
  for (let i = start; i < start + 16; i += 2) groups.push(((bytes[i]! << 8) | bytes[i + 1]!).toString(16));
  return { host: new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address, port };
}

/** Octets of an address of either family where both have one form: of IPv4 it has the last four (RFC 4291, section 2.5.5.2). */
export const MAPPED_BYTES = 16;

/** Writes the address, of either family, in the structure at `at` to the start of `target`, as MAPPED_BYTES. No allocation. */
export function mapSockaddr(bytes: Uint8Array, at: number, target: Uint8Array): void {
  const isIPv4 = bytes[at] === AF_INET;
  const from = at + (isIPv4 ? SOCKADDR_IN_ADDRESS - IPV4_AT : SOCKADDR_IN6_ADDRESS);
  for (let i = isIPv4 ? IPV4_AT : 0; i < MAPPED_BYTES; i++) target[i] = bytes[from + i]!;
  if (isIPv4) for (let i = 0; i < IPV4_AT; i++) target[i] = i < IPV4_AT - 2 ? 0 : 0xff;
}

/** The same of an address as text, which may name its interface. */
export function mapAddress(host: string, target: Uint8Array): void {
  const bytes = addressBytes(host.split('%', 1)[0]!);
  const first = MAPPED_BYTES - bytes.length;
  for (let i = 0; i < first; i++) target[i] = i < IPV4_AT - 2 ? 0 : 0xff;
  for (let i = first; i < MAPPED_BYTES; i++) target[i] = bytes[i - first]!;
}

const IPV4_AT = 12;

/** An IPv4 or IPv6 address as 4 or 16 bytes. */
export function addressBytes(host: string): number[] {
  if (!isIPv6(host)) return host.split('.').map(Number);
  const [head = '', tail = ''] = host.split('::');
  const first = groupBytes(head);
  const last = groupBytes(tail);
  return [...first, ...new Array<number>(16 - first.length - last.length).fill(0), ...last];
}

const isLittleEndian = endianness() === 'LE';

function groupBytes(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const word = Number.parseInt(group, 16);
    return [word >> 8, word & 0xff];
  });
}

function interfaceIndex(zone: string): number {
  for (const address of networkInterfaces()[zone] ?? []) if (address.family === 'IPv6') return address.scopeid;
  return 0;
}
