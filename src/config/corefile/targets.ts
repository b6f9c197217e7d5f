import type { Surroundings } from '../flags.ts';
import { parseResolvConf } from '../resolv-conf.ts';
import type { Said } from '../settings.ts';
import { formatSocketAddress } from '../socket-address.ts';
import type { Target } from './block-draft.ts';
import { saidAt } from './said.ts';
import type { Token } from './token.ts';
import { CorefileRefusal } from './token-cursor.ts';

/** Where Kubernetes tells pods of kube-system the addresses of the cluster DNS, as NodeLocal DNSCache looks for it. */
const CLUSTER_DNS_VARIABLES = ['KUBE_DNS_UPSTREAM_SERVICE_HOST', 'KUBE_DNS_SERVICE_HOST'];

export interface TargetSources {
  readonly surroundings: Surroundings;
  /** `--cluster-dns`. */
  readonly clusterDns: readonly string[] | undefined;
  readonly resolvConf: string;
}

/** The addresses behind `target`. `at` is whom to blame. Throws `CorefileRefusal` where there are none. */
export function addressesOf(target: Target, at: Token, sources: TargetSources): Said[] {
  if (target.kind === 'address') return [target.said];
  if (target.kind === 'cluster-dns') return clusterDns(target.scheme, at, sources);
  const path = target.kind === 'resolv.conf' ? target.path.text : sources.resolvConf;
  const { servers } = parseResolvConf(read(path, at, sources));
  if (servers.length === 0) throw new CorefileRefusal(at, `${path} has no usable nameserver line`);
  return servers.map((server) => saidAt(at, 'forward', `${target.scheme}://${formatSocketAddress(server)}`));
}

function clusterDns(scheme: string, at: Token, { surroundings, clusterDns: flags }: TargetSources): Said[] {
  if (flags !== undefined) return flags.map((text) => saidAt(at, 'forward', text));
  const host = CLUSTER_DNS_VARIABLES.map((name) => surroundings.env[name]).find((value) => value);
  if (host === undefined) {
    const reason = `the address of the cluster DNS is not known: ${CLUSTER_DNS_VARIABLES.join(' and ')} are not set; give --cluster-dns`;
    throw new CorefileRefusal(at, reason);
  }
  return [saidAt(at, 'forward', `${scheme}://${host.includes(':') ? `[${host}]` : host}:53`)];
}

function read(path: string, at: Token, { surroundings }: TargetSources): string {
  try {
    return surroundings.readFile(path);
  } catch (error) {
    throw new CorefileRefusal(
      at,
      `${path}: ${(error as Error).message}; expected an IP address or a readable resolv.conf`,
    );
  }
}

/** Whether all that is asked is one thing of this kind. */
export function isOnly(targets: readonly Target[], kind: Target['kind']): boolean {
  return targets.length > 0 && targets.every((target) => target.kind === kind);
}
