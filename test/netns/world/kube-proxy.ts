import { run } from '../../servers/child.ts';
import { program } from '../../servers/programs.ts';
import type { Namespace } from '../namespace.ts';
import { DNS_PODS, KUBE_DNS, KUBE_DNS_UPSTREAM, POD_NETWORK } from './addresses.ts';
import { iptablesRules } from './kube-proxy-iptables.ts';
import { nftablesRules } from './kube-proxy-nftables.ts';

/** How kube-proxy keeps its rules, and by which of the two programs of that name. */
export type ProxyKind = 'nftables' | 'iptables-nft' | 'iptables-legacy';

export interface Service {
  /** In the namespace kube-system. */
  readonly name: string;
  readonly address: string;
  readonly endpoints: readonly string[];
}

/** The rules of one family, as data. */
export interface ProxyState {
  readonly family: 4 | 6;
  readonly services: readonly Service[];
  /** Where traffic comes from that needs no masquerade. */
  readonly podNetwork: string;
}

/** Ports of a DNS Service, with the names that they have in every cluster. */
export const DNS_PORTS = [
  { name: 'dns', protocol: 'udp', port: 53 },
  { name: 'dns-tcp', protocol: 'tcp', port: 53 },
] as const;

/** Both DNS Services, with these endpoints or all that the world has. */
export function dnsServices(family: 4 | 6, endpoints: readonly string[] = DNS_PODS[family]): ProxyState {
  const service = (name: string, address: string): Service => ({ name, address, endpoints });
  const services = [service('kube-dns', KUBE_DNS[family]), service('kube-dns-upstream', KUBE_DNS_UPSTREAM[family])];
  return { family, services, podNetwork: POD_NETWORK[family] };
}

/** Puts kube-proxy's rules in place of those that it had; as kube-proxy does, it leaves those of others alone. */
export async function syncProxyRules(node: Namespace, kind: ProxyKind, state: ProxyState): Promise<void> {
  if (kind === 'nftables') return feed(node, ['nft', '-f', '-'], nftablesRules(state));
  const tool = `${state.family === 6 ? 'ip6' : 'ip'}tables-${kind === 'iptables-nft' ? 'nft' : 'legacy'}`;
  const { stdout } = await node.run(program(`${tool}-save`));
  await feed(node, [`${tool}-restore`, '--noflush', '-w', '5'], iptablesRules(state, stdout));
}

async function feed(node: Namespace, [name, ...args]: readonly string[], input: string): Promise<void> {
  const [first, ...rest] = node.prefix;
  const { code, stderr } = await run(first!, [...rest, program(name!), ...args], { input });
  if (code !== 0) throw new Error(`${name} ${args.join(' ')}: ${stderr}\n${input}`);
}
