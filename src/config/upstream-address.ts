import { isIP } from 'node:net';
import type { SocketAddress, TransportName, UpstreamAddress } from './config.ts';
import { Refusal } from './refusal.ts';
import { formatSocketAddress, isMulticast, isWildcard, parseSocketAddress } from './socket-address.ts';

const PLAIN: readonly TransportName[] = ['udp', 'tcp', 'udp+tcp'];
const PORTS: Readonly<Record<TransportName, number>> = { udp: 53, tcp: 53, 'udp+tcp': 53, tls: 853, https: 443 };

const EXPECTED =
  'expected IP, IP:PORT, or one of these with udp://, tcp:// or udp+tcp:// before it, such as 10.96.0.10 or tcp://[fd00::10]:53, ' +
  'or tls://IP#server-name, or https://host/dns-query@IP';
const EXPECTED_TLS =
  'expected tls://IP or tls://IP:PORT, and #server-name behind it, such as tls://192.0.2.1#dns.example';
const EXPECTED_HTTPS =
  'expected https://host/path@IP, such as https://dns.example/dns-query@192.0.2.1, or an address as the host, such as https://192.0.2.1/dns-query';

/** RFC 8484's examples use it, and so does nearly every server. */
const USUAL_PATH = '/dns-query';

/**
 * Reads `IP[:PORT]` (with `bareTransport`), `udp://…`, `tcp://…`, `udp+tcp://…`, `tls://IP[:PORT][#server-name]` or `https://host[:PORT][/path][@IP]`; the port
 * is the usual one where none is given. Throws `Refusal`.
 */
export function parseUpstreamAddress(text: string, bareTransport: TransportName): UpstreamAddress {
  if (text.includes(',')) throw new Refusal(`one address at a time; ${EXPECTED}`);
  const [, scheme, rest] = /^(?:([a-z0-9+.-]*):\/\/)?(.*)$/is.exec(text)!;
  const name = scheme?.toLowerCase();
  if (name === 'tls') return parseTls(rest!);
  if (name === 'https') return parseHttps(rest!);
  const transport = name === undefined ? bareTransport : PLAIN.find((plain) => plain === name);
  if (transport === undefined) throw new Refusal(EXPECTED);
  return { ...parseServer(rest!, transport, EXPECTED), transport };
}

function parseTls(text: string): UpstreamAddress {
  const [address = '', name, ...more] = text.split('#');
  if (more.length > 0) throw new Refusal(EXPECTED_TLS);
  if (looksLikeName(address)) {
    throw new Refusal(
      `${address} would have to be looked up, and this is the resolver that would do it; ${EXPECTED_TLS}`,
    );
  }
  const server = parseServer(address, 'tls', EXPECTED_TLS);
  return {
    ...server,
    transport: 'tls',
    ...(name !== undefined && { serverName: parseServerName(name, EXPECTED_TLS) }),
  };
}

/** The host is a name, and then `@IP` says where it is, or an address itself. */
function parseHttps(text: string): UpstreamAddress {
  const [, authority, path = USUAL_PATH, ip] = /^([^/@#?]*)(\/[^@]*)?(?:@(.*))?$/s.exec(text) ?? [];
  if (authority === undefined) throw new Refusal(EXPECTED_HTTPS);
  if (/[{}]/.test(path)) throw new Refusal(`leave out {?dns}, for questions are posted; ${EXPECTED_HTTPS}`);
  if (!/^[\x21-\x7e]+$/.test(path) || path.includes('#')) throw new Refusal(EXPECTED_HTTPS);
  if (!looksLikeName(authority)) {
    const server = parseServer(authority, 'https', EXPECTED_HTTPS);
    if (ip !== undefined) throw new Refusal(`${server.host} is an address already: leave out @${ip}`);
    return { ...server, transport: 'https', path };
  }
  const [, host, port] = /^([^:]*)(:.*)?$/.exec(authority)!;
  const serverName = parseServerName(host!, EXPECTED_HTTPS);
  if (ip === undefined) {
    throw new Refusal(
      `${serverName} would have to be looked up, and this is the resolver that would do it: say where it is, such as https://${authority}${path}@192.0.2.1`,
    );
  }
  const bare = ip.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) === 0)
    throw new Refusal(`expected an address behind @, the port belongs behind the host; ${EXPECTED_HTTPS}`);
  const server = parseServer(
    isIP(bare) === 6 ? `[${bare}]${port ?? ''}` : `${bare}${port ?? ''}`,
    'https',
    EXPECTED_HTTPS,
  );
  return { ...server, transport: 'https', serverName, path };
}

function parseServer(text: string, transport: TransportName, expected: string): SocketAddress {
  const { host, port } = parseSocketAddress(text, PORTS[transport], expected);
  if (port === 0) throw new Refusal('the port is 0, expected 1 to 65535');
  if (isWildcard(host) || isMulticast(host)) throw new Refusal('expected the address of one server');
  return { host, port };
}

/** A host name and perhaps a port, not an address. */
function looksLikeName(text: string): boolean {
  return /^[\w.-]*[a-z][\w.-]*(?::\d*)?$/i.test(text) && isIP(text) === 0;
}

/** A host name as certificates have it (RFC 6125): in small letters, without the trailing dot. */
function parseServerName(text: string, expected: string): string {
  const name = text.toLowerCase().replace(/\.$/, '');
  if (isIP(name) !== 0)
    throw new Refusal(
      `${name} is an address, not a name; without one the certificate is held against the address; ${expected}`,
    );
  const isName =
    name.length <= 253 &&
    /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name);
  if (!isName) throw new Refusal(`${text === '' ? 'the name is empty' : `${text} is no host name`}; ${expected}`);
  return name;
}

/** As users write it, always with the transport: `udp+tcp://9.9.9.9:53`, `tls://9.9.9.9:853#dns.example`, `https://dns.example/dns-query@9.9.9.9`. */
export function formatUpstreamAddress(address: UpstreamAddress): string {
  const { transport, serverName, host, port } = address;
  if (transport === 'https') return formatHttps(address);
  const name = transport === 'tls' && serverName !== undefined ? `#${serverName}` : '';
  return `${transport}://${formatSocketAddress({ host, port })}${name}`;
}

function formatHttps({ host, port, serverName, path = USUAL_PATH }: UpstreamAddress): string {
  if (serverName === undefined) return `https://${formatSocketAddress({ host, port })}${path}`;
  return `https://${serverName}${port === PORTS.https ? '' : `:${port}`}${path}@${host}`;
}

/** Equal for two addresses that are the same server asked in the same way, and only for those: the identity of an upstream. */
export function upstreamKey(address: UpstreamAddress): string {
  const { host, port, transport, serverName, path, ca, source, hasCookies = false, hasMixedCase = false } = address;
  // The two mean the same.
  const asked = transport === 'udp' ? 'udp+tcp' : transport;
  return JSON.stringify([host, port, asked, serverName, path, ca, source, hasCookies, hasMixedCase]);
}
