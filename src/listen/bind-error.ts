import { existsSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import type { SocketAddress } from '../config/config.ts';
import { formatSocketAddress } from '../config/socket-address.ts';
import { StartError } from '../core/errors.ts';
import { findPortHolder, type Protocol } from './port-holder.ts';
import { askVersion } from './server-version.ts';

/** The link that NodeLocal DNSCache makes. A forwarder may pass `version.bind` on, so its own word does not always tell. */
const NODE_LOCAL_LINK = '/sys/class/net/nodelocaldns';

/** What the system said when an address could not be bound. */
export function bindErrorCode(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}

/** Turns what the system said into what a person needs: which address, why, and the remedy. */
export async function explainBindError(
  error: unknown,
  address: SocketAddress,
  protocol: Protocol,
): Promise<StartError> {
  const { code, cause } = await findCause(error, address, protocol);
  const what = `Cannot listen on ${formatSocketAddress(address)}, ${protocol} (--listen)`;
  return new StartError(code, `${what}: ${cause}`, { cause: error });
}

async function findCause(
  error: unknown,
  address: SocketAddress,
  protocol: Protocol,
): Promise<{ code: string; cause: string }> {
  const { host, port } = address;
  switch (bindErrorCode(error)) {
    case 'EADDRINUSE':
      return { code: 'ERR_LISTEN_IN_USE', cause: await findHolder(address, protocol) };
    case 'EADDRNOTAVAIL': {
      const add = `ip address add ${host}/${isIPv6(host) ? 128 : 32} dev lo`;
      return {
        code: 'ERR_LISTEN_NO_ADDRESS',
        cause: `no interface of this machine has this address. Add it first (${add}), let the agent do so (--node-network auto), or give one that is there`,
      };
    }
    case 'EAFNOSUPPORT':
      return {
        code: 'ERR_LISTEN_NO_ADDRESS',
        cause: `this machine has no ${isIPv6(host) ? 'IPv6' : 'IPv4'}. Leave the address out`,
      };
    case 'EACCES':
    case 'EPERM':
      return {
        code: 'ERR_LISTEN_NO_PERMISSION',
        cause:
          port < 1024
            ? `ports below 1024 need the capability NET_BIND_SERVICE. Grant it, or give a port from 1024 up`
            : 'the system does not permit it. Look for a security policy of this machine',
      };
    default:
      return { code: 'ERR_LISTEN', cause: error instanceof Error ? error.message : String(error) };
  }
}

/** Who has the address: by the system's tables as far as rights allow to see, and by what it says of itself. */
async function findHolder(address: SocketAddress, protocol: Protocol): Promise<string> {
  const [holder = 'another process', version] = await Promise.all([
    findPortHolder(address, protocol),
    // DNS servers have both protocols, and a datagram leaves nothing open with a program that is none.
    askVersion(address, 'UDP'),
  ]);
  const saying =
    version === undefined ? '' : `, ${version === '' ? 'a DNS server' : `which says that it is ${version}`}`;
  return `the port is in use by ${holder}${saying}. ${remedyFor(address, holder, version ?? '')}`;
}

function remedyFor({ host }: SocketAddress, holder: string, version: string): string {
  if (/^signpost /i.test(version)) {
    return 'It is an agent like this one: give both the same --state DIR, and the new one takes over from the old; or stop that one';
  }
  const isCoreDns = /^coredns\b/i.test(holder) || /^CoreDNS\b/.test(version);
  if (/^node-cache\b/.test(holder) || existsSync(NODE_LOCAL_LINK) || (isCoreDns && host.startsWith('169.254.'))) {
    return (
      'That is how NodeLocal DNSCache listens: delete its DaemonSet (kubectl --namespace kube-system delete daemonset node-local-dns), and start again. ' +
      'signpost teardown --nodelocal removes what it leaves on the node'
    );
  }
  return 'Stop that one, or give another address or port';
}
