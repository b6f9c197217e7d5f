import * as net from 'node:net';
import { Complaints, shown } from '../config/complaints.ts';
import type { Config } from '../config/config.ts';
import { ConfigErrors } from '../config/config-errors.ts';
import type { Surroundings } from '../config/flags.ts';
import { Refusal } from '../config/refusal.ts';
import { canonicalHost } from '../config/socket-address.ts';
import { packageVersion } from '../core/version.ts';
import {
  FAMILY_CHOICES,
  type FamilyChoice,
  MANIFEST_DEFAULTS,
  type ManifestFlags,
  PROXIES,
  type ServiceProxy,
} from './manifest-flags.ts';
import { type Label, parseLabel } from './node-label.ts';
import { type ServePlan, servePlan } from './serve-plan.ts';

/** What is rendered: every flag read, checked, and with its default. */
export interface ManifestPlan {
  readonly proxy: ServiceProxy;
  readonly families: FamilyChoice;
  readonly clusterDnsSelector: Label;
  readonly namespace: string;
  readonly image: string;
  /** Only nodes with this label; undefined: all. */
  readonly nodes: Label | undefined;
  /** Nodes with this label get a DaemonSet of their own; undefined: there is one for all. */
  readonly canary: (Label & { readonly image: string }) | undefined;
  /** Nodes at a time: a number, or a share such as `5%`. */
  readonly maxSurge: number | string;
  readonly hasIptablesLegacy: boolean;
  readonly seLinuxType: string | undefined;
  readonly hasMonitoring: boolean;
  readonly isTeardown: boolean;
  /** Cilium: addresses that it leads to the agent; empty: those of the Service kube-dns. */
  readonly frontends: readonly string[];
  /** The agent's own settings. */
  readonly serve: ServePlan;
}

/** Reads the flags. Throws `ConfigErrors` with all that is wrong. */
export function planManifests(flags: ManifestFlags, surroundings: Surroundings): ManifestPlan {
  const complaints = new Complaints();
  const read = <T>(option: string, text: string | undefined, reader: (text: string) => T): T | undefined =>
    text === undefined
      ? undefined
      : complaints.read('ERR_MANIFESTS', `render manifests for ${shown(text)}`, option, () => reader(text));
  const proxy = read('--proxy', flags.proxy ?? MANIFEST_DEFAULTS.proxy, oneOf(PROXIES)) ?? 'iptables';
  const serviceIps = (flags.serviceIp ?? []).flatMap((ip) => read('--service-ip', ip, address) ?? []);
  const given = [...(flags.listen ?? []), ...serviceIps];
  const families = read('--families', flags.families ?? familiesOf(given), oneOf(FAMILY_CHOICES)) ?? 'ipv4';
  const maxSurge = read('--max-surge', flags.maxSurge ?? MANIFEST_DEFAULTS.maxSurge, surge) ?? 1;
  const image = read('--image', flags.image ?? `signpost:${packageVersion()}`, word) ?? '';
  const canaryLabel = read('--canary', flags.canary, parseLabel);
  const canaryImage = read('--canary-image', flags.canaryImage, word) ?? image;
  const namespace = read('--namespace', flags.namespace ?? MANIFEST_DEFAULTS.namespace, namespaceName) ?? '';
  const selector = flags.clusterDnsSelector ?? MANIFEST_DEFAULTS.clusterDnsSelector;
  const plan = {
    proxy,
    families,
    namespace,
    image,
    maxSurge,
    clusterDnsSelector: read('--cluster-dns-selector', selector, parseLabel) ?? { key: '', value: '' },
    nodes: read('--nodes', flags.nodes, parseLabel),
    canary: canaryLabel && { ...canaryLabel, image: canaryImage },
    hasIptablesLegacy: flags.iptablesLegacy === true,
    seLinuxType: read('--selinux-type', flags.selinuxType, word),
    hasMonitoring: flags.monitoring === true,
    isTeardown: flags.teardown === true,
    frontends: proxy === 'cilium' ? (flags.listen ?? []).flatMap((ip) => read('--listen', ip, address) ?? []) : [],
  };
  if (flags.canaryImage !== undefined && canaryLabel === undefined) {
    complaints.add('ERR_MANIFESTS', 'Cannot use --canary-image alone: give --canary KEY=VALUE, the label of its nodes');
  }
  read('--kubernetes', flags.kubernetes, oneOf(['off', 'auto']));
  refuseServiceIps(proxy, serviceIps, complaints);
  refuseFarNamespace(flags, plan, complaints);
  const serve = withConfigErrors(complaints, () => servePlan(flags, { proxy, families, serviceIps }, surroundings));
  refuseWithoutAdmin(serve?.config, complaints);
  complaints.throwIfAny();
  return { ...plan, serve: serve! };
}

