import * as net from 'node:net';
import type { SocketAddress } from './config.ts';
import { Refusal } from './refusal.ts';

const EXPECTED = 'expected IP or IP:PORT, such as 169.254.20.10 or [fd00::10]:53';

/**
 * Reads `IP`, `IP:PORT`, `[v6]:port` or a bare IPv6 address. IPv6 comes out in its shortest form, so that equal addresses are equal
 * strings. Without `defaultPort` the port must be there. Throws `Refusal`.
 */
export function parseSocketAddress(text: string, defaultPort: number | undefined, expected = EXPECTED): SocketAddress {
  if (text.includes('%')) {
    throw new Refusal(`a zone id (%) names an interface of one machine and is not supported; ${expected}`);
  }
  const bare = net.isIPv6(text) ? { host: text, port: undefined } : split(text);
  const host = bare && canonicalHost(bare.host);
  if (bare === undefined || host === undefined) throw new Refusal(expected);
  if (mappedIPv4(host)) throw new Refusal(`write the IPv4 address itself, ${mappedIPv4(host)}`);
  const port = bare.port === undefined ? defaultPort : parsePort(bare.port);
  if (port === undefined) throw new Refusal(`the port is missing; ${expected}`);
  return { host, port };
}

/** The address as users write it: `127.0.0.1:53`, `[::1]:53`. */
export function formatSocketAddress({ host, port }: SocketAddress): string {
  return net.isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An IPv4 or IPv6 literal in its shortest form, or undefined. No zone id, no leading zeros, no short IPv4 such as 127.1. */
export function canonicalHost(host: string): string | undefined {
  if (net.isIPv4(host)) return host;
  if (!net.isIPv6(host) || host.includes('%')) return undefined;
  return new net.SocketAddress({ address: host, family: 'ipv6' }).address;
}

/** The IPv4 address in a canonical IPv4-mapped IPv6 one (RFC 4291, section 2.5.5.2), or undefined. */
export function mappedIPv4(host: string): string | undefined {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(host)?.[1];
}

/** True for the addresses that stand for all of a machine's own. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** True for addresses of which no single machine is the owner: multicast and the IPv4 broadcast. */
export function isMulticast(host: string): boolean {
  return net.isIPv6(host) ? host.startsWith('ff') : Number(host.split('.', 1)[0]) >= 224;
}

function split(text: string): { host: string; port: string | undefined } | undefined {
  const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::(.*))?$/.exec(text);
  if (parts === null) return undefined;
  const [, v6, v4, port] = parts;
  if (v6 !== undefined) return net.isIPv6(v6) ? { host: v6, port } : undefined;
  return { host: v4!, port };
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 65_536;
  if (port > 65_535) throw new Refusal(`the port is ${text === '' ? 'empty' : text}, expected 0 to 65535`);
  return port;
}
