import { SERVICE_NETWORK } from './addresses.ts';
import { chainHash } from './chain-hash.ts';
import { DNS_PORTS, type ProxyState } from './kube-proxy.ts';

/**
 * The table that kube-proxy (v1.33, nftables mode) keeps for these Services, as input for `nft -f`. The checks of ports and addresses that no Service has are part of
 * it: they reject what is new to the connection table and was not translated.
 */
export function nftablesRules({ family, services, podNetwork }: ProxyState): string {
  const ip = family === 6 ? 'ip6' : 'ip';
  const address = family === 6 ? 'ipv6_addr' : 'ipv4_addr';
  const chains: string[] = [];
  const portals: string[] = [];
  const silent: string[] = [];
  for (const { name, address: host, endpoints } of services) {
    for (const { name: portName, protocol, port } of DNS_PORTS) {
      const base = `kube-system/${name}/${protocol}/${portName}`;
      const key = `${host} . ${protocol} . ${port}`;
      if (endpoints.length === 0) {
        silent.push(`${key} comment "kube-system/${name}:${portName}" : goto reject-chain`);
        continue;
      }
      const service = `service-${chainHash(base, 8)}-${base}`;
      portals.push(`${key} : goto ${service}`);
      const targets = endpoints.map((endpoint) => {
        const target = `${base}__${endpoint.replaceAll(':', '.')}/${port}`;
        return { endpoint, chain: `endpoint-${chainHash(target, 8)}-${target}` };
      });
      for (const { endpoint, chain } of targets) {
        const to = family === 6 ? `[${endpoint}]:${port}` : `${endpoint}:${port}`;
        chains.push(
          `chain ${chain} {
             ${ip} saddr ${endpoint} jump mark-for-masquerade
             meta l4proto ${protocol} dnat to ${to}
           }`,
        );
      }
      chains.push(
        `chain ${service} {
           ${ip} daddr ${host} ${protocol} dport ${port} ${ip} saddr != ${podNetwork} jump mark-for-masquerade
           numgen random mod ${targets.length} vmap { ${targets.map(({ chain }, at) => `${at} : goto ${chain}`).join(', ')} }
         }`,
      );
    }
  }
  const elements = (lines: readonly string[]): string =>
    lines.length === 0 ? '' : `elements = { ${lines.join(', ')} }`;
  return `
table ${ip} kube-proxy
delete table ${ip} kube-proxy
table ${ip} kube-proxy {
  comment "rules for kube-proxy"
  set cluster-ips {
    type ${address}
    ${elements(services.map(({ address: host }) => host))}
  }
  map no-endpoint-services {
    type ${address} . inet_proto . inet_service : verdict
    ${elements(silent)}
  }
  map service-ips {
    type ${address} . inet_proto . inet_service : verdict
    ${elements(portals)}
  }
  chain reject-chain {
    reject
  }
  chain mark-for-masquerade {
    meta mark set meta mark | 0x4000
  }
  chain masquerading {
    meta mark & 0x4000 == 0 return
    meta mark set meta mark ^ 0x4000
    masquerade fully-random
  }
  chain cluster-ips-check {
    ${ip} daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"
    ${ip} daddr { ${SERVICE_NETWORK[family]} } drop comment "Drop traffic to unallocated ClusterIPs"
  }
  chain service-endpoints-check {
    ${ip} daddr . meta l4proto . th dport vmap @no-endpoint-services
  }
  ${chains.join('\n  ')}
  chain services {
    ${ip} daddr . meta l4proto . th dport vmap @service-ips
  }
  chain filter-input {
    type filter hook input priority -110; policy accept;
    ct state new jump service-endpoints-check
  }
  chain filter-forward {
    type filter hook forward priority -110; policy accept;
    ct state new jump service-endpoints-check
    ct state new jump cluster-ips-check
  }
  chain filter-output {
    type filter hook output priority -110; policy accept;
    ct state new jump service-endpoints-check
  }
  chain filter-output-post-dnat {
    type filter hook output priority -90; policy accept;
    ct state new jump cluster-ips-check
  }
  chain nat-prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    jump services
  }
  chain nat-output {
    type nat hook output priority -100; policy accept;
    jump services
  }
  chain nat-postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    jump masquerading
  }
}
`;
}
