import { canonicalHost } from '../config/socket-address.ts';
import { type DemoCluster, endpointLabel } from './cluster-file.ts';

/** Which names an address of the cluster has: a ClusterIP exactly one, an endpoint one for each Service that it stands behind. */
export class ReverseNames {
  readonly #clusterIPs = new Map<string, string>();
  readonly #endpoints = new Map<string, string[]>();

  constructor({ domain, namespaces }: DemoCluster) {
    for (const [namespace, services] of namespaces) {
      for (const [name, { clusterIPs, endpoints }] of services) {
        const service = `${name}.${namespace}.svc.${domain}`;
        for (const ip of clusterIPs) this.#clusterIPs.set(ip, service);
        for (const endpoint of endpoints.filter(({ ready }) => ready)) {
          const names = this.#endpoints.get(endpoint.ip) ?? [];
          names.push(`${endpointLabel(endpoint)}.${service}`);
          this.#endpoints.set(endpoint.ip, names);
        }
      }
    }
  }

  /** `address` in its shortest form; empty where nobody has it. */
  lookup(address: string): readonly string[] {
    const service = this.#clusterIPs.get(address);
    return service === undefined ? (this.#endpoints.get(address) ?? []) : [service];
  }
}

const REVERSE_ZONES: readonly string[] = ['in-addr.arpa', 'ip6.arpa'];

/** The reverse zone that `name` (lower case) is or lies in. */
export function reverseZoneOf(name: string): string | undefined {
  return REVERSE_ZONES.find((zone) => name === zone || name.endsWith(`.${zone}`));
}

/** The address that a whole reverse name (lower case) speaks of (RFC 1035, section 3.5, and RFC 3596, section 2.5), or undefined. */
export function addressFromReverseName(name: string): string | undefined {
  const labels = name.split('.').reverse();
  if (labels[1] === 'in-addr') return labels.length === 6 ? canonicalHost(labels.slice(2).join('.')) : undefined;
  const digits = labels.slice(2);
  if (digits.length !== 32 || !digits.every((digit) => /^[0-9a-f]$/.test(digit))) return undefined;
  return canonicalHost(digits.join('').replace(/(.{4})(?=.)/g, '$1:'));
}
