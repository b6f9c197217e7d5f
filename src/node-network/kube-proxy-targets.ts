import { isIPv6 } from 'node:net';
import type { SocketAddress } from '../config/config.ts';
import { parseSocketAddress } from '../config/socket-address.ts';
import { ruleWords, SERVICES, targetOf, wordAfter } from './iptables-dump.ts';

/** Chains that lead from a Service to a pod: KUBE-SERVICES, KUBE-SVC-, KUBE-SEP-. */
const DEPTH = 5;

/** Rules of chains of the table nat, as they stand behind `-A CHAIN `; none for a chain that is not there. */
export type ChainReader = (chains: ReadonlySet<string>) => Promise<ReadonlyMap<string, readonly string[]>>;

export interface KubeProxyTargets {
  readonly targets: SocketAddress[];
  /** The Service's own chains, and all their rules: while these are the same, so are the pods. */
  readonly chains: ReadonlySet<string>;
  readonly rules: string;
}

/**
 * Where kube-proxy's own rules (iptables mode) lead queries for a Service: the pods' addresses. Empty where it has none for it. Only read: a jump into its chains
 * would keep it from deleting them.
 */
export async function kubeProxyTargets(read: ChainReader, service: SocketAddress): Promise<KubeProxyTargets> {
  const single = `${service.host}/${isIPv6(service.host) ? 128 : 32}`;
  const targets = new Map<string, SocketAddress>();
  const seen = new Set<string>();
  const isMeant = (rule: string): boolean => {
    if (!rule.includes(`-d ${single} `)) return false;
    const words = ruleWords(rule);
    return wordAfter(words, '-d') === single && wordAfter(words, '--dport') === `${service.port}`;
  };
  const services = (await read(new Set([SERVICES]))).get(SERVICES)!;
  const first = new Set(services.filter(isMeant).map((rule) => targetOf(rule) ?? ''));
  let text = '';
  let chains = first;
  for (let depth = 1; depth < DEPTH && chains.size > 0; depth++) {
    for (const name of chains) seen.add(name);
    const found = await read(chains);
    if (chains === first) text = rulesText(found);
    const rules = [...found.values()].flat();
    chains = new Set();
    for (const rule of rules) {
      const target = targetOf(rule) ?? '';
      if (target === 'DNAT') {
        const address = readAddress(wordAfter(ruleWords(rule), '--to-destination'), service.port);
        if (address !== undefined) targets.set(`${address.host} ${address.port}`, address);
      } else if (target.startsWith('KUBE-S') && !seen.has(target)) chains.add(target);
    }
  }
  return { targets: [...targets.values()], chains: first, rules: text };
}

/** As `KubeProxyTargets.rules`. */
export function rulesText(chains: ReadonlyMap<string, readonly string[]>): string {
  return [...chains].flatMap(([name, rules]) => [name, ...rules]).join('\n');
}

/**
 * The same of kube-proxy's nftables mode: `text` is what `nft list table ip kube-proxy` prints. The Service's chain leads to a chain for each pod, which translates.
 */
export function nftablesProxyTargets(text: string, service: SocketAddress): SocketAddress[] {
  const bodies = new Map<string, string>();
  for (const [, name, body] of text.matchAll(/^\tchain (\S+) \{\n([\s\S]*?)^\t\}/gm))
    bodies.set(unquoted(name!), body!);
  const targets = new Map<string, SocketAddress>();
  for (const protocol of ['udp', 'tcp']) {
    const key = `${service.host} . ${protocol} . ${service.port}`;
    // `KEY : goto CHAIN`, with a comment between them in some versions.
    const at = text.indexOf(`${key} `);
    const chain = at < 0 ? undefined : /^[^,}]*?: goto (\S+?),?\s/.exec(text.slice(at))?.[1];
    for (const [, endpoint] of (bodies.get(unquoted(chain ?? '')) ?? '').matchAll(/: goto (\S+?),?\s/g)) {
      const to = /dnat (?:ip6? )?to (\S+)/.exec(bodies.get(unquoted(endpoint!)) ?? '')?.[1];
      const address = readAddress(to, service.port);
      if (address !== undefined) targets.set(`${address.host} ${address.port}`, address);
    }
  }
  return [...targets.values()];
}

/** The same of IPVS: `text` is /proc/net/ip_vs, which has addresses and ports as hexadecimal digits. */
export function ipvsTargets(text: string, service: SocketAddress): SocketAddress[] {
  const targets = new Map<string, SocketAddress>();
  let isMeant = false;
  for (const line of text.split('\n')) {
    const virtual = /^(?:UDP|TCP)\s+(\S+)/.exec(line)?.[1];
    const real = /^\s+->\s+(\S+)\s+\S+\s+\d/.exec(line)?.[1];
    if (virtual !== undefined) {
      const address = readHex(virtual);
      isMeant = address?.host === service.host && address.port === service.port;
    } else if (real !== undefined && isMeant) {
      const address = readHex(real);
      if (address !== undefined) targets.set(`${address.host} ${address.port}`, address);
    }
  }
  return [...targets.values()];
}

function readAddress(text: string | undefined, port: number): SocketAddress | undefined {
  if (text === undefined) return undefined;
  try {
    return parseSocketAddress(text, port);
  } catch {
    return undefined;
  }
}

/** `0A600035:0035`, or `[2001:0db8:0000:0000:0000:0000:0000:0001]:0035`. */
function readHex(text: string): SocketAddress | undefined {
  const [, v6, v4, port] = /^(?:\[([\da-f:]+)\]|([\da-f]{8})):([\da-f]{4})$/i.exec(text) ?? [];
  if (port === undefined) return undefined;
  const host = v6 ?? [0, 2, 4, 6].map((at) => Number.parseInt(v4!.slice(at, at + 2), 16)).join('.');
  return readAddress(v6 === undefined ? host : `[${host}]`, Number.parseInt(port, 16));
}

function unquoted(name: string): string {
  return name.replaceAll('"', '');
}
