import { chainHash } from './chain-hash.ts';
import { DNS_PORTS, type ProxyState } from './kube-proxy.ts';

/**
 * What kube-proxy (v1.33, iptables mode) gives to `iptables-restore --noflush` for these Services, its chains' names included. `saved` is what `iptables-save` says now: jumps
 * into its chains are set once, and chains of endpoints that are gone are taken out.
 */
export function iptablesRules({ family, services, podNetwork }: ProxyState, saved: string): string {
  const chains: string[] = [];
  const rules: string[] = [];
  const prefix = family === 6 ? 128 : 32;
  const chain = (name: string): string => {
    chains.push(`:${name} - [0:0]`);
    return name;
  };
  for (const name of ['KUBE-SERVICES', 'KUBE-POSTROUTING', 'KUBE-NODEPORTS', 'KUBE-MARK-MASQ']) chain(name);
  rules.push(
    '-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000',
    '-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
    '-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000',
    '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
  );
  for (const { name, address, endpoints } of services) {
    for (const { name: portName, protocol, port } of DNS_PORTS) {
      const title = `kube-system/${name}:${portName}`;
      const destination = `-d ${address}/${prefix} -p ${protocol} -m comment --comment "${title} cluster IP" -m ${protocol} --dport ${port}`;
      // Without endpoints the filter table rejects.
      if (endpoints.length === 0) continue;
      const service = chain(`KUBE-SVC-${chainHash(title + protocol, 16)}`);
      rules.push(
        `-A KUBE-SERVICES ${destination} -j ${service}`,
        `-A ${service} ! -s ${podNetwork} ${destination} -j KUBE-MARK-MASQ`,
      );
      endpoints.forEach((host, at) => {
        const endpoint = family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
        const target = chain(`KUBE-SEP-${chainHash(title + protocol + endpoint, 16)}`);
        const left = endpoints.length - at;
        const chance = left === 1 ? '' : ` -m statistic --mode random --probability ${(1 / left).toFixed(10)}`;
        rules.push(
          `-A ${service} -m comment --comment "${title} -> ${endpoint}"${chance} -j ${target}`,
          `-A ${target} -s ${host}/${prefix} -m comment --comment "${title}" -j KUBE-MARK-MASQ`,
          `-A ${target} -p ${protocol} -m comment --comment "${title}" -m ${protocol} -j DNAT --to-destination ${endpoint}`,
        );
      });
    }
  }
  rules.push(
    '-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS',
  );
  const mine = new Set(chains.map((line) => line.slice(1).split(' ')[0]));
  const gone = [...saved.matchAll(/^:(KUBE-(?:SVC|SEP)-\S+)/gm)]
    .map(([, name]) => name!)
    .filter((name) => !mine.has(name));
  chains.push(...gone.map((name) => `:${name} - [0:0]`));
  const jumps = [
    '-I PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-I OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-I POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
  ];
  const nat = [
    ...chains,
    ...rules,
    ...(saved.includes('-j KUBE-SERVICES') ? [] : jumps),
    ...gone.map((name) => `-X ${name}`),
  ];
  return [
    ...table('nat', nat),
    ...table('filter', filterRules({ family, services, podNetwork }, saved)),
    ...table('mangle', [':KUBE-PROXY-CANARY - [0:0]']),
  ].join('\n');
}

function filterRules({ family, services, podNetwork }: ProxyState, saved: string): string[] {
  const reject = services
    .filter(({ endpoints }) => endpoints.length === 0)
    .flatMap(({ name, address }) =>
      DNS_PORTS.map(
        ({ name: portName, protocol, port }) =>
          `-A KUBE-SERVICES -d ${address}/${family === 6 ? 128 : 32} -p ${protocol} -m comment --comment "kube-system/${name}:${portName} has no endpoints" -m ${protocol} --dport ${port} -j REJECT`,
      ),
    );
  const jumps = [
    '-I FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
    '-I FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-I OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
    '-I INPUT -j KUBE-FIREWALL',
    '-I OUTPUT -j KUBE-FIREWALL',
  ];
  return [
    ...['KUBE-SERVICES', 'KUBE-FORWARD', 'KUBE-FIREWALL'].map((name) => `:${name} - [0:0]`),
    ...reject,
    '-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP',
    '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT',
    '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    ...(family === 6
      ? []
      : [
          '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
        ]),
    // What the node's network plugin has: pods may talk.
    ...(saved.includes('-j KUBE-FORWARD')
      ? []
      : [...jumps, `-A FORWARD -s ${podNetwork} -j ACCEPT`, `-A FORWARD -d ${podNetwork} -j ACCEPT`]),
  ];
}

function table(name: string, lines: readonly string[]): string[] {
  return [`*${name}`, ...lines, 'COMMIT', ''];
}
