import type { SocketAddress } from './config.ts';
import { canonicalHost, isMulticast, isWildcard, mappedIPv4 } from './socket-address.ts';

/** The C library's MAXNS: lines after the third are never asked by anything else on the machine either, so nobody would notice what they hold. */
const MAX_SERVERS = 3;

export interface ResolvConf {
  readonly servers: readonly SocketAddress[];
  /** What was passed over and why, each a sentence's end: `nameserver fe80::1%eth0: …`. */
  readonly notes: readonly string[];
}

/**
 * The `nameserver` lines of a resolv.conf(5), in order, each address once. `search` and `options` speak to a stub resolver and are
 * ignored: an agent forwards whole names. A line that cannot be used is passed over with a note, never an error.
 */
export function parseResolvConf(text: string): ResolvConf {
  const servers: SocketAddress[] = [];
  const notes: string[] = [];
  for (const line of text.split('\n')) {
    const value = /^nameserver[ \t]+([^\s;#]+)/.exec(line)?.[1];
    if (value === undefined) continue;
    const host = hostOf(value);
    if (host === undefined) notes.push(`nameserver ${value} is passed over: ${reasonAgainst(value)}`);
    else if (servers.some((server) => server.host === host)) continue;
    else if (servers.length === MAX_SERVERS)
      notes.push(`nameserver ${value} is passed over: only the first ${MAX_SERVERS} count`);
    else servers.push({ host, port: 53 });
  }
  return { servers, notes };
}

function hostOf(value: string): string | undefined {
  // resolv.conf(5) allows what a flag does not: an IPv4 address in IPv6 clothes is the same server.
  const literal = canonicalHost(value);
  const host = literal && (mappedIPv4(literal) ?? literal);
  return host === undefined || isWildcard(host) || isMulticast(host) ? undefined : host;
}

function reasonAgainst(value: string): string {
  return value.includes('%') ? 'a scoped address (%) is not supported' : 'not the IP address of one server';
}
