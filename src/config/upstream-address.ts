import type { TransportName, UpstreamAddress } from './config.ts';
import { Refusal } from './refusal.ts';
import { formatSocketAddress, isMulticast, isWildcard, parseSocketAddress } from './socket-address.ts';

const TRANSPORTS: readonly TransportName[] = ['udp', 'tcp', 'udp+tcp'];

const EXPECTED =
  'expected IP, IP:PORT, or one of these with udp://, tcp:// or udp+tcp:// before it, such as 10.96.0.10 or tcp://[fd00::10]:53';

/**
 * Reads `IP[:PORT]` (with `bareTransport`), `udp://…`, `tcp://…` or `udp+tcp://…`; the port is 53 where none is given. Throws `Refusal`,
 * which names what other versions may know as not supported in this one.
 */
export function parseUpstreamAddress(text: string, bareTransport: TransportName): UpstreamAddress {
  const [, scheme, rest] = /^(?:([a-z0-9+.-]*):\/\/)?(.*)$/is.exec(text)!;
  const transport = scheme === undefined ? bareTransport : TRANSPORTS.find((name) => name === scheme.toLowerCase());
  if (transport === undefined) {
    const isKnown = /^(tls|https)$/i.test(scheme!);
    throw new Refusal(isKnown ? `${scheme}:// is not supported in this version; ${EXPECTED}` : EXPECTED);
  }
  if (rest === 'endpoints') throw new Refusal(`endpoints is not supported in this version; ${EXPECTED}`);
  if (rest!.includes(',')) throw new Refusal(`one address at a time; ${EXPECTED}`);
  const { host, port } = parseSocketAddress(rest!, 53, EXPECTED);
  if (port === 0) throw new Refusal('the port is 0, expected 1 to 65535');
  if (isWildcard(host) || isMulticast(host)) throw new Refusal('expected the address of one server');
  return { host, port, transport };
}

/** As users write it, always with the transport: `udp+tcp://9.9.9.9:53`. */
export function formatUpstreamAddress(address: UpstreamAddress): string {
  return `${address.transport}://${formatSocketAddress(address)}`;
}

/** Equal for two addresses that are the same server asked in the same way, and only for those: the identity of an upstream. */
export function upstreamKey(address: UpstreamAddress): string {
  const { host, port, transport, serverName, path, ca, source, hasCookies = false, hasMixedCase = false } = address;
  // The two mean the same.
  const asked = transport === 'udp' ? 'udp+tcp' : transport;
  return JSON.stringify([host, port, asked, serverName, path, ca, source, hasCookies, hasMixedCase]);
}