function refuseServiceIps(proxy: ServiceProxy, serviceIps: readonly string[], complaints: Complaints): void {
  if (serviceIps.length === 0) return;
  const reasons: Partial<Record<ServiceProxy, string>> = {
    ipvs: 'kube-proxy has every Service address on a link of its own in IPVS mode; leave it out, and give kubelet the --listen address as clusterDNS',
    cilium: 'Cilium finds the Service kube-dns by its name; leave it out',
  };
  const reason = reasons[proxy];
  if (reason === undefined) return;
  complaints.add(
    'ERR_MANIFESTS',
    `Cannot listen on ${serviceIps.join(', ')} (--service-ip) with --proxy ${proxy}: ${reason}`,
  );
}

/** What cannot be had from another namespace than the cluster DNS's. */
function refuseFarNamespace(
  { clusterDns, kubernetes }: ManifestFlags,
  { namespace, proxy, frontends }: Pick<ManifestPlan, 'namespace' | 'proxy' | 'frontends'>,
  complaints: Complaints,
): void {
  if (namespace === MANIFEST_DEFAULTS.namespace) return;
  const why = `(--namespace ${namespace})`;
  if (kubernetes === 'off' && clusterDns === undefined) {
    complaints.add(
      'ERR_MANIFESTS',
      `Cannot learn where the cluster DNS is ${why}: pods of other namespaces than kube-system are not told; give --cluster-dns, or leave out --kubernetes off`,
    );
  }
  if (proxy === 'cilium' && frontends.length === 0) {
    complaints.add(
      'ERR_MANIFESTS',
      `Cannot lead the Service kube-dns to the agent ${why}: Cilium wants both in one namespace; leave out --namespace, or give --listen with an address for kubelet's clusterDNS`,
    );
  }
}

function refuseWithoutAdmin(config: Config | undefined, complaints: Complaints): void {
  if (config === undefined || config.admin !== undefined) return;
  complaints.add(
    'ERR_MANIFESTS',
    'Cannot probe the pods (admin: off in --config): expected IP:PORT, such as 127.0.0.1:9254',
  );
}

function withConfigErrors<T>(complaints: Complaints, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof ConfigErrors)) throw error;
    for (const { code, message } of error.errors) complaints.add(code, message);
    return undefined;
  }
}

function familiesOf(addresses: readonly string[]): FamilyChoice {
  const hasIPv6 = addresses.some((text) => text.startsWith('[') || net.isIPv6(text));
  if (!hasIPv6) return MANIFEST_DEFAULTS.families;
  return addresses.every((text) => text.startsWith('[') || net.isIPv6(text)) ? 'ipv6' : 'dual';
}

function oneOf<T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((each) => each === text);
    if (found === undefined) throw new Refusal(`expected one of ${words.join(', ')}`);
    return found;
  };
}

function address(text: string): string {
  const host = canonicalHost(text);
  if (host === undefined) throw new Refusal('expected an IP address, such as 10.96.0.10');
  return host;
}

function surge(text: string): number | string {
  const [, count, percent] = /^([1-9]\d{0,4})(%?)$/.exec(text) ?? [];
  if (count === undefined || (percent && Number(count) > 100)) {
    throw new Refusal('expected a number of nodes or a share of them, such as 1 or 5%');
  }
  return percent ? text : Number(count);
}

function namespaceName(text: string): string {
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) {
    throw new Refusal('expected the name of a namespace: up to 63 small letters, digits and dashes');
  }
  return text;
}

function word(text: string): string {
  if (!/^[^\s"'\\]+$/.test(text)) throw new Refusal('expected a word without spaces and quotes');
  return text;
}
